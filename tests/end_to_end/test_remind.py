"""A reminder comes once: with three schedulers running, and after all that ran was killed and started past its time."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.exchange.embedded import EmbeddedValkey
from dragoman_slack.simulator import SlackSimulator
from support.bot import settings_for
from support.servers import wait_until

PARTS = (["gateway"], ["router"], ["router"], ["router"], ["worker", "--pool", "default", "--concurrency", "1"])


class Parts:
    """The parts of one bot, each a process of its own; its routers are its schedulers."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "dragoman.toml"
        self._log = folder / "log"
        self._running: list[subprocess.Popen[bytes]] = []
        self._starts = 0

    async def start(self) -> None:
        """Until all routers know the skill."""
        with self._log.open("ab") as log:
            self._running = [
                subprocess.Popen(
                    [sys.executable, "-m", "dragoman", "--config", str(self.config), *words],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                for words in PARTS
            ]
        self._starts += 1
        await asyncio.to_thread(
            wait_until, lambda: self.log().count("routing to remind") >= 3 * self._starts, 40.0, "the routers"
        )

    def kill(self) -> None:
        """All of them at once, with kill -9."""
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._running:
            process.wait(10)

    def log(self) -> str:
        return self._log.read_text(errors="replace")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    found = Parts(tmp_path)
    yield found
    found.kill()


async def test_a_reminder_comes_once_whoever_was_killed(parts: Parts, embedded: EmbeddedValkey, namespace: str) -> None:
    if embedded.pid is None:  # a test that broke it has failed before it could start it again
        embedded.start()
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        parts.config.write_text(
            settings_for(slack, {"acme": acme}, broker=embedded.url, name=namespace, skills='"remind"')
        )
        await parts.start()
        await slack.connected(1, timeout=40)

        def said(what: str) -> list[str]:
            return [message.text for message in general.said if what in message.text]

        def reminders() -> list[str]:
            return said("⏰")

        async def remind(what: str) -> None:
            promised = len(said("I will remind you"))
            await ann.say(general, f"@dragoman remind me {what}")
            await slack.until(lambda: len(said("I will remind you")) > promised, timeout=30)

        await remind("in 1s to eat")
        await slack.until(lambda: reminders() == [f"⏰ <@{ann.id}> eat"], timeout=30)

        due = time.time() + 3.0
        await remind("in 3s to sleep")
        parts.kill()
        assert len(reminders()) == 1, "this machine is too slow for this test"
        await asyncio.to_thread(wait_until, lambda: time.time() > due, 5.0)
        await parts.start()
        await slack.until(lambda: len(reminders()) > 1, timeout=30)

        # Whatever would come twice has had its time when what was asked for later has come.
        await remind("in 0.1s to get up")
        await slack.until(lambda: any("get up" in text for text in reminders()), timeout=30)
        assert reminders() == [f"⏰ <@{ann.id}> {what}" for what in ("eat", "sleep", "get up")]
