"""The router, with a real store and broker in memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Engine, text

from dragoman import Event, Reaction, Skill
from dragoman.exchange import Broker, Outgoing, Publisher
from dragoman.messages import event_message
from dragoman.partitions import partition_of
from dragoman.router import Router
from dragoman.store.catalogue import publish_manifests
from dragoman.store.dead import DeadLetter, Filters, list_letters
from dragoman.store.engine import open_store
from dragoman.store.ledger import record_events
from dragoman.store.replaying import replay
from support.exchange import Inbox, consuming
from support.samples import HERE, message
from support.servers import wait_until

skill = Skill("echo")


@skill.command()
def echo(words: str) -> str:
    """Say it again."""
    return words


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with engine.begin() as connection:
        publish_manifests(connection, [skill.manifest()])
    yield engine
    engine.dispose()


@pytest.fixture
def broker(namespace: str) -> Iterator[Broker]:
    broker = Broker(f"memory://{namespace}", namespace)
    yield broker
    broker.forget()


@pytest.fixture
def router(engine: Engine, broker: Broker) -> Iterator[Router]:
    router = Router(engine, broker, broker.topology, prefixes=("!",), retention=30, handles=400)
    router.start()
    yield router
    router.stop()


def publish(broker: Broker, *messages: Outgoing) -> None:
    publisher = Publisher(broker, "test")
    assert publisher.publish(messages) == [None] * len(messages)
    publisher.close()


def said(words: str, key: str = "e1") -> Event:
    return message(words, key=key)


def test_a_command_becomes_a_task_on_its_skills_queue_with_verified_arguments(router: Router, broker: Broker) -> None:
    inbox = Inbox()
    with consuming(broker, inbox, broker.topology.skill_queue("echo")):
        publish(broker, event_message(broker.topology, said("echo hello there")))
        (delivery,) = inbox.wait(1)
    task = json.loads(delivery.body)[1]["task"]
    assert (task["skill"], task["handler"], task["arguments"]) == ("echo", "echo", {"words": "hello there"})
    assert delivery.headers["task"] == "dragoman.skill.echo"
    assert delivery.headers["id"] == task["run"]


def test_what_does_not_fit_is_answered_before_a_task_is_sent(router: Router, broker: Broker) -> None:
    answers, tasks = Inbox(), Inbox()
    with (
        consuming(broker, answers, broker.topology.deliver_queue("acme", partition_of(HERE, 4))),
        consuming(broker, tasks, broker.topology.skill_queue("echo"), role="other"),
    ):
        publish(broker, event_message(broker.topology, said("echo", key="k1")))
        publish(broker, event_message(broker.topology, said("ecko", key="k2")))
        answers.wait(2)
    texts = [json.loads(body)["content"]["text"] for body in answers.bodies]
    assert "`words` is missing" in texts[0]
    assert "Usage: `echo <words>`" in texts[0]
    assert "Did you mean `echo`?" in texts[1]
    assert tasks.bodies == []


def test_an_event_delivered_twice_runs_once(router: Router, broker: Broker, engine: Engine) -> None:
    event = event_message(broker.topology, said("echo once"))
    publish(broker, event, event, event_message(broker.topology, said("echo last", key="last")))

    def count() -> list[int]:
        with engine.connect() as connection:
            return [
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in ("events", "runs")
            ]

    wait_until(lambda: count() == [2, 2], what="two runs")


def test_an_event_of_an_unknown_kind_is_counted_and_skipped(router: Router, broker: Broker) -> None:
    strange = event_message(broker.topology, said("echo x"))
    body = strange.body.replace(b'"kind":"message"', b'"kind":"telepathy"')
    assert body != strange.body
    publish(broker, Outgoing(broker.topology.events, "acme.telepathy.channel", body, queues=strange.queues))
    wait_until(lambda: router.unknown_kinds == {"telepathy": 1})
    wait_until(lambda: broker.depth(broker.topology.router_queue().name) == 0)
    assert broker.depth(broker.topology.dead_queue().name) == 0


def test_the_catalogue_is_followed_while_it_runs(router: Router, broker: Broker, engine: Engine) -> None:
    late = Skill("late")

    @late.on("reaction")
    def seen() -> None:
        """Nothing to say."""

    inbox = Inbox()
    with engine.begin() as connection:
        publish_manifests(connection, [late.manifest()])
    wait_until(lambda: len(router.skills) == 2, what="the new skill")
    event = Reaction(address=HERE, conversation="channel", key="r", id="m", emoji="wave")
    with consuming(broker, inbox, broker.topology.skill_queue("late")):
        publish(broker, event_message(broker.topology, event))
        inbox.wait(1)


def test_nothing_is_lost_while_the_store_cannot_be_written(
    router: Router, broker: Broker, engine: Engine, tmp_path: Path
) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE runs RENAME TO gone"))
    publish(broker, event_message(broker.topology, said("echo later")))
    inbox = Inbox()
    with consuming(broker, inbox, broker.topology.skill_queue("echo")):
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO runs"))
        inbox.wait(1)


def test_an_event_that_cannot_be_routed_is_a_dead_letter_in_the_ledger_and_can_be_replayed(
    router: Router, broker: Broker, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise KeyError("a mistake")

    def dead() -> list[DeadLetter]:
        with engine.connect() as connection:
            return list_letters(connection, Filters())

    monkeypatch.setattr(router._routing, "decide", fail)
    with engine.begin() as connection:
        record_events(connection, [said("echo mended", key="ours")])
    publish(broker, *(event_message(broker.topology, said("echo mended", key=key)) for key in ("ours", "theirs")))
    wait_until(lambda: len(dead()) == 1, what="a dead letter")
    (letter,) = dead()
    assert (letter.kind, letter.key) == ("event", "ours")
    assert letter.error == "the router failed: KeyError('a mistake')"
    # What no gateway of ours has written down is among the broker's dead letters.
    dead_queue = broker.topology.dead_queue().name
    wait_until(lambda: broker.depth(dead_queue) == 1, what="the other one")
    monkeypatch.undo()
    inbox = Inbox()
    with consuming(broker, inbox, broker.topology.skill_queue("echo")):
        with engine.begin() as connection:
            assert replay(connection, [letter]).replayed == 1
        (delivery,) = inbox.wait(1)
    assert json.loads(delivery.body)[1]["task"]["event"]["key"] == "ours"
    assert dead() == []
