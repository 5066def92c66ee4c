"""What every broker must do alike. A test that needs more than all can do says so with ``needs``."""

import json
import threading
from collections.abc import Iterator

import pytest

from dragoman.errors import BrokerError, UnroutableError
from dragoman.exchange.broker import Broker
from dragoman.exchange.message import Delivery, Outgoing
from dragoman.exchange.publisher import Publisher
from dragoman.exchange.topology import Priority, Topology
from support.exchange import SKILL, Inbox, consuming, task
from support.servers import wait_until


@pytest.fixture
def publisher(broker: Broker) -> Iterator[Publisher]:
    made = Publisher(broker, "router")
    yield made
    made.close()


def sent(publisher: Publisher, *messages: Outgoing) -> None:
    assert publisher.publish(messages) == [None] * len(messages)


def test_what_is_published_before_any_consumer_has_ever_been_is_there(broker: Broker, publisher: Publisher) -> None:
    sent(publisher, task(broker, '{"n": 1}'))
    publisher.close()
    inbox = Inbox()
    with consuming(broker, inbox):
        (delivery,) = inbox.wait(1)
    assert delivery.body == b'{"n": 1}'
    assert delivery.queue == f"{broker.namespace}.skill.{SKILL}"
    assert delivery.routing_key == SKILL
    assert not delivery.redelivered


def test_properties_and_headers_arrive(broker: Broker, publisher: Publisher) -> None:
    topology = broker.topology
    message = Outgoing(
        topology.skills,
        SKILL,
        '{"é": "ü 👋"}'.encode(),
        queues=(topology.skill_queue(SKILL),),
        headers={"task": "dragoman.skill.dice", "retries": 0, "nested": {"a": [1, None]}},
        properties={"correlation_id": "c-1", "reply_to": "r-1"},
    )
    sent(publisher, message)
    inbox = Inbox()
    with consuming(broker, inbox):
        (delivery,) = inbox.wait(1)
    assert delivery.body.decode() == '{"é": "ü 👋"}'
    assert dict(delivery.headers) == message.headers
    assert delivery.properties["correlation_id"] == "c-1"
    assert delivery.properties["reply_to"] == "r-1"
    assert delivery.properties["content_type"] == "application/json"
    assert delivery.properties["content_encoding"] == "utf-8"


def test_messages_of_one_queue_come_in_order(broker: Broker, publisher: Publisher) -> None:
    expected = [str(number) for number in range(300)]
    sent(publisher, *(task(broker, each) for each in expected))
    inbox = Inbox()
    with consuming(broker, inbox, prefetch=50):
        inbox.wait(300)
    assert inbox.bodies == expected
    assert max(inbox.batches) <= 50


@pytest.mark.needs("priority")
def test_what_a_person_waits_for_comes_first(broker: Broker, publisher: Publisher) -> None:
    urgency = [Priority.SCHEDULED, Priority.OVERHEARD, Priority.BUTTON, Priority.COMMAND, Priority.BUTTON]
    sent(publisher, *(task(broker, f"{each.name} {n}", priority=each) for n, each in enumerate(urgency)))
    inbox = Inbox()
    with consuming(broker, inbox, prefetch=1):
        inbox.wait(5)
    assert inbox.bodies == ["BUTTON 2", "BUTTON 4", "COMMAND 3", "OVERHEARD 1", "SCHEDULED 0"]


@pytest.mark.needs("unroutable")
def test_each_message_of_a_batch_has_its_own_outcome(broker: Broker, publisher: Publisher) -> None:
    topology = broker.topology
    nowhere = Outgoing(topology.skills, "nowhere", b"{}")
    outcomes = publisher.publish([task(broker, "1"), nowhere, task(broker, "2"), nowhere, task(broker, "3")])
    assert [type(outcome) for outcome in outcomes] == [
        type(None), UnroutableError, type(None), UnroutableError, type(None),
    ]  # fmt: skip
    inbox = Inbox()
    with consuming(broker, inbox):
        inbox.wait(3)
    assert inbox.bodies == ["1", "2", "3"]


@pytest.mark.needs("unroutable")
def test_a_queue_that_somebody_declares_later_becomes_routable(broker: Broker, publisher: Publisher) -> None:
    topology = broker.topology
    late = Outgoing(topology.skills, "late", b"{}")
    sent(publisher, task(broker, "1"))  # whoever remembers routes remembers these
    assert isinstance(publisher.publish([late])[0], UnroutableError)
    with consuming(broker, inbox := Inbox(), topology.skill_queue("late")):
        sent(publisher, late)
        inbox.wait(1)


