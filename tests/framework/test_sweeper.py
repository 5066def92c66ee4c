"""The sweeper, with a real store and a broker in memory: what is not done in time is published again."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from dragoman import wire
from dragoman.errors import BrokerError
from dragoman.exchange import Broker, Publisher
from dragoman.messages import action_message, event_message, task_message
from dragoman.priority import Priority
from dragoman.store.engine import open_store
from dragoman.store.ledger import Routed, claim_runs, postpone_actions, record_events, route_events
from dragoman.store.schema import actions, events, runs
from dragoman.store.sweep import MOST_LOSSES
from dragoman.sweeper import Sweeper
from support.samples import message, send, task


class Rig:
    def __init__(self, engine: Engine, broker: Broker) -> None:
        self.engine, self.broker = engine, broker
        self.sweeper = Sweeper(engine, broker, broker.topology, retention=30, handles=400)

    def __call__(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        with self.engine.begin() as connection:
            return operation(connection, *arguments)

    def make_due(self, table: Any, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(update(table).values(due_at=time.time() - 1, **values))

    @property
    def deliver_queue(self) -> Any:
        """Where what is said in the samples' conversation goes."""
        return action_message(self.broker.topology, send("k")).queues[0]

    def depth(self, queue: Any) -> int:
        return self.broker.depth(queue.name)

    def take(self, queue: Any) -> dict[str, Any]:
        """The one message in a queue, as JSON."""
        with self.broker.connection("test") as connection:
            found = queue(connection.default_channel).get(no_ack=True)
        body: dict[str, Any] = json.loads(found.body)
        return body

    def put(self, message: Any) -> None:
        publisher = Publisher(self.broker, "test")
        assert publisher.publish([message]) == [None]
        publisher.close()


@pytest.fixture
def rig(tmp_path: Path, namespace: str) -> Iterator[Rig]:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    broker = Broker(f"memory://{namespace}", namespace)
    found = Rig(engine, broker)
    yield found
    found.sweeper.close()
    engine.dispose()
    broker.forget()


def test_nothing_is_published_before_it_is_due(rig: Rig) -> None:
    rig(record_events, [message("roll")])
    assert rig.sweeper.sweep() == 0


def test_an_event_that_the_broker_has_lost_is_published_again(rig: Rig) -> None:
    event = message("roll")
    rig(record_events, [event])
    rig.make_due(events)
    assert rig.sweeper.sweep() == 1
    assert wire.decode_event(json.dumps(rig.take(rig.broker.topology.router_queue()))) == event
    assert rig.sweeper.sweep() == 0  # the next look comes later


@pytest.mark.parametrize("broker", ["embedded", "rabbitmq"], indirect=True)
def test_what_is_late_because_the_broker_is_away_is_published_in_order_as_soon_as_it_is_back(
    broker: Broker, server: Any, tmp_path: Path
) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    rig = Rig(engine, broker)
    keys = [f"e{number}" for number in range(30)]
    # The later they came, the earlier they are due.
    for place, key in enumerate(keys):
        rig(record_events, [message("roll", key=key)])
        with engine.begin() as connection:
            connection.execute(update(events).where(events.c.key == key).values(due_at=time.time() - 100 - place))
    server.stop()
    try:
        for _ in range(2):
            with pytest.raises(BrokerError):
                rig.sweeper.sweep()
    finally:
        server.start()
    assert rig.sweeper.sweep() == 30
    found = [rig.take(broker.topology.router_queue())["key"] for _ in keys]
    assert found == keys
    rig.sweeper.close()
    engine.dispose()


def test_a_queue_that_still_has_messages_is_behind_and_gets_none_a_second_time(rig: Rig) -> None:
    rig(record_events, [message("roll")])
    rig.put(event_message(rig.broker.topology, message("another", key="another")))
    rig.make_due(events)
    assert rig.sweeper.sweep() == 0
    assert rig.depth(rig.broker.topology.router_queue()) == 1


def test_a_retry_is_published_when_it_is_due_even_if_others_wait(rig: Rig) -> None:
    event = message("roll")
    rig(route_events, [Routed(event, ((task(event), int(Priority.COMMAND)),), ())])
    rig.put(task_message(rig.broker.topology, task(message("x", key="x")), Priority.COMMAND))
    rig.make_due(runs, publishes=0)
    assert rig.sweeper.sweep() == 1
    assert rig.depth(rig.broker.topology.skill_queue("dice")) == 2


def test_an_action_that_may_have_been_performed_says_so(rig: Rig) -> None:
    rig(postpone_actions, [send("k")])
    rig.make_due(actions)
    assert rig.sweeper.sweep() == 1
    assert rig.take(rig.deliver_queue)["again"] is True


def test_a_run_that_kills_its_workers_is_parked_and_the_person_is_told(rig: Rig) -> None:
    event = message("roll")
    found = task(event)
    rig(route_events, [Routed(event, ((found, int(Priority.COMMAND)),), ())])
    rig(claim_runs, [(found.run, "ghost")])
    with rig.engine.begin() as connection:
        connection.execute(update(runs).values(losses=MOST_LOSSES - 1))
    assert rig.sweeper.sweep() == 1
    answer = rig.take(rig.deliver_queue)
    assert found.reference in answer["content"]["text"]
    with rig.engine.connect() as connection:
        assert connection.execute(runs.select()).one().state == "parked"


def test_a_run_that_kills_its_workers_is_parked_even_if_its_event_cannot_be_read(rig: Rig) -> None:
    event = message("roll")
    rig(route_events, [Routed(event, ((task(event), int(Priority.COMMAND)),), ())])
    rig(claim_runs, [(task(event).run, "ghost")])
    with rig.engine.begin() as connection:
        connection.execute(update(runs).values(losses=MOST_LOSSES - 1))
        connection.execute(update(events).values(body='{"kind": "telepathy", "v": 1}'))
    assert rig.sweeper.sweep() == 0
    with rig.engine.connect() as connection:
        assert connection.execute(runs.select()).one().state == "parked"
