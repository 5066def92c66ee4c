"""The console, for tests of skills: lines that are typed, and what the real adapter prints."""

import io
import itertools
import re
from typing import Final

from rich.console import Console

from dragoman import ActionBase, EventBase, Message, Sent
from dragoman_console import ConsoleAdapter, ConsoleSettings
from dragoman_console.normalise import normalise

from .ground import Ground, Shown

__all__ = ["ConsoleGround"]

MENTION: Final = re.compile(r"<@([^>]+)>")
EDITED: Final = re.compile(r"\*\(message (\w+) now says\)\* (.*)", re.DOTALL)
TAKEN_BACK: Final = re.compile(r"\*\(message (\w+) was taken back\)\*")
REACTED: Final = re.compile(r"\*\((no more )?:([\w+-]+): on message (\w+)\)\*")


class ConsoleGround(Ground):
    """A terminal for each channel: what is typed there is said to the bot, and there are no threads.

    The person is whoever types the line.
    """

    name = "console"
    threads = False
    programs = False

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)
        self._printed = io.StringIO()
        self._texts: dict[str, str] = {}
        self._marks: dict[str, set[str]] = {}
        self.terminal = ConsoleAdapter("here", ConsoleSettings())
        self.terminal._console = Console(file=self._printed, highlight=False, width=10_000)
        self.adapter = self.terminal

    @property
    def tenant(self) -> str:
        return "console"

    def person(self, name: str) -> str:
        return name

    def channel(self, name: str) -> str:
        return name

    def direct(self, name: str) -> str:
        return f"direct-{name}"

    def thread(self, channel: str) -> str:
        raise NotImplementedError

    def say(self, person: str, channel: str, thread: str | None, text: str, *, to_bot: bool) -> EventBase:
        typed = MENTION.sub(r"@\1", text)
        event = self._typed(person, channel, typed)
        assert isinstance(event, Message)
        self._texts[event.id] = typed
        return event

    def react(self, person: str, channel: str, message: str, emoji: str, *, added: bool) -> EventBase:
        return self._typed(person, channel, f"{'+' if added else '-'}:{emoji}: {message}")

    def _typed(self, person: str, channel: str, line: str) -> EventBase:
        event = normalise(line, account="here", session=channel, number=next(self._numbers), user=person, at=0.0)
        assert event is not None
        return event

    def perform(self, action: ActionBase) -> Sent:
        self.terminal.session = action.address.channel
        start = self._printed.tell()
        sent = super().perform(action)
        self._printed.seek(start)
        self._read(sent, self._printed.read().strip())
        return sent

    def _read(self, sent: Sent, printed: str) -> None:
        """What somebody who reads the terminal knows now."""
        if sent.ids:
            self._texts[sent.ids[0]] = printed
        elif found := EDITED.fullmatch(printed):
            self._texts[found[1]] = found[2]
        elif found := TAKEN_BACK.fullmatch(printed):
            self._texts.pop(found[1], None)
        elif found := REACTED.fullmatch(printed):
            marks = self._marks.setdefault(found[3], set())
            (marks.discard if found[1] else marks.add)(found[2])

    def shown(self, channel: str, message: str) -> Shown | None:
        text = self._texts.get(message)
        return None if text is None else Shown(text, None, frozenset(self._marks.get(message, ())))
