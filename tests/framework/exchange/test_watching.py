"""A consumer whose queues change while it runs, on every broker."""

from typing import Any

from dragoman.exchange.broker import Broker
from dragoman.exchange.consumer import Consumer
from dragoman.exchange.message import Delivery, Outgoing
from dragoman.exchange.publisher import Publisher
from support.exchange import Inbox, consuming
from support.servers import wait_until


def put(broker: Broker, number: int, *bodies: str) -> None:
    topology = broker.topology
    publisher = Publisher(broker, "test")
    key = topology.action_key("acme", "send", number)
    queues = (topology.deliver_queue("acme", number),)
    messages = [Outgoing(topology.actions, key, body.encode(), queues=queues) for body in bodies]
    assert publisher.publish(messages) == [None] * len(bodies)
    publisher.close()


def queue(broker: Broker, number: int) -> Any:
    return broker.topology.deliver_queue("acme", number)


def test_a_queue_that_joins_is_taken_from_and_one_that_leaves_is_not(broker: Broker) -> None:
    inbox = Inbox()
    put(broker, 1, "1a")
    with consuming(broker, inbox, queue(broker, 0), role="gateway") as consumer:
        put(broker, 0, "0a")
        inbox.wait(1)
        consumer.watch([queue(broker, 1)])
        inbox.wait(2)
        wait_until(lambda: consumer.left(queue(broker, 0).name))
        put(broker, 0, "0b")
        put(broker, 1, "1b")
        inbox.wait(3)
        assert inbox.bodies == ["0a", "1a", "1b"]
        assert broker.depth(queue(broker, 0).name) == 1
        consumer.watch([queue(broker, 0), queue(broker, 1)])
        inbox.wait(4)
    assert inbox.bodies == ["0a", "1a", "1b", "0b"]


def test_a_consumer_of_nothing_waits_for_a_queue(broker: Broker) -> None:
    inbox = Inbox()
    put(broker, 2, "a")
    consumer = Consumer(broker, "gateway", [], inbox)
    consumer.start()
    try:
        assert consumer.wait_up(15)
        consumer.watch([queue(broker, 2)])
        inbox.wait(1)
    finally:
        consumer.stop(grace=0)


def test_a_queue_is_left_when_what_was_taken_from_it_is_settled(broker: Broker) -> None:
    held: list[Delivery] = []
    inbox = Inbox(settle=held.append)
    put(broker, 0, "a", "b")
    with consuming(broker, inbox, queue(broker, 0), queue(broker, 1), role="gateway") as consumer:
        inbox.wait(2)
        consumer.watch([queue(broker, 1)])
        put(broker, 1, "c")
        inbox.wait(3)  # so it has seen the change
        assert not consumer.left(queue(broker, 0).name)
        held[0].ack()
        held[1].requeue()
        wait_until(lambda: consumer.left(queue(broker, 0).name))
        wait_until(lambda: broker.depth(queue(broker, 0).name) == 1)
        held[2].ack()
