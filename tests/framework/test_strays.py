"""Dead letters of the broker are kept in the ledger, and can be published again to where they were going."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from dragoman.exchange import Broker, Outgoing, Publisher
from dragoman.exchange.message import dead_letter
from dragoman.exchange.topology import Priority, Topology
from dragoman.messages import task_message
from dragoman.store.dead import DeadLetter, Filters, list_letters
from dragoman.store.engine import open_store
from dragoman.store.replaying import replay
from dragoman.store.strays import Stray, read_stray
from dragoman.strays import Strays, stray_message
from support.exchange import Inbox, consuming
from support.samples import TASK
from support.servers import wait_until

headers = st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers() | st.none(), max_size=3)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def running(engine: Engine, broker: Broker) -> Iterator[Strays]:
    found = Strays(engine, broker, broker.topology)
    found.start()
    yield found
    found.stop()


def kept(engine: Engine) -> list[DeadLetter]:
    with engine.connect() as connection:
        return list_letters(connection, Filters())


def publish(broker: Broker, *messages: Outgoing) -> None:
    publisher = Publisher(broker, "test")
    assert publisher.publish(messages) == [None] * len(messages)
    publisher.close()


def park(broker: Broker, *letters: bytes) -> None:
    topology = broker.topology
    dead = (topology.dead_queue(),)
    publish(broker, *(Outgoing(topology.dead, topology.dead_key(), letter, queues=dead) for letter in letters))


def letter_of(message: Outgoing, queue: str) -> bytes:
    properties = {**message.properties, "content_type": message.content_type, "priority": message.priority}
    return dead_letter(
        message.body,
        "nobody knows it",
        queue=queue,
        routing_key=message.routing_key,
        headers=message.headers,
        properties=properties,
    )


def test_a_dead_letter_is_kept_and_goes_back_where_it_came_from(
    broker: Broker, engine: Engine, running: Strays
) -> None:
    message = task_message(broker.topology, TASK, Priority.COMMAND)
    park(broker, letter_of(message, broker.topology.skill_queue("dice").name))
    wait_until(lambda: len(kept(engine)) == 1, what="the dead letter")
    (letter,) = kept(engine)
    assert (letter.skill, letter.error) == ("dice", "nobody knows it")
    assert broker.depth(broker.topology.dead_queue().name) == 0
    inbox = Inbox()
    with consuming(broker, inbox, broker.topology.skill_queue("dice")):
        with engine.begin() as connection:
            assert replay(connection, [letter]).replayed == 1
        (delivery,) = inbox.wait(1)
    assert delivery.body == message.body
    assert delivery.headers["id"] == TASK.run
    assert delivery.properties["correlation_id"] == TASK.run
    wait_until(lambda: running.look() == 0 and kept(engine) == [], what="nothing left of it")


def test_while_the_store_is_away_dead_letters_stay_in_their_queue(broker: Broker, tmp_path: Path) -> None:
    away = [True]
    engine = open_store(f"sqlite:///{tmp_path / 'away.db'}")

    @event.listens_for(engine, "begin")
    def refuse(connection: object) -> None:
        if away[0]:
            raise OSError("the store is away")

    found = Strays(engine, broker, broker.topology)
    tried: list[int] = []
    handle: Callable[..., None] = found.handle
    found._consumer._handle = lambda batch: (tried.append(len(batch)), handle(batch))[1]  # type: ignore[func-returns-value]
    found.start()
    try:
        park(broker, *(letter_of(task_message(broker.topology, TASK, Priority.SCHEDULED), f"q{n}") for n in range(3)))
        wait_until(lambda: len(tried) >= 3, what="attempts")
        away[0] = False
        wait_until(lambda: len(kept(engine)) == 3, 30, "all three")
    finally:
        found.stop()
        engine.dispose()


def test_the_same_dead_letter_twice_is_kept_once_and_rubbish_is_kept_too(
    broker: Broker, engine: Engine, running: Strays
) -> None:
    one = letter_of(task_message(broker.topology, TASK, Priority.COMMAND), "dragoman.skill.dice")
    park(broker, one, one, b"\xff rubbish", b"[1]", b'{"queue": 5}', b'{"queue": "\\u0000x"}')
    wait_until(lambda: len(kept(engine)) == 5, what="dead letters")
    assert sorted(bool(letter.row["queue"]) for letter in kept(engine)) == [False, False, False, True, True]


def test_what_can_go_nowhere_is_parked_again_with_the_reason(broker: Broker, engine: Engine, running: Strays) -> None:
    park(broker, letter_of(task_message(broker.topology, TASK, Priority.COMMAND), "another.bots.queue"))
    wait_until(lambda: len(kept(engine)) == 1, what="the dead letter")
    with engine.begin() as connection:
        assert replay(connection, kept_rows(connection)).replayed == 1
    wait_until(lambda: "there is no queue another.bots.queue" in "".join(x.error for x in kept(engine)), what="it back")


def kept_rows(connection: object) -> list[DeadLetter]:
    return list_letters(connection, Filters())  # type: ignore[arg-type]


@given(st.binary(max_size=40), headers, st.sampled_from(["router", "skill.dice", "deliver.acme", "deliver.acme.3"]))
def test_a_message_comes_back_as_it_was(body: bytes, given_headers: dict[str, object], name: str) -> None:
    topology = Topology("bot")
    letter = dead_letter(
        body,
        "no",
        queue=f"bot.{name}",
        routing_key="a.b",
        headers=given_headers,
        properties={"content_type": "text/plain", "priority": 2, "delivery_tag": 7},
    )
    message = stray_message(topology, read_stray(letter))
    assert message.body == body
    assert message.headers == given_headers
    assert (message.routing_key, message.content_type, message.properties) == ("a.b", "text/plain", {})
    assert [queue.name for queue in message.queues] == [f"bot.{name}"]
    assert message.priority == (Priority(2) if name == "skill.dice" else None)


@pytest.mark.parametrize("queue", ["", "bot", "bot.", "other.router", "bot.router.x", "bot.deliver.a.x", "bot.dead"])
def test_a_queue_that_is_none_of_the_bots_is_refused(queue: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of a queue's number, the text is Python's
        stray_message(Topology("bot"), Stray("id", queue, "no", json.dumps({"body": "x"})))


@given(st.binary(max_size=60))
def test_anything_among_the_dead_letters_can_be_kept(body: bytes) -> None:
    stray = read_stray(body)
    assert isinstance(json.loads(stray.letter), dict)
    assert read_stray(body) == stray or "time" in json.loads(stray.letter)
    assert read_stray(body).id == stray.id
