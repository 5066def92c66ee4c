"""Dead letters: found, replayed, dropped and kept, on both databases."""

import json
import time
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from dragoman import wire
from dragoman.store.dead import KINDS, DeadLetter, Filters, UnknownLetter, dead_id, find_letters, list_letters
from dragoman.store.ledger import (
    GIVE_UP,
    Failure,
    Routed,
    claim_runs,
    fail_runs,
    park_events,
    postpone_actions,
    record_events,
    record_refused,
    route_events,
)
from dragoman.store.processes import Process, beat
from dragoman.store.replaying import replay
from dragoman.store.schema import actions, events, runs, strays
from dragoman.store.strays import keep_strays, read_stray
from dragoman.store.sweep import forget_actions, forget_old
from support.samples import message, send, task

from .test_ledger import Ledger

ME = Process("worker", id="me")
DAY = 86400.0


@pytest.fixture
def ledger(store: Engine) -> Ledger:
    found = Ledger(store)
    found(beat, ME)
    return found


def parked_run(ledger: Ledger, key: str = "e1", skill: str = "dice", error: str = "ValueError: no", **more: Any) -> str:
    """A run that has failed for good; its id."""
    event = message("roll", key=key)
    found = task(event, skill=skill, sides=6).model_copy(update=more)
    ledger(route_events, [Routed(event, ((found, 2),), ())])
    ledger(claim_runs, [(found.run, ME.id)])
    ledger(fail_runs, [Failure(found.run, ME.id, error, None, traceback="Traceback: here", versions='{"python": "3"}')])
    return found.run


def stray(ledger: Ledger, queue: str = "dragoman.skill.dice", key: str = "dice", body: str = "[]") -> str:
    letter = {"v": 1, "reason": "not a task", "queue": queue, "routing_key": key, "headers": {}, "body": body}
    found = read_stray(json.dumps(letter).encode())
    ledger(keep_strays, [found])
    return found.id


def listed(ledger: Ledger, most: int | None = None, **filters: Any) -> list[DeadLetter]:
    letters: list[DeadLetter] = ledger(list_letters, Filters(**filters), most)
    return letters


def one(ledger: Ledger, id: str) -> DeadLetter:
    (letter,) = ledger(find_letters, [id])
    assert isinstance(letter, DeadLetter)
    return letter


def one_of_each(ledger: Ledger) -> dict[str, str]:
    """The reference of one dead letter of each kind."""
    run = parked_run(ledger)
    ledger(record_events, [message("x", key="broken")])
    assert ledger(park_events, [("broken", "KeyError('x')"), ("elsewhere", "no")]) == [True, False]
    ledger(record_refused, [(send("refused", run=run), "is_archived: gone")])
    return {"run": run, "event": dead_id("broken"), "action": dead_id("refused"), "message": stray(ledger)}


def test_a_parked_run_has_all_that_is_known_of_it(ledger: Ledger) -> None:
    run = parked_run(ledger)
    letter = one(ledger, run)
    assert (letter.kind, letter.account, letter.skill, letter.what) == ("run", "acme", "dice", "roll")
    assert (letter.error, letter.attempts, letter.reference) == ("ValueError: no", 1, run[:8].upper())
    assert json.loads(letter.row["arguments"]) == {"sides": 6}
    assert letter.row["traceback"] == "Traceback: here"
    assert letter.row["versions"] == '{"python": "3"}'
    assert wire.decode_event(letter.row["body"]).key == "e1"
    assert letter.at == pytest.approx(time.time(), abs=60)


def test_all_four_kinds_are_listed_and_found_by_their_references(ledger: Ledger) -> None:
    made = one_of_each(ledger)
    assert {letter.kind: letter.id for letter in listed(ledger)} == made
    for kind, id in made.items():
        assert [letter.id for letter in listed(ledger, kinds=(kind,))] == [id]
        assert one(ledger, id[:8].upper()).id == one(ledger, f"`{id}`").id == id
    assert one(ledger, "broken").id == made["event"]
    assert one(ledger, "refused").id == made["action"]
    assert [letter.at for letter in listed(ledger)] == sorted((x.at for x in listed(ledger)), reverse=True)
    assert [letter.id for letter in listed(ledger, most=2)] == [letter.id for letter in listed(ledger)][:2]


