"""Fixtures for everybody: real servers, and a broker with a namespace of its own for each test."""

import itertools
import os
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dragoman.exchange.broker import Broker
from dragoman.exchange.embedded import EmbeddedValkey
from support.postgres import PostgreSQL
from support.rabbitmq import RabbitMQ
from support.valkey import private_valkey

#: For the tests of our own pytest plugin.
pytest_plugins = ["pytester"]

NAMESPACES = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "needs(*capabilities): what a broker must be able to do for this test (see Broker.capabilities)",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the tests with whole bots among the files of the others: `worksteal` begins with an equal part of the list
    for each process, and these take long and wait a lot.
    """
    whole = [item for item in items if "end_to_end" in item.path.parts]
    others = [item for item in items if "end_to_end" not in item.path.parts]
    spread: list[pytest.Item] = []
    placed = 0
    for _, group in itertools.groupby(others, lambda item: item.path):
        spread += group
        here = len(whole) * (len(spread) - placed) // len(others)
        spread += whole[placed:here]
        placed = here
    items[:] = [*spread, *whole[placed:]]


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """A running RabbitMQ. Who stops or kills it starts it again."""
    server = RabbitMQ()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedValkey]:
    """A running embedded Valkey. Who stops or kills it starts it again."""
    with private_valkey() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A running PostgreSQL."""
    server = PostgreSQL()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def namespace() -> str:
    """A bot's namespace that no other test uses."""
    return f"t{os.getpid()}-{next(NAMESPACES)}"


@pytest.fixture(params=["memory", "embedded", "rabbitmq"])
def broker(request: pytest.FixtureRequest, namespace: str) -> Iterator[Broker]:
    """Each broker in turn; a test that needs what one cannot do is skipped there."""
    url = f"memory://{namespace}"
    made = Broker(url, namespace)
    if request.param != "memory":
        server = request.getfixturevalue(request.param)
        if server.pid is None:  # a test that broke it has failed before it could start it again
            server.start()
        made = Broker(server.url, namespace, visibility=1.0)
    wanted = {name for mark in request.node.iter_markers("needs") for name in mark.args}
    lacking = wanted - made.capabilities
    if lacking:
        pytest.skip(f"the {request.param} broker has no {', '.join(sorted(lacking))}")
    yield made
    made.forget()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> "EmbeddedValkey | RabbitMQ":
    """The server of the test's `broker`, for tests that break it."""
    found: EmbeddedValkey | RabbitMQ = request.getfixturevalue(request.node.callspec.params["broker"])
    return found


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """As if somebody had installed the SDK and set it up."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()
