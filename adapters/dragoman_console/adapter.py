"""Reads lines, prints answers."""

import asyncio
import contextlib
import io
import itertools
import sys
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, ClassVar, Literal

from rich.console import Console
from rich.markdown import Markdown

from dragoman import (
    AccountSettings,
    ActionBase,
    Adapter,
    Capabilities,
    ChannelInfo,
    Edit,
    Person,
    Reaction,
    Receive,
    Send,
    Sent,
)

from .can import CAPABILITIES
from .normalise import normalise
from .render import render
from .zone import local_zone

__all__ = ["ConsoleAdapter", "ConsoleSettings"]


class ConsoleSettings(AccountSettings):
    """``[accounts.NAME]`` with ``platform = "console"``; ``user`` is who types."""

    platform: Literal["console"] = "console"
    user: str = "you"


class ConsoleAdapter(Adapter):
    """One person in a terminal. Its end of input ends `run`."""

    platform: ClassVar[str] = "console"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    Settings: ClassVar[type[AccountSettings]] = ConsoleSettings
    settings: ConsoleSettings

    def __init__(self, account: str, settings: Any) -> None:
        super().__init__(account, settings)
        self.session = uuid.uuid4().hex[:12]
        self._numbers = itertools.count(1)
        self._console = Console(highlight=False)
        #: What the bot said last here.
        self._last = ""
        #: Set whenever the bot has said something: a prompt can wait for it.
        self.answered = asyncio.Event()

    async def check(self) -> str:
        """Nothing can be wrong with a terminal."""
        return f"{self.settings.user} at this terminal"

    async def run(self, receive: Receive, ready: Callable[[], None]) -> None:
        """Until the input ends."""
        loop = asyncio.get_running_loop()
        lines: asyncio.Queue[str | None] = asyncio.Queue()
        prompting = sys.stdin.isatty()
        if isinstance(sys.stdin, io.TextIOWrapper):
            # Bytes that are no text must not end the conversation.
            sys.stdin.reconfigure(errors="replace")

        def read() -> None:
            # A thread, since there is no portable way to wait for a terminal's line.
            for line in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(lines.put_nowait, None)

        threading.Thread(target=read, name="dragoman-console", daemon=True).start()
        ready()
        while True:
            if prompting:
                self._console.print("[bold]> [/bold]", end="")
            line = await lines.get()
            if line is None:
                return
            event = normalise(
                line,
                account=self.account,
                session=self.session,
                number=next(self._numbers),
                user=self.settings.user,
                at=time.time(),
                last=self._last,
            )
            if event is None:
                continue
            self.answered.clear()
            await receive(event)
            # The next prompt comes after the answer; not every line has one, and fewer reactions have.
            short = prompting or isinstance(event, Reaction)
            # Not wait_for, which on Python 3.11 can take a cancellation for its own end.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0 if short else 10.0):
                    await self.answered.wait()

    async def perform(self, action: ActionBase) -> Sent:
        """Print it; what goes elsewhere than to this session says where."""
        text = render(action, here=self.session)
        if text:
            if self._console.is_terminal:
                self._console.print(Markdown(text))
            else:
                self._console.out(text)
        # An emoji is often put first, and words follow: it is no answer.
        if isinstance(action, Send | Edit):
            self.answered.set()
        if not isinstance(action, Send):
            return Sent()
        id = f"b{next(self._numbers)}"
        if action.address.channel == self.session:
            self._last = id
        return Sent(ids=(id,))

    async def look_up_person(self, person: str, tenant: str) -> Person | None:
        """Everybody who is named is there, under that name and in this machine's time zone."""
        return Person(id=person, name=person, timezone=local_zone()) if person else None

    async def look_up_channel(self, channel: str, tenant: str) -> ChannelInfo | None:
        """Every channel that is named is there: its id is its name. What is said there is printed here."""
        name = channel.removeprefix("#")
        return ChannelInfo(id=name, tenant="console", name="" if name.startswith("@") else name) if name else None

    def render(self, action: ActionBase) -> list[dict[str, Any]]:
        """See `Adapter.render`: ``{"text": what is printed}``; nothing for what a terminal cannot show."""
        text = render(action, here=self.session)
        return [{"text": text}] if text else []
