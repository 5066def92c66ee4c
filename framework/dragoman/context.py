"""What a handler may do: `Context` is given to handlers that ask for it by annotation.

Messages never act; the context does. What is said here is collected and leaves, in order, when the
handler ends; ``yield`` and ``flush`` let it go earlier.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from .action import Action, ActionBase, Delete, Edit, React, Send, Target, Typing, action_key
from .address import Address
from .content import Content
from .errors import SkillError
from .event import Event
from .manifest import SkillManifest

if TYPE_CHECKING:
    from .task import Task

__all__ = ["Context", "Handle"]

#: Puts actions of a run on their way at once; see `dragoman.worker.process`.
Outbox = Callable[["Task", Sequence[Action]], None]


class Handle:
    """What was said, to edit or delete it later. It is there at once; ``await`` it or do not, as you like."""

    def __init__(self, action: ActionBase) -> None:
        self.address = action.address
        self.target = Target(key=action.key)

    def __await__(self) -> Generator[Any, None, "Handle"]:
        # Nothing has to be waited for, and a handler that is an "async def" may still write "await".
        yield from ()
        return self


class _Log(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        assert self.extra is not None
        return f"{msg} (reference {self.extra['reference']})", {**kwargs, "extra": self.extra}


class _Done:
    def __await__(self) -> Generator[Any, None, None]:
        yield from ()


class Context:
    """One run of one handler.

    Attributes:
        event: what happened.
        attempt: 1 for the first, 2 for the first retry. What has left in an earlier attempt is not sent again.
        reference: a short id of this run, also in the log and in the answer after a failure.
        settings: what ``[skills.NAME]`` says of this skill.
        log: a logger whose lines carry the reference.
    """

    def __init__(
        self,
        task: "Task",
        *,
        outbox: Outbox | None = None,
        catalogue: Callable[[], tuple[SkillManifest, ...]] = tuple,
        coroutine: bool = False,
        settings: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._task = task
        self._outbox = outbox
        self._catalogue = catalogue
        self._coroutine = coroutine
        self._clock = clock
        self._ordinal = 0
        self._waiting: list[Action] = []
        self.settings: Mapping[str, Any] = settings or {}
        self.event: Event = task.event
        self.attempt: int = task.attempt
        self.reference: str = task.reference
        self.log = _Log(logging.getLogger(f"dragoman.skill.{task.skill}"), {"reference": task.reference})

    def catalogue(self) -> tuple[SkillManifest, ...]:
        """The manifests of all skills that are served now."""
        return self._catalogue()

    def reply(self, text: str | Content) -> Handle:
        """Say something where the event happened: in its thread if it was in one. CommonMark."""
        return self.send(self.event.address, text)

    def send(self, address: Address | str, text: str | Content) -> Handle:
        """Say something anywhere; ``address`` may be the stored string of one."""
        if isinstance(address, str):
            address = Address.parse(address)
        content = text if isinstance(text, Content) else Content(text=text)
        return self._add(Send, address, content=content)

    def edit(self, handle: Handle, text: str | Content) -> Handle:
        """Replace what was said."""
        content = text if isinstance(text, Content) else Content(text=text)
        self._add(Edit, handle.address, target=handle.target, content=content)
        return handle

    def delete(self, handle: Handle) -> Handle:
        """Take back what was said."""
        return self._add(Delete, handle.address, target=handle.target)

    def react(self, emoji: str, *, remove: bool = False) -> Handle:
        """Put an emoji, such as ``wave``, on the message that this is about.

        Raises:
            SkillError: the event is about no message.
        """
        message = getattr(self.event, "id", None)
        if message is None:
            raise SkillError(f"a {self.event.kind} event has no message to react to")
        return self._add(React, self.event.address, target=Target(id=message), emoji=emoji.strip(":"), remove=remove)

    def typing(self, status: str = "is typing...") -> Awaitable[None]:
        """Show that the bot is busy, until it says something. Lets go what was said so far, as `flush` does."""
        self._add(Typing, self.event.address, status=status)
        return self.flush()

    def flush(self) -> Awaitable[None]:
        """Let go what was said so far. In an ``async def`` handler it must be awaited."""
        if self._coroutine:
            return asyncio.to_thread(self._flush)
        self._flush()
        return _Done()

    def take(self) -> tuple[Action, ...]:
        """What has not left yet; called once, when the handler has ended."""
        taken, self._waiting = tuple(self._waiting), []
        return taken

    def _flush(self) -> None:
        if self._outbox is None:
            return  # What cannot leave early leaves at the end.
        if actions := self.take():
            self._outbox(self._task, actions)

    def _add(self, kind: type[ActionBase], address: Address, **fields: Any) -> Handle:
        ordinal, self._ordinal = self._ordinal, self._ordinal + 1
        action = kind(
            key=action_key(self.event.key, f"{self._task.skill}.{self._task.handler}", ordinal),
            address=address,
            run=self._task.run,
            ordinal=ordinal,
            traceparent=self.event.traceparent,
            hops=(*self._task.hops, ("handler", self._clock())),
            **fields,
        )
        self._waiting.append(action)  # type: ignore[arg-type]  # every kind given here is in the union
        return Handle(action)
