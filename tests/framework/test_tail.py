"""``dragoman tail`` shows each step once, as it happens."""

from pathlib import Path
from typing import Any

import pytest

from dragoman import Sent
from dragoman.store.engine import open_store
from dragoman.store.ledger import Finish, Routed, claim_runs, finish_runs, record_events, record_sent, route_events
from dragoman.store.processes import Process, beat
from dragoman.tail import Step, Tail, shown
from support.postgres import PostgreSQL
from support.samples import message, send, task


def steps_of(url: str, **filters: str) -> list[Step]:
    """What is told of one message, with a look after each step."""
    engine, worker = open_store(url), Process("worker")
    event = message("roll", key="slack/message/acme/T1/C2/1.0")
    late = message("old", key="slack/message/acme/T1/C2/0.0")
    run = task(event)
    answer = send(f"{event.key}|dice.roll|0", text="4").model_copy(
        update={"run": run.run, "hops": (("gateway", 100.0), ("sent", 100.5))}
    )
    try:
        with engine.begin() as connection:
            record_events(connection, [late])  # before anybody looks
            beat(connection, worker)
        tail = Tail(engine, **filters)
        steps = tail.look()
        way: tuple[tuple[Any, Any], ...] = (
            (record_events, event),
            (route_events, Routed(event, ((run, 1),), ())),
            (claim_runs, (run.run, worker.id)),
            (finish_runs, Finish(run.run, worker.id, (answer,), True)),
            (record_sent, (answer, Sent(ids=("2.0",)))),
        )
        for operation, item in way:
            with engine.begin() as connection:
                operation(connection, [item])
            steps += tail.look()
            steps += tail.look()
        return steps
    finally:
        engine.dispose()


WAY = ["received", "queued", "done", "to send", "sent"]


def test_every_step_of_a_message_is_told_once(tmp_path: Path) -> None:
    steps = steps_of(f"sqlite:///{tmp_path / 'store.db'}")
    assert [step["what"] for step in steps] == WAY
    assert {step["account"] for step in steps} == {"acme"}


def test_the_same_on_postgresql(postgres: PostgreSQL) -> None:
    steps = steps_of(f"postgresql{postgres.database()}")
    assert [step["what"] for step in steps if step["id"] != "slack/message/acme/T1/C2/0.0"] == WAY


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({"account": "acme"}, WAY),
        ({"account": "umbrella"}, []),
        ({"skill": "dice"}, ["queued", "done", "to send", "sent"]),
        ({"kind": "message"}, ["received"]),
        ({"kind": "send"}, ["to send", "sent"]),
    ],
)
def test_only_what_is_asked_for(tmp_path: Path, filters: dict[str, str], told: list[str]) -> None:
    assert [step["what"] for step in steps_of(f"sqlite:///{tmp_path / 'store.db'}", **filters)] == told


def test_a_line_has_the_step_the_place_and_how_long_it_took(tmp_path: Path) -> None:
    lines = [shown(step) for step in steps_of(f"sqlite:///{tmp_path / 'store.db'}")]
    assert lines[0].split()[1:4] == ["received", "acme", "message"]
    assert lines[2].split()[1:4] == ["done", "acme", "dice.roll"]
    assert lines[4].endswith("ms")