@pytest.mark.needs("unroutable")
def test_a_queue_that_was_deleted_is_declared_again(broker: Broker, publisher: Publisher) -> None:
    sent(publisher, task(broker, "1"))
    with broker.connection("router") as connection:
        queue = broker.topology.skill_queue(SKILL)(connection.default_channel)
        queue.declare()  # kombu's virtual channels only delete what they have declared
        queue.delete()
    if broker.family == "redis":
        # Routes may be remembered for a while: until then the message lies in the list, and is not lost.
        wait_until(lambda: publisher.publish([Outgoing(broker.topology.skills, SKILL, b"{}")])[0], 5.0)
    sent(publisher, task(broker, "2"))
    inbox = Inbox()
    with consuming(broker, inbox):
        wait_until(lambda: "2" in inbox.bodies)


def test_the_topic_exchanges_route_by_account(broker: Broker, publisher: Publisher) -> None:
    topology = broker.topology
    router, acme, other = (
        topology.router_queue(),
        topology.deliver_queue("acme"),
        topology.deliver_queue("other"),
    )
    event_key = topology.event_key("acme", "message", "channel")
    sent(
        publisher,
        Outgoing(topology.events, event_key, b"event", queues=(router,)),
        Outgoing(topology.actions, topology.action_key("acme", "send"), b"for acme", queues=(acme,)),
        Outgoing(topology.actions, topology.action_key("other", "send"), b"for other", queues=(other,)),
    )
    inbox = Inbox()
    with consuming(broker, inbox, router, acme, other):
        inbox.wait(3)
    assert {delivery.body: delivery.queue for delivery in inbox.deliveries} == {
        b"event": router.name,
        b"for acme": acme.name,
        b"for other": other.name,
    }


def test_two_namespaces_do_not_mix(broker: Broker, publisher: Publisher) -> None:
    neighbour = Broker(broker._given, f"{broker.namespace}-b")
    elsewhere = Publisher(neighbour, "router")
    sent(elsewhere, task(neighbour, "theirs"))
    sent(publisher, task(broker, "ours"))
    elsewhere.close()
    ours, theirs = Inbox(), Inbox()
    with consuming(broker, ours), consuming(neighbour, theirs):
        ours.wait(1)
        theirs.wait(1)
    assert ours.bodies == ["ours"]
    assert theirs.bodies == ["theirs"]


def test_what_is_acknowledged_does_not_come_back(broker: Broker, publisher: Publisher) -> None:
    sent(publisher, *(task(broker, str(number)) for number in range(20)))
    first, second = Inbox(), Inbox()
    with consuming(broker, first) as consumer:
        first.wait(20)
        consumer.stop()
    sent(publisher, task(broker, "last"))
    with consuming(broker, second):
        second.wait(1)
    assert second.bodies == ["last"]


def test_acknowledging_some_out_of_order_keeps_the_others(broker: Broker, publisher: Publisher) -> None:
    sent(publisher, *(task(broker, str(number)) for number in range(10)))
    first, second = Inbox(settle=None), Inbox()
    with consuming(broker, first) as consumer:
        first.wait(10)
        for place in (7, 1, 0, 4):
            first.deliveries[place].ack()
        consumer.stop(grace=0)
    with consuming(broker, second):
        second.wait(6)
    assert second.bodies == ["2", "3", "5", "6", "8", "9"]
    assert all(delivery.redelivered for delivery in second.deliveries)


def test_what_is_requeued_comes_again_and_says_so(broker: Broker, publisher: Publisher) -> None:
    def first_time_requeue(delivery: Delivery) -> None:
        delivery.ack() if delivery.redelivered else delivery.requeue()

    sent(publisher, task(broker, "again"))
    inbox = Inbox(settle=first_time_requeue)
    with consuming(broker, inbox):
        inbox.wait(2)
    assert [delivery.redelivered for delivery in inbox.deliveries] == [False, True]


def test_any_thread_may_settle_and_it_happens_at_once(broker: Broker, publisher: Publisher) -> None:
    sent(publisher, *(task(broker, str(number)) for number in range(40)))
    inbox = Inbox(settle=None)
    with consuming(broker, inbox, prefetch=10):
        for number in range(40):  # more than the prefetch: each lot comes only when the one before is settled
            inbox.wait(number + 1, timeout=2)
            threads = (
                threading.Thread(target=inbox.deliveries[number].ack),
                threading.Thread(target=inbox.deliveries[number].ack),
            )
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert inbox.bodies == [str(number) for number in range(40)]