def test_filters_choose(ledger: Ledger) -> None:
    made = one_of_each(ledger)
    other = parked_run(ledger, "e2", skill="poll", error="OSError: 100% gone")
    to_acme = stray(ledger, "dragoman.deliver.acme.3", "acme:3.send")

    def found(**filters: Any) -> set[str]:
        return {letter.id for letter in listed(ledger, **filters)}

    assert found(skill="dice") == {made["run"], made["action"], made["message"]}
    assert found(skill="poll") == {other}
    assert found(account="acme") == {made["run"], made["event"], made["action"], other, to_acme}
    assert found(account="acm") == set()
    assert found(error="VALUEERROR") == {made["run"]}
    assert found(error="100%") == {other}
    assert found(error="100_") == set()
    assert found(since=time.time() + 60) == set()
    assert len(found(since=time.time() - 60)) == 6


def test_a_reference_that_means_several_or_none_says_so(ledger: Ledger) -> None:
    for id in ("abcdefgh1", "abcdefgh2"):
        ledger(keep_strays, [read_stray(b"{}")._replace(id=id)])
    with pytest.raises(UnknownLetter, match=r"ABCDEFGH could be each of .*abcdefgh1.*abcdefgh2.*more letters"):
        one(ledger, "ABCDEFGH")
    assert one(ledger, "ABCDEFGH2").id == "abcdefgh2"
    with pytest.raises(UnknownLetter, match="no dead letter has the reference 12345678"):
        one(ledger, "12345678")
    with pytest.raises(UnknownLetter, match="too short"):
        one(ledger, "%")
    assert len(ledger(find_letters, ["abcdefgh1", "ABCDEFGH1"])) == 1


def test_what_runs_or_is_nothing_to_speak_of_is_no_dead_letter(ledger: Ledger) -> None:
    event = message("roll")
    ledger(route_events, [Routed(event, ((task(event), 1),), ())])
    ledger(partial(record_refused, quiet={"optional"}), [(send("optional"), "no")])
    assert listed(ledger) == []


def test_an_action_that_nobody_would_take_for_a_day_is_a_dead_letter(ledger: Ledger) -> None:
    ledger(postpone_actions, [send("late")])
    ledger(_change, update(actions).values(created_at=time.time() - GIVE_UP - 1))
    ledger(postpone_actions, [send("late")])
    assert [letter.key for letter in listed(ledger, error="24 hours")] == ["late"]
    # Put back, it has another day.
    ledger(replay, listed(ledger))
    ledger(postpone_actions, [send("late")])
    assert listed(ledger) == []


def _change(connection: Any, statement: Any) -> None:
    connection.execute(statement)


def test_dead_letters_are_kept_longer_than_what_is_done(ledger: Ledger) -> None:
    made = one_of_each(ledger)
    now = time.time()
    old = now - 40 * DAY
    ledger(_change, update(runs).values(created_at=old, finished_at=old))
    ledger(_change, update(events).values(received_at=old))
    ledger(_change, update(actions).values(created_at=old))
    for table in (events, actions, strays):
        ledger(_change, update(table).where(table.c.parked_at.is_not(None)).values(parked_at=old))

    def forget(dead: float) -> None:
        ledger(forget_old, now - 30 * DAY, now - dead * DAY)
        ledger(partial(forget_actions, dead_before=now - dead * DAY), now - 30 * DAY, now - 400 * DAY)

    forget(90)
    assert {letter.kind for letter in listed(ledger)} == set(KINDS)
    assert one(ledger, made["run"]).row["body"] is not None  # its event is not forgotten before it
    assert wire.decode_action(one(ledger, made["action"]).row["body"]) == send("refused", run=made["run"])
    forget(35)
    assert listed(ledger) == []
    with ledger.engine.connect() as connection:
        assert [connection.execute(select(table)).all() for table in (events, runs, actions, strays)] == [[]] * 4


def test_a_run_that_was_too_old_to_begin_has_had_no_attempt(ledger: Ledger) -> None:
    event = message("roll")
    ledger(route_events, [Routed(event, ((task(event), 1),), ())])
    ledger(claim_runs, [(task(event).run, ME.id)])
    ledger(fail_runs, [Failure(task(event).run, ME.id, "too late", None, begun=False)])
    letter = one(ledger, task(event).run)
    assert (letter.attempts, letter.error, letter.row["traceback"]) == (0, "too late", None)
