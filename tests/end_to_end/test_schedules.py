"""What is due happens once: with three schedulers, and after all of them were killed. And webhooks are listened for."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from dragoman import Address, Scheduled
from dragoman.exchange.embedded import EmbeddedValkey
from dragoman.store.engine import open_store
from dragoman.store.timers import TimerRows
from dragoman.timers import Timer, timer_id
from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.servers import wait_until

from .test_way_round import running

SECRET = "0123456789abcdef"

#: It writes down each time that it is called.
BELL = """
from datetime import datetime
from pathlib import Path

from dragoman import Context, Skill

skill = Skill("bell")
book = Path(__file__).parent.parent / "book"


def write(line: str) -> None:
    with book.open("a") as file:
        file.write(line + "\\n")


@skill.schedule()
def ring(ctx: Context, word: str = "") -> None:
    write(f"ring {word} in {ctx.event.address.channel}")


@skill.schedule("* * * * * *")
def tick() -> None:
    write("tick")


@skill.webhook("/build")
def built(ctx: Context) -> None:
    write(f"built {ctx.event.json_body()['branch']}")
"""
#: With a schedule that does not come while it is tested.
QUIET = BELL.replace('"* * * * * *"', '"0 0 1 1 *"')


class Parts:
    """Parts of one bot, each a process of its own."""

    def __init__(self, folder: Path, toml: str) -> None:
        self.folder = folder
        (folder / "dragoman.toml").write_text(toml)
        (folder / "skills").mkdir()
        (folder / "skills" / "bell.py").write_text(QUIET)
        self.engine = open_store(f"sqlite:///{folder / '.dragoman' / 'store.db'}")
        self.timers = TimerRows(self.engine)
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, count: int = 1) -> list["subprocess.Popen[bytes]"]:
        with (self.folder / "log").open("ab") as log:
            made = [
                subprocess.Popen(
                    [sys.executable, "-m", "dragoman", "--config", str(self.folder / "dragoman.toml"), *words],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
                for _ in range(count)
            ]
        self.processes += made
        return made

    def ring(self, word: str, due: float) -> None:
        """Ask for it at a time."""
        event = Scheduled(
            key=word,
            address=Address(account="acme", tenant="T1", channel="C1"),
            conversation="channel",
            skill="bell",
            handler="ring",
            due=due,
            arguments={"word": word},
        )
        self.timers.add(Timer(id=timer_id(word), skill="bell", handler="ring", due_at=due, event=event))

    def wait_for_log(self, text: str, count: int) -> None:
        wait_until(lambda: self.log().count(text) >= count, 40.0, f"{text!r} {count} times in:\n{self.log()}")

    def wait_for(self, line: str) -> None:
        wait_until(lambda: line in book(self.folder), 30.0, f"{line!r} in {book(self.folder)}:\n{self.log()}")

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def close(self) -> None:
        for process in self.processes:
            kill(process)
        self.engine.dispose()


def kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def book(folder: Path) -> list[str]:
    """What the skill has written."""
    file = folder / "book"
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def parts(tmp_path: Path, embedded: EmbeddedValkey, namespace: str) -> Iterator[Parts]:
    if embedded.pid is None:
        embedded.start()
    toml = f'[bot]\nname = "{namespace}"\nskills = []\n[broker]\nurl = "{embedded.url}"\n'
    found = Parts(tmp_path, toml)
    yield found
    found.close()


def test_with_three_schedulers_it_happens_once_and_after_all_were_killed_once(parts: Parts) -> None:
    parts.start("worker", "--pool", "default", "--concurrency", "2")
    routers = parts.start("router", count=3)
    parts.wait_for_log("routing to bell", 3)

    now = time.time()
    for number in range(5):
        parts.ring(f"early-{number}", now + 0.5)
    for number in range(5):
        parts.wait_for(f"ring early-{number} in C1")

    # All are killed before its time, and started again after it.
    due = time.time() + 1.5
    parts.ring("late", due)
    for router in routers:
        kill(router)
    assert time.time() < due, "this machine is too slow for this test"
    wait_until(lambda: time.time() > due, 5.0)
    assert [timer.due_at for timer in parts.timers.pending("bell")] == [due]
    parts.start("router", count=3)
    parts.wait_for("ring late in C1")

    # Whatever would happen twice has had its time when what was asked for later has happened.
    parts.wait_for_log("routing to bell", 6)
    parts.ring("last", time.time() + 0.2)
    parts.wait_for("ring last in C1")
    assert sorted(book(parts.folder)) == sorted(
        [*(f"ring early-{number} in C1" for number in range(5)), "ring last in C1", "ring late in C1"]
    )


@pytest.mark.parametrize("broker", ["memory", "embedded"])
async def test_a_bot_with_webhooks_and_schedules_serves_both(broker: str, tmp_path: Path, namespace: str) -> None:
    """In one process and in several."""
    async with SlackSimulator() as slack:
        url = "embedded" if broker == "embedded" else f"memory://{namespace}"
        more = f'[web]\nport = 0\n[webhooks.bell]\nsecret = "{SECRET}"\n'
        toml = settings_for(slack, {"acme": slack.workspace("acme")}, broker=url, name=namespace, more=more)
        async with running(RunningBot(tmp_path, toml, skills=BELL)) as bot:
            await asyncio.to_thread(bot.wait_for_log, "webhook of bell.built: POST ", 40.0)
            hook = bot.logged().split("webhook of bell.built: POST ")[1].split()[0]
            async with aiohttp.ClientSession() as client:
                for headers, status in (({}, 401), ({"Authorization": f"Bearer {SECRET}"}, 202)):
                    async with client.post(hook, json={"branch": "main"}, headers=headers) as answer:
                        assert answer.status == status
            wanted = {"built main", "tick"}
            await asyncio.to_thread(wait_until, lambda: wanted <= set(book(tmp_path)), 30.0, "the book")
        assert book(tmp_path).count("built main") == 1
        assert SECRET not in bot.logged()
