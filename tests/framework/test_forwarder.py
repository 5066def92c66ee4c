"""Events on their way to the broker: in order, and at most so many in memory."""

import threading
from collections.abc import Iterator, Sequence

import pytest

from dragoman.errors import BrokerError
from dragoman.exchange import Broker
from dragoman.exchange.message import Outgoing
from dragoman.forwarder import Forwarder
from dragoman.messages import event_message
from support.samples import message
from support.servers import wait_until


class Scripted:
    """A publisher that refuses what it is told to."""

    def __init__(self) -> None:
        self.published: list[Outgoing] = []
        self.away = False
        self.tries = 0
        self.once: set[int] = set()
        self.gave_up = threading.Event()
        self.closed = False

    def publish(self, batch: Sequence[Outgoing]) -> list[Exception | None]:
        self.tries += 1
        if self.away:
            return [BrokerError("it is away")] * len(batch)
        results: list[Exception | None] = []
        for each in batch:
            if id(each) in self.once:
                self.once.discard(id(each))
                results.append(BrokerError("refused once"))
            else:
                self.published.append(each)
                results.append(None)
        return results

    def give_up(self) -> None:
        self.gave_up.set()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def publisher() -> Scripted:
    return Scripted()


@pytest.fixture
def forwarder(publisher: Scripted) -> Iterator[Forwarder]:
    made = Forwarder(publisher, most=10)  # type: ignore[arg-type]
    made.start()
    yield made
    made.close(5.0)


def messages(count: int) -> list[Outgoing]:
    topology = Broker("memory://forwarder", "forwarder").topology
    return [event_message(topology, message("hello", key=f"e{number}")) for number in range(count)]


def test_what_the_broker_does_not_take_is_tried_again_before_what_comes_later(
    publisher: Scripted, forwarder: Forwarder, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.away = True
    found = messages(6)
    for each in found[:3]:
        forwarder.forward(each)
    wait_until(lambda: publisher.tries >= 2)
    for each in found[3:]:
        forwarder.forward(each)
    publisher.away = False
    wait_until(lambda: len(publisher.published) == 6)
    assert publisher.published == found
    assert caplog.text.count("go out in order when it is back") == 1
    assert "takes events again" in caplog.text


def test_one_that_is_refused_does_not_hold_up_the_others_for_ever(publisher: Scripted, forwarder: Forwarder) -> None:
    found = messages(3)
    publisher.once = {id(found[1])}
    for each in found:
        forwarder.forward(each)
    wait_until(lambda: len(publisher.published) == 3)
    assert set(map(id, publisher.published)) == set(map(id, found))


def test_no_more_than_so_many_wait_and_the_rest_is_left_to_the_sweeper(
    publisher: Scripted, forwarder: Forwarder, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.away = True
    found = messages(25)
    for each in found:
        forwarder.forward(each)
    assert forwarder.waiting == 10
    publisher.away = False
    wait_until(lambda: len(publisher.published) == 10)
    assert publisher.published == found[:10]
    wait_until(lambda: "15 events more are left to the sweeper" in caplog.text)


def test_who_stops_while_the_broker_is_away_does_not_wait_for_it(
    publisher: Scripted, forwarder: Forwarder, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.away = True
    forwarder.forward(messages(1)[0])
    wait_until(lambda: publisher.tries >= 1 and "when it is back" in caplog.text)
    forwarder.close(60.0)
    assert publisher.gave_up.is_set()
    assert publisher.closed
    assert "1 events wait in the ledger" in caplog.text


def test_who_stops_publishes_what_is_there(publisher: Scripted) -> None:
    made = Forwarder(publisher)  # type: ignore[arg-type]
    found = messages(5)
    for each in found:
        made.forward(each)
    made.start()
    made.close(10.0)
    assert publisher.published == found
