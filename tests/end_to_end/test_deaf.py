"""A worker that is connected and takes nothing is replaced; one whose processes eat memory gets new ones."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.servers import end, wait_until

from .operating import operate, queue
from .test_way_round import running

#: Loaded by the worker as a skill's file: at SIGUSR2 all that the broker knows of its consumers is gone, unseen.
DEAF = '''
import os
import signal

from dragoman import Skill

skill = Skill("echo")


@skill.command()
def echo(text: str) -> str:
    """Say it again."""
    return f"echo {text} of {os.getppid()}"


def deafen(*_: object) -> None:
    from celery.worker import state
    import gc
    from dragoman.worker.consumer import Consumer

    for consumer in (each for each in gc.get_objects() if isinstance(each, Consumer)):
        taking = consumer.task_consumer
        for tag in list(taking._active_tags.values()):
            taking.channel.basic_cancel(tag)
    print("deaf now", flush=True)


signal.signal(signal.SIGUSR2, deafen)


def tell_of_canaries() -> None:
    from dragoman.worker.canary import Canary

    seen = Canary.seen

    def told(self: Canary) -> None:
        seen(self)
        print("a canary came back", flush=True)

    Canary.seen = told


tell_of_canaries()
'''


@pytest.mark.timeout(240)
async def test_a_deaf_worker_is_replaced(durable_url: str, namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker=durable_url, name=namespace, skills="")
        async with running(RunningBot(tmp_path, toml, DEAF)) as bot:
            await slack.connected(timeout=60)
            before = bot.parts()["worker default"]
            said = await general.reply_to(await ann.say(general, "@dragoman echo 1"), timeout=60)
            assert said.text == f"echo 1 of {before}"
            # While it hears, they come back: it is not replaced for nothing.
            await asyncio.to_thread(
                wait_until, lambda: bot.logged().count("a canary came back") >= 2, 40, "two canaries to come back"
            )
            os.kill(before, signal.SIGUSR2)
            await asyncio.to_thread(bot.wait_for_log, "deaf now", 20)
            # It is asked when it hears nothing any more, and answers when it is another.
            asked = await ann.say(general, "@dragoman echo 2")
            said = await general.reply_to(asked, timeout=90)
            after = bot.parts()["worker default"]
            assert said.text == f"echo 2 of {after}"
            assert after != before
            assert "this worker is connected and gets nothing" in bot.logged()
            assert bot.logged().count("worker default ended (status 75)") == 1


EATS = '''
import os

from dragoman import Skill

eats = Skill("eats", max_memory="150MB")
echo = Skill("echo")
kept = []


@eats.command()
def eat(megabytes: int) -> str:
    """Take memory, and keep it."""
    kept.append(bytearray(os.urandom(1)) * (megabytes * 1_000_000))
    return f"{os.getpid()} has {sum(map(len, kept)) // 1_000_000}"


@echo.command()
def say(text: str) -> str:
    """Say it."""
    return text
'''


@pytest.mark.timeout(240)
async def test_a_process_that_has_grown_too_large_is_replaced(namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general, eating = acme.channel("general", members=[ann]), acme.channel("eating", members=[ann])
        toml = settings_for(
            slack,
            {"acme": acme},
            broker="embedded",
            name=namespace,
            skills="",
            more="[pools.default]\nconcurrency = 2\n",
        )
        async with running(RunningBot(tmp_path, toml, EATS)) as bot:
            await slack.connected(timeout=60)
            parent = bot.parts().get("worker default")
            for _ in range(8):
                await ann.say(eating, "@dragoman eat 100")
                asked = await ann.say(general, "@dragoman say on")
                assert (await general.reply_to(asked, timeout=60)).text == "on"
            await slack.until(lambda: len(eating.said) == 8, timeout=60)
            pids = [message.text.split(" has ")[0] for message in eating.said]
            sizes = [int(message.text.split(" has ")[1]) for message in eating.said]
            # One that has 200 MB after a run is not there for another.
            assert max(sizes) <= 200
            assert len(set(pids)) >= 4
            assert bot.parts()["worker default"] == parent


NEW = '''
from dragoman import Skill

skill = Skill("fresh", pool="fresh")


@skill.command()
def fresh() -> str:
    """Say that it is there."""
    return "fresh is here"
'''


@pytest.mark.timeout(240)
@pytest.mark.parametrize("durable_url", ["rabbitmq"], indirect=True)
async def test_a_skill_comes_and_goes_while_the_bot_runs(durable_url: str, namespace: str, tmp_path: Path) -> None:
    """Its worker has settings and a folder of its own; the gateway and the router know nothing of its code."""
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker=durable_url, name=namespace)
        async with running(RunningBot(tmp_path, toml)) as bot:
            await slack.connected(timeout=60)
            asked = await ann.say(general, "@dragoman fresh")
            assert "do not know `fresh`" in (await general.reply_to(asked, timeout=60)).text
            own = tmp_path / "own"
            (own / "skills").mkdir(parents=True)
            (own / "skills" / "fresh.py").write_text(NEW)
            data = tmp_path / ".dragoman"
            (own / "dragoman.toml").write_text(
                toml.replace("[broker]", f'[run]\ndata = "{data}"\n[broker]').replace('"help", "dice"', "")
            )
            with (tmp_path / "fresh.log").open("wb") as log:
                worker = subprocess.Popen(
                    [
                        *(sys.executable, "-m", "dragoman", "--config", str(own / "dragoman.toml")),
                        *("worker", "--pool", "fresh"),
                    ],
                    stdout=log,
                    stderr=log,
                )
            try:
                async with asyncio.timeout(60):
                    text = ""
                    while text != "fresh is here":
                        text = (await general.reply_to(await ann.say(general, "@dragoman fresh"), timeout=40)).text
                row = await asyncio.to_thread(queue, bot.config, "fresh")
                assert row["state"] == "running"
                assert row["consumers"] == 1
                # It goes: first from the router's mind, then its worker.
                await asyncio.to_thread(operate, bot.config, "drain", "fresh")
                async with asyncio.timeout(30):
                    while "out of service" not in text:
                        text = (await general.reply_to(await ann.say(general, "@dragoman fresh"), timeout=40)).text
            finally:
                await asyncio.to_thread(end, worker)
            await asyncio.to_thread(
                wait_until, lambda: queue(bot.config, "fresh")["consumers"] == 0, 20, "its consumer to be gone"
            )
            assert (await asyncio.to_thread(queue, bot.config, "fresh"))["state"] == "draining"
            asked = await ann.say(general, "@dragoman echo still here")
            assert (await general.reply_to(asked, timeout=40)).text == "echo still here"
