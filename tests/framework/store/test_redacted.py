"""Errors, tracebacks and dead letters are kept without secrets, whoever writes them."""

import json
from collections.abc import Iterator
from typing import Final

import pytest
from sqlalchemy import Engine, bindparam, insert, select, update

from dragoman import redaction
from dragoman.store.ledger import park_events, record_events, record_refused
from dragoman.store.schema import actions, controls, events, runs, strays
from support.samples import message, send

#: In two parts, so that no scan for secrets takes it for one.
TOKEN: Final = "xox" + "b-" + "1234567890-abcdefghijkl"


@pytest.fixture(autouse=True)
def hidden() -> Iterator[None]:
    redaction.register("correct-horse-battery")
    yield
    redaction.forget()


def test_what_is_parked_says_why_without_secrets(store: Engine) -> None:
    with store.begin() as connection:
        record_events(connection, [message("a", key="e1")])
        park_events(connection, [("e1", f"refused with {TOKEN}")])
        record_refused(connection, [(send("answer"), "amqp://u:pw@host and correct-horse-battery")])
        assert connection.execute(select(events.c.error)).scalar_one() == "refused with [secret: slack token]"
        refused = connection.execute(select(actions.c.error)).scalar_one()
    assert refused == "amqp://u:[secret: password]@host and [secret: configured]"


def test_a_dead_letter_is_still_json(store: Engine) -> None:
    letter = {"reason": TOKEN, "body": json.dumps({"token": "abc", "text": 'correct-horse-battery "quoted"'})}
    row = {"id": "1", "queue": "q", "reason": TOKEN, "letter": json.dumps(letter), "parked_at": 0.0}
    with store.begin() as connection:
        connection.execute(insert(strays), [row])
        kept = connection.execute(select(strays)).one()
    assert kept.reason == "[secret: slack token]"
    body = json.loads(json.loads(kept.letter)["body"])
    assert body == {"token": "[secret: value]", "text": '[secret: configured] "quoted"'}


def test_neither_an_update_nor_a_parameter_goes_round_it(store: Engine) -> None:
    with store.begin() as connection:
        connection.execute(
            insert(controls),
            [{"skill": "dice", "state": "paused", "reason": "correct-horse-battery", "changed_at": 0.0}],
        )
        before = connection.execute(select(controls.c.reason)).scalar_one()
        connection.execute(update(controls).values(reason=bindparam("b_reason")), [{"b_reason": TOKEN}])
        after = connection.execute(select(controls.c.reason)).scalar_one()
    assert (before, after) == ("[secret: configured]", "[secret: slack token]")


def test_tracebacks_and_decisions_are_of_this_kind_too() -> None:
    for column in (runs.c.error, runs.c.traceback, events.c.decision, actions.c.error):
        assert type(column.type).__name__ == "Redacted", column
