"""The broker that a whole bot runs on: each in turn."""

import pytest


def url_of(request: pytest.FixtureRequest, namespace: str) -> str:
    """What ``[broker] url`` is, for the fixture's parameter."""
    if request.param == "rabbitmq":
        server = request.getfixturevalue("rabbitmq")
        if server.pid is None:  # a test that broke it has failed before it could start it again
            server.start()
        return str(server.url)
    return "embedded" if request.param == "embedded" else f"memory://{namespace}"


@pytest.fixture(params=["memory", "embedded", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest, namespace: str) -> str:
    """All three."""
    return url_of(request, namespace)


@pytest.fixture(params=["embedded", "rabbitmq"])
def durable_url(request: pytest.FixtureRequest, namespace: str) -> str:
    """Those that survive."""
    return url_of(request, namespace)
