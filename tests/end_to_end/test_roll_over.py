"""Stopping: each part is stopped and started again under load, and nobody notices."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.parts import PARTS, SeparateParts

from .sides import ROOMS, SIDES, Side, settings_of
from .test_way_round import running

GRACE = 10
MESSAGES = 200

SKILLS = '''
import time

from dragoman import Skill

skill = Skill("echo")
slow = Skill("slow", time_limit=120)


@skill.command()
def echo(text: str) -> str:
    """Say it again, after a moment, so that something is always under way."""
    time.sleep(0.05)
    return f"echo {text}"


@slow.command()
def sleep(seconds: float = 60.0) -> str:
    """Take long."""
    time.sleep(seconds)
    return "awake"
'''


@pytest.fixture(params=["embedded", "rabbitmq"])
def server_url(request: pytest.FixtureRequest) -> str:
    """Of a broker that runs beside the bot."""
    server = request.getfixturevalue(request.param)
    if server.pid is None:
        server.start()
    return str(server.url)


@asynccontextmanager
async def started(parts: SeparateParts, skill: str) -> AsyncIterator[SeparateParts]:
    await asyncio.to_thread(parts.__enter__)
    try:
        await asyncio.to_thread(parts.wait_for_skill, skill)
        yield parts
    finally:
        await asyncio.to_thread(parts.__exit__)


def answers(sides: list[Side]) -> Counter[str]:
    return Counter(each.text for side in sides for each in side.heard())


@pytest.mark.timeout(240)
async def test_a_rolling_restart_under_load_loses_and_doubles_nothing(
    server_url: str, namespace: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(side()) for side in SIDES.values()]
        toml = settings_of(sides, name=namespace, broker=server_url, more=f"[run]\ngrace = {GRACE}")
        parts = await stack.enter_async_context(started(SeparateParts(tmp_path, toml, SKILLS), "echo"))
        for side in sides:
            await side.simulator.connected(1, timeout=60)
        rolled = asyncio.Event()
        asked = 0

        async def talk() -> None:
            """At least so many, and for as long as it takes."""
            nonlocal asked
            while asked < MESSAGES or not rolled.is_set():
                await sides[asked % 2].say(asked % ROOMS, f"@dragoman echo {asked}")
                asked += 1
                await asyncio.sleep(0.05)

        talking = asyncio.create_task(talk())
        ended = {}
        for part in ("gateway", "router", "worker"):
            heard = sum(answers(sides).values())
            # Something is under way when it stops, and it does its work again before the next one stops.
            await asyncio.wait(
                [asyncio.create_task(side.simulator.until(lambda n=heard: sum(answers(sides).values()) > n + 10, 60))  # type: ignore[misc]
                 for side in sides],
                return_when=asyncio.FIRST_COMPLETED,
            )  # fmt: skip
            ended[part] = await asyncio.to_thread(parts.roll_over, part)
        rolled.set()
        await talking
        wanted = {f"echo {number}" for number in range(asked)}
        for place, side in enumerate(sides):
            mine = {f"echo {number}" for number in range(asked) if number % 2 == place}
            with contextlib.suppress(TimeoutError):
                await side.simulator.until(
                    lambda side=side, mine=mine: mine <= {each.text for each in side.heard()},  # type: ignore[misc]
                    60,
                )
        found = answers(sides)
    assert wanted - found.keys() == set(), parts.logged()[-3000:]
    assert [text for text, count in found.items() if count > 1] == []
    assert {part: status for part, (status, _) in ended.items()} == dict.fromkeys(PARTS, 0)
    assert max(seconds for _, seconds in ended.values()) < GRACE + 2


@pytest.mark.parametrize("server_url", ["embedded"], indirect=True)
async def test_a_run_that_takes_longer_than_the_grace_is_handed_back(
    server_url: str, namespace: str, tmp_path: Path
) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        room = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker=server_url, name=namespace, more="[run]\ngrace = 1\n")
        async with started(SeparateParts(tmp_path, toml, SKILLS), "echo") as parts:
            await slack.connected(1, timeout=60)
            quick = await ann.say(room, "@dragoman echo one")
            assert (await room.reply_to(quick, timeout=60)).text == "echo one"
            asked = await ann.say(room, "@dragoman sleep 6")
            await asyncio.to_thread(_until_running, tmp_path)
            status, seconds = await asyncio.to_thread(parts.stop, "worker")
            assert (status, seconds < 1 + 5) == (0, True)
            parts.start("worker")
            assert (await room.reply_to(asked, timeout=60)).text == "awake"


def _until_running(folder: Path) -> None:
    deadline = time.monotonic() + 30
    with sqlite3.connect(folder / ".dragoman" / "store.db") as store:
        while not store.execute("SELECT 1 FROM runs WHERE state = 'running' AND skill = 'slow'").fetchall():
            assert time.monotonic() < deadline, "the run was not begun"
            time.sleep(0.05)
    store.close()


async def test_a_bot_says_when_it_is_ready_and_when_it_has_stopped(namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace)
        bot = RunningBot(tmp_path, toml)
        async with running(bot):
            await asyncio.to_thread(bot.wait_for_log, f"{namespace} is ready", 60)
            assert f"{namespace} has stopped" not in bot.logged()
        assert f"{namespace} has stopped" in bot.logged()


async def test_a_second_ctrl_c_ends_a_bot_at_once(namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        room = acme.channel("general", members=[ann])
        more = "[run]\ngrace = 100\n"
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace, more=more)
        bot = RunningBot(tmp_path, toml, SKILLS)
        await asyncio.to_thread(bot.__enter__)
        process = bot.process
        assert process is not None
        try:
            await asyncio.to_thread(bot.wait_for_log, f"{namespace} is ready", 60)
            await ann.say(room, "@dragoman sleep 90")
            await asyncio.to_thread(_until_running, tmp_path)
            process.send_signal(signal.SIGINT)
            await asyncio.to_thread(bot.wait_for_log, "gateway  stopped", 30)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            await asyncio.to_thread(process.wait, 10)
        except subprocess.TimeoutExpired:
            await asyncio.to_thread(bot.stop)
            raise
        assert not bot.parts()
