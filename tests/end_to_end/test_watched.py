"""The parts of a running bot tell how they are, each at a port of its own, also while its broker is away."""

import asyncio
import contextlib
import http.client
import json
import logging
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from dragoman.exchange.broker import Broker
from dragoman.exchange.embedded import EmbeddedValkey
from dragoman.metrics import Metrics
from dragoman.router import Router
from dragoman.sections import WatchSettings
from dragoman.store.engine import open_store
from dragoman.watching import router_health, watched
from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.servers import free_port, wait_until
from support.valkey import private_valkey

from .test_way_round import running

PARTS = ("gateway", "router", "web", "worker")


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    # As long as nobody listens there, TCP may even connect us to ourselves.
    except (OSError, http.client.HTTPException):
        return 0, ""


async def until(condition: Any) -> None:
    await asyncio.to_thread(wait_until, condition, 40.0)


async def test_every_part_of_a_bot_tells_how_it_is(tmp_path: Path, namespace: str) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        first = free_port()
        more = f'[run]\nlog = "json"\n[watch]\nport = {first}\n'
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace, more=more)
        async with running(RunningBot(tmp_path, toml)) as bot:
            await slack.connected(timeout=40)
            said = await ann.say(general, "@dragoman echo hello")
            await general.reply_to(said, timeout=40)
            gateway, router, _, worker = range(first, first + 4)  # and there is no web server
            for port in (gateway, router, worker):
                await until(lambda port=port: ask(port, "/ready")[0] == 200)
                assert ask(port, "/live")[0] == 200
            assert json.loads(ask(gateway, "/ready")[1])["checks"]["account acme"] == "ok"
            assert 'outcome="received"' in ask(gateway, "/metrics")[1]
            assert 'outcome="sent"' in ask(gateway, "/metrics")[1]
            assert (
                'dragoman_routed_events_total{account="acme",kind="message",outcome="routed"}'
                in (ask(router, "/metrics")[1])
            )
            assert 'dragoman_runs_total{outcome="done",skill="echo"} 1.0' in ask(worker, "/metrics")[1]
            assert 'dragoman_queue_wait_seconds_count{skill="echo"} 1.0' in ask(worker, "/metrics")[1]
            told = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-m", "dragoman", "--config", str(bot.config), "why", said.ts],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
            assert "send by echo.echo: 'echo hello'" in told.stdout
        for line in bot.logged().splitlines():
            if not line.startswith("{"):  # the broker's own
                continue
            assert json.loads(line).keys() >= {"time", "level", "process", "logger", "message"}
        logged = [json.loads(line) for line in bot.logged().splitlines() if line.startswith("{")]
        assert {line["process"].partition("/")[0] for line in logged} >= {"run", "gateway", "router"}


async def test_a_router_is_ready_again_when_its_broker_is_back(tmp_path: Path, namespace: str, caplog: Any) -> None:
    caplog.set_level(logging.CRITICAL)
    engine, metrics, port = open_store(f"sqlite:///{tmp_path / 'store.db'}"), Metrics(), free_port()
    with private_valkey() as server, contextlib.ExitStack() as stack:
        assert isinstance(server, EmbeddedValkey)
        broker = Broker(server.url, namespace)
        router = Router(engine, broker, broker.topology, prefixes=("!",), retention=30, handles=400, metrics=metrics)
        router.start()
        stack.callback(engine.dispose)
        stack.callback(router.stop)
        health = router_health(router, engine, metrics)
        stack.enter_context(watched(health, metrics, WatchSettings(port=port)))
        await until(lambda: ask(port, "/ready")[0] == 200)
        assert "dragoman_broker_connected 1.0" in ask(port, "/metrics")[1]
        server.stop()
        await until(lambda: ask(port, "/ready")[0] == 503)
        checks = json.loads(ask(port, "/ready")[1])["checks"]
        assert checks["broker"].startswith("not connected")
        assert checks["store"] == "ok"
        assert ask(port, "/live")[0] == 200
        assert "dragoman_broker_connected 0.0" in ask(port, "/metrics")[1]
        server.start()
        await until(lambda: ask(port, "/ready")[0] == 200)
