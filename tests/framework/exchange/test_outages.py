"""Servers that die, processes that are killed, connections that break: nothing that was confirmed is lost."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.errors import BrokerError
from dragoman.exchange.broker import Broker
from dragoman.exchange.embedded import EmbeddedValkey
from dragoman.exchange.message import Delivery, Outgoing
from dragoman.exchange.publisher import Publisher
from support.exchange import SKILL, Inbox, consuming, program, task
from support.rabbitmq import RabbitMQ
from support.servers import wait_until

#: Writes down each body, then acknowledges it: until it is killed.
CONSUMER = """
import sys, time
from dragoman.exchange import Broker, Consumer
url, namespace, out, settle = sys.argv[1:]
broker = Broker(url, namespace, visibility=1.0)
record = open(out, "ab", buffering=0)
def handle(batch):
    for delivery in batch:
        record.write(delivery.body + b"\\n")
        if settle == "yes":
            time.sleep(0.0005)  # it works, so that it can be killed in the middle
            delivery.ack()
Consumer(broker, "worker.default", [broker.topology.skill_queue("dice")], handle, prefetch=20).run()
"""


@pytest.fixture
def publisher(broker: Broker) -> Iterator[Publisher]:
    made = Publisher(broker, "router")
    yield made
    made.close()


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


@pytest.mark.needs("redelivery", "many_processes")
def test_what_a_killed_consumer_held_comes_back(broker: Broker, publisher: Publisher, tmp_path: Path) -> None:
    assert publisher.publish([task(broker, str(number)) for number in range(5)]) == [None] * 5
    record = tmp_path / "record"
    with program(CONSUMER, broker._given, broker.namespace, str(record), "no"):
        wait_until(lambda: len(lines(record)) == 5)
    inbox = Inbox()
    with consuming(broker, inbox):
        inbox.wait(5)
    assert inbox.bodies == ["0", "1", "2", "3", "4"]
    assert all(delivery.redelivered for delivery in inbox.deliveries)


@pytest.mark.needs("redelivery", "many_processes")
def test_killing_busy_consumers_loses_nothing(broker: Broker, publisher: Publisher, tmp_path: Path) -> None:
    total = 6000
    record = tmp_path / "record"
    assert publisher.publish([task(broker, str(number)) for number in range(total)], timeout=60) == [None] * total
    seen = 0
    for _ in range(6):
        with program(CONSUMER, broker._given, broker.namespace, str(record), "yes"):
            wait_until(lambda: len(lines(record)) >= min(seen + 150, total), 30.0)  # noqa: B023  # used at once
        seen = len(lines(record))
    inbox = Inbox()
    with consuming(broker, inbox):
        wait_until(lambda: {*lines(record), *inbox.bodies} == {str(number) for number in range(total)}, 30.0)


@pytest.mark.needs("survives_restart")
def test_what_was_confirmed_survives_a_kill_of_the_broker_and_everybody_comes_back(
    broker: Broker, publisher: Publisher, server: EmbeddedValkey | RabbitMQ
) -> None:
    ups: list[str] = []
    inbox = Inbox(settle=None)
    with consuming(broker, inbox, on_up=lambda: ups.append("up"), on_down=lambda error: ups.append("down")) as consumer:
        assert publisher.publish([task(broker, str(number)) for number in range(100)]) == [None] * 100
        inbox.wait(100)
        server.kill()
        try:
            wait_until(lambda: not consumer.connected)
            for delivery in inbox.deliveries:
                delivery.ack()  # to a broker that is gone: must do nothing, now and later
            started = time.monotonic()
            (outcome,) = publisher.publish([task(broker, "while away")], timeout=0.5)
            assert time.monotonic() - started < 2
            assert isinstance(outcome, BrokerError)
        finally:
            server.start()
        assert consumer.wait_up(15)
        inbox.wait(200)
        assert sorted(inbox.bodies[100:], key=int) == [str(number) for number in range(100)]
        for delivery in inbox.deliveries[100:]:
            delivery.ack()
        assert publisher.publish([task(broker, "100")]) == [None]
        inbox.wait(201)
        inbox.deliveries[200].ack()
    assert ups[:3] == ["up", "down", "up"] or (ups[0], ups[-1]) == ("up", "up")


@pytest.mark.needs("survives_restart")
def test_a_restart_between_two_publishes_is_not_noticed(
    broker: Broker, publisher: Publisher, server: EmbeddedValkey | RabbitMQ
) -> None:
    assert publisher.publish([task(broker, "before")]) == [None]
    server.kill()
    server.start()
    assert publisher.publish([task(broker, "after")]) == [None]
    inbox = Inbox()
    with consuming(broker, inbox):
        inbox.wait(2)
    assert inbox.bodies == ["before", "after"]


def test_a_consumer_waits_for_a_broker_that_is_not_there_yet_and_stops_promptly(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "data")
    broker = Broker(server.url, "early")
    from dragoman.exchange.consumer import Consumer

    inbox = Inbox()
    consumer = Consumer(broker, "worker.default", [broker.topology.skill_queue(SKILL)], inbox)
    consumer.start()
    assert not consumer.wait_up(0.3)
    with server:
        assert consumer.wait_up(10)
        publisher = Publisher(broker, "router")
        assert publisher.publish([task(broker, "1")]) == [None]
        publisher.close()
        inbox.wait(1)
    wait_until(lambda: not consumer.connected)
    started = time.monotonic()
    consumer.stop()
    assert time.monotonic() - started < 2


def test_a_living_consumer_keeps_what_it_holds_for_as_long_as_it_likes(
    embedded: EmbeddedValkey, namespace: str
) -> None:
    broker = Broker(embedded.url, namespace, visibility=0.2)
    publisher = Publisher(broker, "router")
    publisher.publish([task(broker, "long")])
    holder, other = Inbox(settle=None), Inbox()
    with consuming(broker, holder), consuming(broker, other):
        wait_until(lambda: holder.deliveries or other.deliveries)
        if other.deliveries:
            return  # it got the message and has acknowledged it: nothing to see this time
        end = time.monotonic() + 1.0
        while time.monotonic() < end:  # five times the visibility
            assert publisher.publish([task(broker, "tick")]) == [None]
        assert "long" not in other.bodies
    publisher.close()


def test_a_role_with_a_short_visibility_does_not_steal_from_another(embedded: EmbeddedValkey, namespace: str) -> None:
    patient = Broker(embedded.url, namespace, visibility=3600)
    hasty = Broker(embedded.url, namespace, visibility=0.05)
    publisher = Publisher(patient, "router")
    topology = patient.topology
    deliver = topology.deliver_queue("acme")
    action = Outgoing(topology.actions, topology.action_key("acme", "send"), b"{}", queues=(deliver,))
    assert publisher.publish([action, task(patient, "1")]) == [None, None]
    held, quick = Inbox(settle=None), Inbox()
    with consuming(patient, held, deliver, role="gateway") as consumer:
        held.wait(1)
        consumer._taker.tick = lambda: None  # type: ignore[union-attr,method-assign]  # it renews no more
        with consuming(hasty, quick, topology.skill_queue(SKILL), deliver, role="worker.default"):
            quick.wait(1)
            end = time.monotonic() + 0.4
            while time.monotonic() < end:
                publisher.publish([task(patient, "tick")])
        assert b"{}" not in {delivery.body for delivery in quick.deliveries}
    publisher.close()


def test_garbage_in_a_list_of_redis_is_parked_with_the_reason(embedded: EmbeddedValkey, namespace: str) -> None:
    import redis

    broker = Broker(embedded.url, namespace)
    publisher = Publisher(broker, "router")
    assert publisher.publish([task(broker, "before")]) == [None]
    queue = broker.topology.skill_queue(SKILL).name
    rubbish = [
        b"",
        b"R",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"body": 1}',
        b"[" * 100_000,
        b'{"body": "%%%", "properties": {"body_encoding": "base64", "delivery_info": {}}}',
        b'{"body": 5, "properties": {"delivery_info": {"exchange": "", "routing_key": ""}}}',
        b'{"body": "x", "headers": [1], "properties": {"delivery_info": {"exchange": 1, "routing_key": 2}}}',
    ]
    with redis.Redis(unix_socket_path=str(embedded.socket)) as client:
        client.lpush(queue, *rubbish)
    assert publisher.publish([task(broker, "after")]) == [None]
    publisher.close()
    good, dead = Inbox(), Inbox()
    with consuming(broker, good):
        wait_until(lambda: {"before", "after"} <= set(good.bodies))
    with consuming(broker, dead, broker.topology.dead_queue()):
        dead.wait(len(rubbish))
    assert good.bodies == ["before", "after"]
    assert all(b"no kombu message" in delivery.body for delivery in dead.deliveries)


def test_a_queue_with_other_arguments_fails_its_own_messages_only(rabbitmq: RabbitMQ, namespace: str) -> None:
    from kombu import Queue

    broker = Broker(rabbitmq.url, namespace)
    topology = broker.topology
    with broker.connection("test") as connection:
        Queue(topology.skill_queue("odd").name, topology.skills, "odd", max_priority=9)(
            connection.default_channel
        ).declare()
    publisher = Publisher(broker, "router")
    outcomes = publisher.publish([task(broker, "1"), task(broker, "2", skill="odd"), task(broker, "3")])
    publisher.close()
    assert outcomes[0] is None
    assert outcomes[2] is None
    assert isinstance(outcomes[1], BrokerError)
    assert "skill.odd" in str(outcomes[1])
    assert "delete it" in str(outcomes[1])


def test_an_alarm_of_rabbitmq_is_an_error_and_not_a_hang(rabbitmq: RabbitMQ, namespace: str) -> None:
    broker = Broker(rabbitmq.url, namespace)
    publisher = Publisher(broker, "router")
    assert publisher.publish([task(broker, "1")]) == [None]
    rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1")
    try:
        wait_until(lambda: publisher.publish([task(broker, "2")], timeout=0.5) != [None], 20.0)
        started = time.monotonic()
        many = publisher.publish([task(broker, b"x" * 1_000_000) for _ in range(30)], timeout=1.0)
        assert time.monotonic() - started < 4
        assert {type(outcome) for outcome in many} == {BrokerError}
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    wait_until(lambda: publisher.publish([task(broker, "3")], timeout=1.0) == [None], 20.0)
    publisher.close()


def test_a_queue_that_is_deleted_under_its_consumer_is_declared_again(rabbitmq: RabbitMQ, namespace: str) -> None:
    broker = Broker(rabbitmq.url, namespace)
    publisher = Publisher(broker, "router")
    downs: list[Exception] = []
    inbox = Inbox()
    with consuming(broker, inbox, on_down=downs.append) as consumer:
        with broker.connection("test") as connection:
            broker.topology.skill_queue(SKILL)(connection.default_channel).delete()
        wait_until(lambda: downs)
        assert consumer.wait_up(10)
        assert publisher.publish([task(broker, "1")]) == [None]
        inbox.wait(1)
    publisher.close()


def test_parking_waits_for_the_dead_letters_to_be_safe(
    broker: Broker, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [[BrokerError("the dead letters are away")]] * 2
    original = Publisher.publish

    def publish(self: Publisher, batch: list[Outgoing], **options: float) -> list[Exception | None]:
        if refusals and batch[0].exchange.name.endswith(".dead"):
            return list(refusals.pop())
        return original(self, batch, **options)

    monkeypatch.setattr(Publisher, "publish", publish)
    assert publisher.publish([task(broker, "bad")]) == [None]
    inbox = Inbox(settle=lambda delivery: delivery.park("bad"))
    dead = Inbox()
    with consuming(broker, inbox), consuming(broker, dead, broker.topology.dead_queue(), role="test"):
        dead.wait(1)
    assert len(inbox.deliveries) == 3


def test_a_handler_that_settles_and_then_fails_is_not_punished(broker: Broker, publisher: Publisher) -> None:
    inbox = Inbox()

    def handle(batch: list[Delivery]) -> None:
        inbox(batch)
        raise RuntimeError("after all was done")

    publisher.publish([task(broker, str(number)) for number in range(3)])
    with consuming(broker, handle) as consumer:
        inbox.wait(3)
        publisher.publish([task(broker, "next")])
        inbox.wait(4)
        assert consumer.connected
    assert inbox.bodies == ["0", "1", "2", "next"]
