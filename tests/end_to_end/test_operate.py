"""While it runs: operators pause, resume, drain, scale and purge; what fails everything is paused by itself."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.servers import wait_until

from .operating import operate, queue, until_queue
from .test_way_round import running

SKILLS = '''
import threading
import time
from pathlib import Path

from dragoman import Context, Skill

loud = Skill("echo")
slow = Skill("slow", concurrency=1)
shaky = Skill("shaky", retries=0)


@loud.command()
def echo(text: str) -> str:
    """Say it again."""
    return f"echo {text}"


@slow.command()
def work(text: str) -> str:
    """Wait for a file."""
    folder = Path(__file__).parent.parent
    name = f"{time.time_ns()}.working"
    (folder / name).touch()
    while not (folder / "go on").exists():
        time.sleep(0.02)
    (folder / name).unlink()
    return f"worked {text}"


@shaky.command()
def shake(text: str) -> str:
    """Fail while a file is there."""
    if (Path(__file__).parent.parent / "broken").exists():
        raise OSError("the disk is gone")
    return f"shaken {text}"
'''

BREAKER = "[breaker]\nfailures = 3\nseconds = 1\n[pools.default]\nconcurrency = 2\n"


@pytest.mark.timeout(300)
async def test_an_operator_and_the_breaker(durable_url: str, namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general, ops = acme.channel("general", members=[ann]), acme.channel("ops", members=[ann])
        rooms = {name: acme.channel(name, members=[ann]) for name in ("paused", "working", "purged", "shaky")}
        toml = settings_for(slack, {"acme": acme}, broker=durable_url, name=namespace, more=BREAKER)
        toml = toml.replace("[bot]\n", '[bot]\noperator = "acme/#ops"\n')
        async with running(RunningBot(tmp_path, toml, SKILLS)) as bot:
            await slack.connected(timeout=60)

            async def do(*words: str) -> str:
                return await asyncio.to_thread(operate, bot.config, *words)

            async def until(name: str, **wanted: Any) -> None:
                await asyncio.to_thread(until_queue, bot.config, name, **wanted)

            async def asks(text: str) -> str:
                return (await general.reply_to(await ann.say(general, f"@dragoman {text}"), timeout=60)).text

            assert await asks("echo 1") == "echo 1"

            # Paused: what it is asked waits, through the death of its worker; the others go on.
            await do("pause", "echo", "--reason", "too loud")
            assert (await asyncio.to_thread(queue, bot.config, "echo"))["why"] == "too loud"
            await asyncio.to_thread(bot.wait_for_log, "echo is paused: too loud", 20)
            for number in range(3):
                await ann.say(rooms["paused"], f"@dragoman echo {number}")
            await until("echo", waiting=3, running=0, depth=3, state="paused")
            assert await asks("shake 0") == "shaken 0"
            assert bot.kill("worker default")
            assert await asks("shake 1") == "shaken 1"
            await until("echo", waiting=3, running=0, state="paused")
            assert not rooms["paused"].said
            await do("resume", "echo")
            await slack.until(lambda: len(rooms["paused"].said) == 3, timeout=40)
            assert {message.text for message in rooms["paused"].said} == {"echo 0", "echo 1", "echo 2"}

            # Scaled: so many at once and no more, in a pool that grows for them.
            for number in range(9):
                await ann.say(rooms["working"], f"@dragoman work {number}")
            await until("slow", waiting=8, running=1)
            await do("scale", "slow", "4")
            await until("slow", waiting=5, running=4, concurrency=4)
            # Its processes take a moment to start.
            await asyncio.to_thread(wait_until, lambda: len(list(tmp_path.glob("*.working"))) == 4, 30)
            await do("scale", "slow", "0")

            # Paused while it works: what runs is finished, and the rest goes back to the broker.
            await do("pause", "slow")
            await until("slow", waiting=5, running=4, state="paused")
            await asyncio.to_thread(wait_until, lambda: queue(bot.config, "slow")["depth"] >= 5, 20)
            # Purged: what waits is thrown away, and what runs is not.
            assert await do("purge", "slow", "--yes") == "purged 5\n"
            await until("slow", waiting=0, running=4, depth=0)
            (tmp_path / "go on").touch()
            await slack.until(lambda: len(rooms["working"].said) == 4, timeout=40)
            await do("resume", "slow")
            assert await asks("work last") == "worked last"
            assert len(rooms["working"].said) == 4

            # Drained: no new runs, and people are told.
            await do("drain", "echo")
            async with asyncio.timeout(30):
                while (text := await asks("echo gone")) == "echo gone":
                    pass
            assert text == "`echo` is being taken out of service."
            await do("resume", "echo")

            # It fails everything: it is paused, tried with one, and goes on when that is good.
            (tmp_path / "broken").touch()
            for number in range(10):
                await ann.say(rooms["shaky"], f"@dragoman shake {number}")
            await slack.until(lambda: bool(ops.said), timeout=40)
            assert "paused `shaky`: 3 attempts in a row failed, the last one with OSError" in ops.said[0].text
            await asyncio.to_thread(bot.wait_for_log, "shaky stays paused: it failed again, with OSError", 30)
            (tmp_path / "broken").unlink()
            await slack.until(lambda: len(ops.said) == 2, timeout=40)
            assert ops.said[1].text == "`shaky` works again; it goes on."
            await slack.until(lambda: len(rooms["shaky"].said) == 10, timeout=40)
            texts = [message.text for message in rooms["shaky"].said]
            assert sum("reference" in text for text in texts) + sum("shaken" in text for text in texts) == 10
            assert any("shaken" in text for text in texts)
            assert len(ops.said) == 2


LOOPED = '''
import asyncio
from pathlib import Path

from dragoman import Skill

skill = Skill("looped")


@skill.command()
async def wait(text: str) -> str:
    """Wait for a file."""
    while not (Path(__file__).parent.parent / "go on").exists():
        await asyncio.sleep(0.02)
    return f"waited {text}"
'''


@pytest.mark.timeout(240)
async def test_a_pool_of_threads_is_steered_as_well(namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        more = "[pools.async]\nconcurrency = 2\n"
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace, skills="", more=more)
        async with running(RunningBot(tmp_path, toml, LOOPED)) as bot:
            await slack.connected(timeout=60)
            for number in range(8):
                await ann.say(general, f"@dragoman wait {number}")
            await asyncio.to_thread(until_queue, bot.config, "looped", waiting=7, running=1)
            await asyncio.to_thread(operate, bot.config, "scale", "looped", "5")
            await asyncio.to_thread(until_queue, bot.config, "looped", waiting=3, running=5)
            await asyncio.to_thread(operate, bot.config, "pause", "looped")
            await asyncio.to_thread(bot.wait_for_log, "looped is paused", 20)
            (tmp_path / "go on").touch()
            await slack.until(lambda: len(general.said) == 5, timeout=40)
            await asyncio.to_thread(until_queue, bot.config, "looped", waiting=3, running=0)
            await asyncio.to_thread(operate, bot.config, "resume", "looped")
            await slack.until(lambda: len(general.said) == 8, timeout=40)
            assert {message.text for message in general.said} == {f"waited {number}" for number in range(8)}
