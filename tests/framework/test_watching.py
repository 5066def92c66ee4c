"""A whole bot in one process is watched: what it counts, how it is, and the one trace of a message."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dragoman import Context, PluginSettings, Receive, Skill
from dragoman.metrics import Metrics
from dragoman.roles import BotContext
from dragoman.settings import Settings
from dragoman.stack import Stack
from dragoman.trace import current_trace
from framework.gateway_rig import Recorder
from framework.test_health import fetch
from house.pages import cells, read_blocks
from house.written import PAGES
from support.samples import message
from support.servers import free_port, listens, wait_until

skill = Skill("echo", retries=0)


@skill.command()
def echo(words: str) -> str:
    """Say it again, and which trace this is."""
    return f"{words} in {current_trace()}"


@skill.command()
def fail(ctx: Context) -> str:
    """Raise an error."""
    raise RuntimeError("no")


class Breakable(Recorder):
    """Its connection breaks when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks = asyncio.Event()

    async def run(self, receive: Receive, ready: Callable[[], None]) -> None:
        self.receive = receive
        ready()
        await self.breaks.wait()
        raise ConnectionError("the connection broke")


class Watched:
    """The bot, what it counts, and what it has said."""

    def __init__(self, root: Path, namespace: str) -> None:
        self.port = free_port()
        self.bot = BotContext.of(
            Settings.model_validate(
                {
                    "bot": {"name": namespace},
                    "broker": {"url": f"memory://{namespace}"},
                    "watch": {"port": self.port},
                    "root": root,
                }
            )
        )
        self.adapter = Breakable()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Watched"]:
        async with Stack(self.bot, {"echo": skill}, {"acme": self.adapter}):
            await self.until(lambda: self.adapter.receive is not None and listens(self.port))
            yield self

    async def say(self, words: str, key: str) -> None:
        assert self.adapter.receive is not None
        await self.adapter.receive(message(words, key=key))

    async def until(self, condition: Any) -> None:
        await asyncio.to_thread(wait_until, condition)

    def value(self, name: str, **labels: str) -> float:
        return self.bot.metrics.value(name, **labels)

    async def fetch(self, path: str) -> tuple[int, Any]:
        status, body = await asyncio.to_thread(fetch, self.port, path)
        return status, body.decode() if path == "/metrics" else json.loads(body)


@pytest.fixture
def watched(tmp_path: Path, namespace: str) -> Iterator[Watched]:
    made = Watched(tmp_path, namespace)
    yield made
    made.bot.broker.forget()


async def test_each_step_of_a_message_is_counted(watched: Watched) -> None:
    async with watched.running():
        await watched.say("echo hello", "m1")
        await watched.say("echo hello", "m1")
        await watched.say("nothing of yours", "m2")
        await watched.say("fail", "m3")
        await watched.until(lambda: len(watched.adapter.performed) == 3)
        for name, labels, wanted in (
            ("dragoman_events_total", {"account": "acme", "kind": "message", "outcome": "received"}, 3),
            ("dragoman_events_total", {"account": "acme", "kind": "message", "outcome": "duplicate"}, 1),
            ("dragoman_routed_events_total", {"account": "acme", "kind": "message", "outcome": "routed"}, 2),
            ("dragoman_routed_events_total", {"account": "acme", "kind": "message", "outcome": "answered"}, 1),
            ("dragoman_runs_total", {"skill": "echo", "outcome": "done"}, 1),
            ("dragoman_runs_total", {"skill": "echo", "outcome": "failed"}, 1),
            ("dragoman_runs_total", {"skill": "echo", "outcome": "parked"}, 1),
            ("dragoman_dead_letters_total", {"kind": "run"}, 1),
            ("dragoman_run_seconds_count", {"skill": "echo"}, 2),
            ("dragoman_queue_wait_seconds_count", {"skill": "echo"}, 2),
            ("dragoman_actions_total", {"account": "acme", "kind": "send", "outcome": "sent"}, 3),
            ("dragoman_answer_seconds_count", {"account": "acme"}, 3),
        ):
            await watched.until(lambda name=name, labels=labels, wanted=wanted: watched.value(name, **labels) == wanted)
        assert watched.value("dragoman_ledger_commit_seconds_count") > 0
        status, text = await watched.fetch("/metrics")
    assert status == 200
    assert 'dragoman_runs_total{outcome="done",skill="echo"} 1.0' in text


async def test_it_is_ready_when_broker_store_and_accounts_are_there(watched: Watched) -> None:
    async with watched.running():
        await watched.until(lambda: fetch(watched.port, "/ready")[0] == 200)
        _, ready = await watched.fetch("/ready")
        assert ready == {"role": "bot", "ok": True, "checks": {"broker": "ok", "store": "ok", "account acme": "ok"}}
        assert (await watched.fetch("/live"))[0] == 200


async def test_an_account_that_is_not_connected_is_named(watched: Watched) -> None:
    async with watched.running():
        await watched.until(lambda: fetch(watched.port, "/ready")[0] == 200)
        watched.adapter.breaks.set()
        await watched.until(lambda: fetch(watched.port, "/ready")[0] == 503)
        _, ready = await watched.fetch("/ready")
    assert ready["checks"]["account acme"].startswith("not connected")


async def test_a_message_is_one_trace_from_the_platform_to_the_answer(
    watched: Watched, spans: InMemorySpanExporter
) -> None:
    async with watched.running():
        await watched.say("echo hello", "m1")
        await watched.until(lambda: len(spans.get_finished_spans()) == 4)
    found = {span.name: span for span in spans.get_finished_spans()}
    assert found.keys() == {"receive", "route", "run", "deliver"}
    contexts = {name: span.get_span_context() for name, span in found.items()}
    (trace_id,) = {context.trace_id for context in contexts.values() if context is not None}
    assert found["receive"].parent is None
    for name, before in (("route", "receive"), ("run", "route"), ("deliver", "run")):
        parent, context = found[name].parent, contexts[before]
        assert parent is not None
        assert context is not None
        assert parent.span_id == context.span_id, f"{name} is below {before}"
    assert watched.adapter.texts == [f"hello in {trace_id:032x}"]
    assert dict(found["run"].attributes or {})["dragoman.skill"] == "echo"


async def test_a_failed_attempt_is_a_failed_span_without_what_was_said(
    watched: Watched, spans: InMemorySpanExporter
) -> None:
    async with watched.running():
        await watched.say("fail", "m1")
        await watched.until(lambda: [s for s in spans.get_finished_spans() if s.name == "run"])
    (run,) = [span for span in spans.get_finished_spans() if span.name == "run"]
    assert run.status.description == "RuntimeError"


async def test_without_the_sdk_a_message_has_a_trace_id_all_the_same(watched: Watched) -> None:
    async with watched.running():
        await watched.say("echo hello", "m1")
        await watched.until(lambda: watched.adapter.texts)
    assert len(watched.adapter.texts[0].rpartition(" ")[2]) == 32


def test_the_plugin_on_the_page_sets_up_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = (block.body for block in read_blocks(PAGES["watch.md"]) if block.language == "python")
    names: dict[str, Any] = {"__name__": "dragoman_traces"}
    exec(source, names)
    providers: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", providers.append)
    names["Traces"](PluginSettings())
    (provider,) = providers
    provider.shutdown()


def test_every_metric_is_on_its_page() -> None:
    listed = {row[0].strip("`").removesuffix("_total") for row in cells(PAGES["watch.md"]) if "`dragoman_" in row[0]}
    assert listed == {family.name for family in Metrics().registry.collect()}
