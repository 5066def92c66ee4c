"""The console keeps the contract of all adapters, as far as there can be such things in a terminal."""

import asyncio
import io
import os
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal

import pytest
from rich.console import Console

from dragoman import Address, EventBase
from dragoman.testing import AdapterContract, Stage
from dragoman_console import ConsoleAdapter, ConsoleSettings
from dragoman_console.normalise import normalise

ALONE = "there is one person in a terminal, and everything is said to the bot, in private"
SAID = "what has been printed stays, so that it cannot be changed"
THERE = "a terminal is always there, and needs no credentials"


class Answered(asyncio.Event):
    """The next line is typed at once."""

    async def wait(self) -> Literal[True]:
        return True


class ConsoleStage(Stage):
    adapter: ConsoleAdapter

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read, self._write = os.pipe()
        self._read = os.fdopen(read, encoding="utf-8")
        monkeypatch.setattr("sys.stdin", self._read)
        self.adapter = ConsoleAdapter("console", ConsoleSettings(user="ann"))
        self.adapter.answered = Answered()
        self._printed = io.StringIO()
        self.adapter._console = Console(file=self._printed, highlight=False, width=100_000)
        self.here = Address(account="console", tenant="console", channel=self.adapter.session)

    async def say(self, text: str) -> None:
        os.write(self._write, f"{text}\n".encode())

    def shown(self) -> list[str]:
        return [line for line in self._printed.getvalue().splitlines() if line]

    async def garbage(self) -> None:
        os.write(self._write, b"\0\xff\xfe\x80\n")

    def close(self) -> None:
        os.close(self._write)
        for thread in threading.enumerate():
            if thread.name == "dragoman-console":
                thread.join()
        self._read.close()


class TestContract(AdapterContract):
    adapter = ConsoleAdapter
    payloads: ClassVar[Mapping[str, Any]] = {
        "reply_in_a_direct_message": "yes, please",
    }
    without: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("self_message", "self_reaction", "unknown_event"), ALONE),
        **dict.fromkeys(("reaction", "reaction_removed"), "reactions are there, but in private: see test_console"),
        **dict.fromkeys(("a_message_is_changed_and_taken_back", "an_emoji_is_put_on_a_message_and_taken_away"), SAID),
        **dict.fromkeys(
            (
                "credentials_that_are_refused_are_an_error_that_names_the_account",
                "a_broken_connection_is_replaced",
                "a_platform_that_is_away_is_asked_again_later",
            ),
            THERE,
        ),
        "what_cannot_be_done_is_refused_for_good": "what cannot be shown is left out",
        "what_the_platform_refuses_is_not_asked_for_again": "a terminal refuses nothing",
        "nobody_is_called_by_what_only_looks_like_a_mention": ALONE,
        "who_is_not_there_is_not_found": "everybody who is named is there",
    }

    def normalise(self, payload: Any) -> Sequence[EventBase]:
        if not isinstance(payload, str):
            raise ValueError("a line is a text")
        event = normalise(payload, account="console", session="s", number=1, user="ann", at=5.0)
        return [] if event is None else [event]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        with pytest.MonkeyPatch.context() as patch:
            stage = ConsoleStage(patch)
            try:
                yield stage
            finally:
                stage.close()