def test_stop_hands_back_what_is_not_settled(broker: Broker, publisher: Publisher) -> None:
    sent(publisher, *(task(broker, str(number)) for number in range(30)))
    first, second = Inbox(settle=None), Inbox()
    with consuming(broker, first, prefetch=10) as consumer:
        first.wait(10)
        consumer.stop(grace=0)
    assert not consumer.connected
    first.deliveries[0].ack()  # too late: nothing happens
    with consuming(broker, second):
        second.wait(30)
    assert second.bodies == [str(number) for number in range(30)]


def test_stop_waits_for_what_is_about_to_be_settled(broker: Broker, publisher: Publisher) -> None:
    sent(publisher, task(broker, "slow"))
    inbox, second = Inbox(settle=None), Inbox()
    with consuming(broker, inbox) as consumer:
        (delivery,) = inbox.wait(1)
        stopping = threading.Thread(target=consumer.stop, kwargs={"grace": 10.0})
        stopping.start()
        wait_until(lambda: consumer._stopping.is_set())
        delivery.ack()
        stopping.join(5)
        assert not stopping.is_alive()
    sent(publisher, task(broker, "next"))
    with consuming(broker, second):
        second.wait(1)
    assert second.bodies == ["next"]


def test_a_megabyte_passes(broker: Broker, publisher: Publisher) -> None:
    body = json.dumps({"text": "é" * (1024 * 1024 // 6)}).encode()
    sent(publisher, *(task(broker, body) for _ in range(8)))
    inbox = Inbox()
    with consuming(broker, inbox):
        inbox.wait(8)
    assert {delivery.body for delivery in inbox.deliveries} == {body}


def dead_letters(broker: Broker, count: int) -> list[dict[str, object]]:
    inbox = Inbox()
    with consuming(broker, inbox, broker.topology.dead_queue(), role="test"):
        inbox.wait(count)
    assert len(inbox.deliveries) == count
    return [json.loads(delivery.body) for delivery in inbox.deliveries]


def test_what_is_parked_keeps_everything_and_is_gone_from_its_queue(broker: Broker, publisher: Publisher) -> None:
    garbage = Outgoing(
        broker.topology.skills, SKILL, b"\xff\x00not utf-8", queues=(broker.topology.skill_queue(SKILL),),
        headers={"task": "?"},
    )  # fmt: skip
    sent(publisher, garbage, task(broker, '{"v": 99}'))
    inbox = Inbox(settle=lambda delivery: delivery.park("not JSON"))
    with consuming(broker, inbox):
        inbox.wait(2)
        first, second = dead_letters(broker, 2)
    assert first["reason"] == second["reason"] == "not JSON"
    assert first["body_base64"] == "/wBub3QgdXRmLTg="
    assert first["headers"] == {"task": "?"}
    assert second["body"] == '{"v": 99}'
    assert second["queue"] == f"{broker.namespace}.skill.{SKILL}"
    assert second["routing_key"] == SKILL
    third = Inbox()
    sent(publisher, task(broker, "fine"))
    with consuming(broker, third):
        third.wait(1)
    assert third.bodies == ["fine"]


def test_one_poisonous_message_is_parked_and_the_others_are_handled(broker: Broker, publisher: Publisher) -> None:
    done: list[str] = []

    def handle(batch: list[Delivery]) -> None:
        for delivery in batch:
            if delivery.body == b"poison":
                raise KeyError("a secret token")
            done.append(delivery.body.decode())
            delivery.ack()

    sent(publisher, *(task(broker, each) for each in ("1", "2", "poison", "3")))
    with consuming(broker, handle):
        (letter,) = dead_letters(broker, 1)
        wait_until(lambda: done == ["1", "2", "3"])
    assert letter["body"] == "poison"
    assert letter["reason"] == "its handler raised KeyError"
    assert "secret" not in json.dumps(letter)


def test_an_error_that_passes_is_tried_again_and_nothing_is_parked(broker: Broker, publisher: Publisher) -> None:
    attempts: list[bool] = []

    def handle(batch: list[Delivery]) -> None:
        attempts.append(batch[0].redelivered)
        if len(attempts) < 3:
            raise BrokerError("the next exchange is away")
        batch[0].ack()

    sent(publisher, task(broker, "1"))
    with consuming(broker, handle):
        wait_until(lambda: len(attempts) == 3)
    assert attempts == [False, True, True]


@pytest.mark.parametrize("name", ["a.b", "", "a b", "ü", "a*"])
def test_a_namespace_is_one_plain_word(name: str) -> None:
    with pytest.raises(BrokerError.__mro__[1], match="namespace"):
        Topology(name)
