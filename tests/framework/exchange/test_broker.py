"""Brokers by their URLs."""

import pytest

from dragoman.errors import SettingsError
from dragoman.exchange.broker import Broker
from dragoman.exchange.topology import Priority, Topology


@pytest.mark.parametrize(
    ("url", "family", "safe"),
    [
        ("memory://", "memory", "memory://"),
        ("redis://:s3cret@host:6380/2", "redis", "redis://:***@host:6380/2"),
        ("valkey://me:s3cret@host/0", "redis", "valkey://me:***@host/0"),
        ("rediss://host/0?password=s3cret", "redis", "rediss://host/0"),
        ("redis+socket:///run/valkey.sock", "redis", "redis+socket:///run/valkey.sock"),
        ("amqp://me:s3cret@host//", "amqp", "amqp://me:***@host//"),
        ("amqps://me:s3cret@host/v", "amqp", "amqps://me:***@host/v"),
    ],
)
def test_a_url_says_which_family_and_never_shows_its_password(url: str, family: str, safe: str) -> None:
    broker = Broker(url)
    assert broker.family == family
    assert broker.safe_url == safe
    assert "s3cret" not in repr(broker)


@pytest.mark.parametrize("url", ["", "localhost", "kafka://host", "http://host"])
def test_an_unknown_url_is_refused_with_what_is_known(url: str) -> None:
    with pytest.raises(SettingsError, match="amqp://"):
        Broker(url)


def test_roles_on_redis_share_no_keys() -> None:
    broker = Broker("redis://host", "bot")
    keys = [
        {
            value
            for name, value in broker.transport_options(role).items()
            if name.startswith("unacked") and "key" in name
        }
        for role in ("gateway", "router", "worker.default")
    ]
    assert len(set.union(*keys)) == 9


def test_priorities_are_reversed_on_redis_only() -> None:
    assert Broker("redis://host").wire_priority(Priority.BUTTON) == 0
    assert Broker("redis://host").wire_priority(Priority.SCHEDULED) == 3
    assert Broker("amqp://host").wire_priority(Priority.BUTTON) == 3


def test_tls_verifies() -> None:
    assert Broker("amqp://host").ssl is None
    assert Broker("amqps://host").connection("x").ssl == {"server_hostname": "host"}
    assert Broker("rediss://host").connection("x").ssl == {"ssl_cert_reqs": "required", "ssl_check_hostname": True}


def test_the_names_are_those_of_the_picture() -> None:
    topology = Topology()
    assert [each.name for each in (topology.events, topology.skills, topology.actions, topology.dead)] == [
        "dragoman.events",
        "dragoman.skills",
        "dragoman.actions",
        "dragoman.dead",
    ]
    assert topology.router_queue().name == "dragoman.router"
    assert topology.skill_queue("dice").name == "dragoman.skill.dice"
    assert topology.deliver_queue("acme").name == "dragoman.deliver.acme"
    assert topology.deliver_queue("acme", 3).name == "dragoman.deliver.acme.3"
    assert topology.dead_queue().name == "dragoman.dead"
    assert topology.event_key("acme", "message", "channel") == "acme.message.channel"
    assert topology.action_key("acme", "send") == "acme.send"
    assert topology.action_key("acme", "send", 3) == "acme:3.send"
    assert topology.skill_queue("dice").max_priority == 3


def test_a_message_in_memory_may_be_settled_after_its_channel_was_closed() -> None:
    """As a handler does that ends while its worker stops."""
    broker = Broker("memory://settled-late", "t")
    queue = broker.topology.router_queue()
    with broker.connection("test") as connection:
        channel = connection.channel()
        bound = queue(channel)
        bound.declare()
        bound.exchange.publish(bound.exchange.Message("{}"), routing_key="a.b.c")
        message = bound.get()
        channel.close()
        message.ack()
    broker.forget()
