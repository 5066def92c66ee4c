"""What handlers may do, and what they cannot do to others: in real pools."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, command_of, settings_for
from support.servers import end, wait_until

from .test_way_round import running

SKILLS = '''
import asyncio
import os
import time

from dragoman import Context, Skill

plain = Skill("plain", time_limit=2, retries=1)
loop = Skill("loop")
own = Skill("own", pool="heavy")


@plain.command()
def steps(ctx: Context):
    """Answer in steps."""
    yield "one"
    yield "two"
    ctx.react("tada")
    yield "three"


@plain.command()
def crash(ctx: Context) -> str:
    """End the process."""
    os._exit(3)


@plain.command()
def hang() -> str:
    """Take longer than allowed."""
    time.sleep(600)
    return "never"


@plain.command()
def stubborn() -> str:
    """Take longer than allowed, and not listen."""
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass


@plain.command()
def huge() -> str:
    """Say more than a message may hold."""
    return "x" * 1_200_000


@plain.command()
def once(ctx: Context):
    """Fail after the first answer, once."""
    yield f"first said in attempt {ctx.attempt}"
    if ctx.attempt == 1:
        raise RuntimeError("once")
    yield f"then in attempt {ctx.attempt}"


waiting = []


@loop.command()
async def together(ctx: Context) -> str:
    """Wait until forty are here at once."""
    waiting.append(1)
    while len(waiting) < 40:
        await asyncio.sleep(0.01)
    return "all here"


@own.command()
def where() -> str:
    """Say which process this is."""
    return f"process {os.getppid()}"


@own.command()
def colour(ctx: Context) -> str:
    """Say what the settings say."""
    return ctx.settings["colour"]
'''


@pytest.mark.parametrize("durable_url", ["rabbitmq"], indirect=True)
async def test_handlers_in_their_pools(durable_url: str, namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        rooms = {
            name: acme.channel(name, members=[ann]) for name in ("crash", "hang", "stubborn", "huge", "once", "crowd")
        }
        toml = settings_for(
            slack, {"acme": acme}, broker=durable_url, name=namespace, more='[skills.own]\ncolour = "teal"\n'
        )
        async with running(RunningBot(tmp_path, toml, skills=SKILLS)) as bot:
            await slack.connected(timeout=40)

            # What is yielded leaves in order; what was said and done, too.
            asked = await ann.say(general, "@dragoman steps")
            await slack.until(lambda: len(general.said) >= 3, timeout=40)
            assert [m.text for m in general.said] == ["one", "two", "three"]
            assert asked.reactions

            # A handler that ends its process, hangs, or will not be told, is counted, tried again and answered.
            for name in ("crash", "hang", "stubborn", "huge"):
                await ann.say(rooms[name], f"@dragoman {name}")
            # What has left in the first attempt is not said again by the second.
            await ann.say(rooms["once"], "@dragoman once")
            # Forty coroutines are under way at once, in one process.
            for _ in range(40):
                await ann.say(rooms["crowd"], "@dragoman together")
            await slack.until(lambda: len(rooms["crowd"].said) == 40, timeout=40)
            await slack.until(lambda: len(rooms["once"].said) == 2, timeout=40)
            assert [m.text for m in rooms["once"].said] == ["first said in attempt 1", "then in attempt 2"]
            for name in ("crash", "hang", "stubborn", "huge"):
                await slack.until(lambda name=name: bool(rooms[name].said), timeout=60)  # type: ignore[misc]
                assert "reference" in rooms[name].said[0].text

            # A pool of its own is a process of its own.
            heavy = bot.parts()["worker heavy"]
            where = await general.reply_to(await ann.say(general, "@dragoman where"), timeout=30)
            assert where.text == f"process {heavy}"
            assert heavy != bot.parts()["worker default"]
            asked = await ann.say(general, "@dragoman colour")
            assert (await general.reply_to(asked, timeout=30)).text == "teal"


async def test_one_worker_can_be_run_by_itself(rabbitmq: object, namespace: str, tmp_path: Path) -> None:
    url = rabbitmq.url  # type: ignore[attr-defined]  # a server of tests/support
    async with SlackSimulator() as slack:
        bot = RunningBot(tmp_path, settings_for(slack, {}, broker=url, name=namespace))
        log = tmp_path / "worker.log"
        words = ["--pool", "mine", "--skill", "dice", "--skill", "echo", "--concurrency", "3"]
        with log.open("wb") as output:
            worker = subprocess.Popen(
                [sys.executable, "-m", "dragoman", "--config", str(bot.config), "worker", *words],
                stdout=output,
                stderr=output,
            )
        try:
            environment = {**os.environ, "DRAGOMAN_CONFIG": str(bot.config)}

            def serves() -> bool:
                found = subprocess.run(
                    [sys.executable, "-W", "ignore", "-m", "celery", "-A", "dragoman.celery", "inspect", "stats"],
                    env=environment,
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=False,
                ).stdout
                return '"max-concurrency": 3' in found and f"{namespace}.mine-{worker.pid}@" in found

            wait_until(serves, 60, log.read_text())
            assert command_of(worker.pid)
        finally:
            end(worker)
