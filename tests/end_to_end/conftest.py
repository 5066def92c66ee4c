"""The broker that a whole bot runs on: each of the three in turn."""

from collections.abc import Iterator

import pytest


@pytest.fixture(params=["memory", "embedded", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest, namespace: str) -> Iterator[str]:
    """What ``[broker] url`` is."""
    if request.param == "memory":
        yield f"memory://{namespace}"
    elif request.param == "embedded":
        yield "embedded"
    else:
        server = request.getfixturevalue("rabbitmq")
        if server.pid is None:
            server.start()
        yield server.url


@pytest.fixture(params=["embedded", "rabbitmq"])
def durable_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """What ``[broker] url`` is, of those that survive."""
    if request.param == "embedded":
        yield "embedded"
    else:
        server = request.getfixturevalue("rabbitmq")
        if server.pid is None:
            server.start()
        yield server.url
