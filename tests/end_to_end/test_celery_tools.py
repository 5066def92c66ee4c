"""The stock tools of Celery work on a bot: worker, inspect, control, and Flower."""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.servers import end, free_port, wait_until

from .test_way_round import running


def celery(bot: RunningBot, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "celery", "-A", "dragoman.celery", *words],
        env={**os.environ, "DRAGOMAN_CONFIG": str(bot.config)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def fetch(url: str) -> dict[str, Any]:
    """What Flower says; nothing as long as it does not listen (where TCP may even connect us to ourselves)."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
    except (OSError, http.client.HTTPException):
        return {}


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        end(process)


async def test_inspect_control_and_flower(
    namespace: str, tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace)
        async with running(RunningBot(tmp_path, toml)) as bot:
            await slack.connected(timeout=40)
            await general.reply_to(await ann.say(general, "@dragoman help"), timeout=40)

            queues = await asyncio.to_thread(celery, bot, "inspect", "active_queues", "--json")
            (answer,) = json.loads(queues.stdout).values()
            assert f"{namespace}.skill.help" in {queue["name"] for queue in answer}
            pong = await asyncio.to_thread(celery, bot, "inspect", "ping")
            assert "pong" in pong.stdout
            limited = await asyncio.to_thread(celery, bot, "control", "time_limit", "dragoman.skill.echo", "30", "20")
            assert "time limits set successfully" in limited.stdout

            port = free_port()
            started.append(
                subprocess.Popen(
                    [
                        *(sys.executable, "-m", "celery", "-A", "dragoman.celery", "flower"),
                        *(f"--port={port}", "--address=127.0.0.1"),
                    ],
                    env={**os.environ, "DRAGOMAN_CONFIG": str(bot.config), "FLOWER_UNAUTHENTICATED_API": "true"},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )

            def tasks_seen() -> bool:
                found = fetch(f"http://127.0.0.1:{port}/api/tasks")
                done = [t for t in found.values() if t["name"] == "dragoman.skill.echo" and t["state"] == "SUCCESS"]
                # What was said is nobody's business there.
                assert not [t for t in done if "watched" in json.dumps(t)]
                return bool(done)

            def workers_seen() -> set[str]:
                return set(fetch(f"http://127.0.0.1:{port}/api/workers?refresh=1"))

            async def talk_until_seen() -> None:
                while not await asyncio.to_thread(tasks_seen):
                    await general.reply_to(await ann.say(general, "@dragoman echo watched"), timeout=30)

            await asyncio.to_thread(
                wait_until, lambda: any(name.startswith(f"{namespace}.") for name in workers_seen()), 60, "Flower"
            )
            await asyncio.wait_for(talk_until_seen(), 60)


async def test_a_stock_celery_worker_serves_the_skills(
    rabbitmq: object, namespace: str, tmp_path: Path, started: list["subprocess.Popen[bytes]"]
) -> None:
    url = rabbitmq.url  # type: ignore[attr-defined]  # a server of tests/support
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        bot = RunningBot(tmp_path, settings_for(slack, {"acme": acme}, broker=url, name=namespace))
        environment = {**os.environ, "DRAGOMAN_CONFIG": str(bot.config)}
        log = (tmp_path / "parts.log").open("wb")
        with log:
            started += [
                subprocess.Popen([sys.executable, "-m", *words], env=environment, stdout=log, stderr=log)
                for words in (
                    ["celery", "-A", "dragoman.celery", "worker", "--concurrency", "2", "-l", "warning"],
                    ["dragoman", "router"],
                    ["dragoman", "gateway"],
                )
            ]
            await slack.connected(timeout=40)
            # The router follows the catalogue that the worker publishes when it starts.
            async with asyncio.timeout(60):
                text = ""
                while text != "echo stock":
                    said = await ann.say(general, "@dragoman echo stock")
                    text = (await general.reply_to(said, timeout=30)).text
