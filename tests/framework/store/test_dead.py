"""Dead letters: found, replayed, dropped and kept, on both databases."""

import json
import time
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update

from dragoman import Sent, Skill, wire
from dragoman.store.dead import KINDS, DeadLetter, Filters, UnknownLetter, dead_id, find_letters, list_letters
from dragoman.store.ledger import (
    GIVE_UP,
    Claim,
    Failure,
    Finish,
    Routed,
    claim_runs,
    fail_runs,
    finish_runs,
    look_up,
    park_events,
    postpone_actions,
    record_events,
    record_refused,
    record_sent,
    route_events,
)
from dragoman.store.lines import line, next_in_line
from dragoman.store.processes import Process, beat
from dragoman.store.replaying import drop, replay
from dragoman.store.schema import actions, events, runs, strays
from dragoman.store.strays import due_strays, keep_strays, read_stray, return_strays
from dragoman.store.sweep import forget_actions, forget_old, take_due_actions, take_due_events, take_due_runs
from dragoman.task import Task, run_id
from support.samples import HERE, message, send, task

from .test_ledger import Ledger

ME = Process("worker", id="me")
DAY = 86400.0

dice = Skill("dice")
fixed = Skill("fixed", order="conversation")


@dice.command()
def roll() -> str:
    """Roll."""
    return "4"


fixed.command()(roll)


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


def sent(*ids: str) -> Sent:
    return Sent(ids=ids)


def _change(connection: Any, statement: Any) -> None:
    connection.execute(statement)


def test_a_replayed_run_is_tried_as_if_it_were_new_and_goes_on_counting(ledger: Ledger) -> None:
    run = parked_run(ledger)
    before = time.time()
    assert ledger(replay, listed(ledger)).replayed == 1
    assert listed(ledger) == []
    (due,) = ledger(take_due_runs)
    assert (due.id, due.again) == (run, False)
    (claim,) = ledger(claim_runs, [(run, ME.id)])
    assert claim == Claim(2, "running", 0, claim.replayed_at)
    assert claim.replayed_at is not None
    assert before <= claim.replayed_at <= time.time()
    # It is not put back a second time by somebody who saw it before.
    ledger(fail_runs, [Failure(run, ME.id, "again", None)])
    letter = one(ledger, run)
    assert (letter.row["failures"], letter.row["earlier"], letter.error) == (1, 1, "again")
    assert ledger(replay, [letter, letter]).replayed == 1


def test_what_a_run_had_said_before_it_failed_is_not_said_again_by_a_replay(ledger: Ledger) -> None:
    run = parked_run(ledger)
    said = send("e1|dice.roll|0", run=run)
    ledger(record_sent, [(said, sent("m1"))])
    ledger(replay, listed(ledger))
    (claim,) = ledger(claim_runs, [(run, ME.id)])
    fresh = send("e1|dice.roll|1", run=run, ordinal=1)
    (keys,) = ledger(finish_runs, [Finish(run, ME.id, (said, fresh), first=claim.attempt == 1)])
    assert keys == {fresh.key}
    assert ledger(look_up, [said.key])[said.key].state == "sent"


def test_a_replayed_run_of_a_line_is_behind_what_is_there_and_before_what_comes(ledger: Ledger) -> None:
    place = line("dice", HERE)
    first = parked_run(ledger, "e1", line=place)
    said = [message("roll", key=key) for key in ("e2", "e3")]
    tasks: list[Task] = [task(event).model_copy(update={"line": place}) for event in said]
    ledger(route_events, [Routed(said[0], ((tasks[0], 1),), ())])
    assert [claim.attempt for claim in ledger(claim_runs, [(tasks[0].run, ME.id)])] == [1]
    assert ledger(replay, listed(ledger)).replayed == 1
    ledger(route_events, [Routed(said[1], ((tasks[1], 1),), ())])
    # The one that runs is not overtaken.
    assert [claim.attempt for claim in ledger(claim_runs, [(first, ME.id), (tasks[1].run, ME.id)])] == [None, None]
    ledger(finish_runs, [Finish(tasks[0].run, ME.id, (), lined=True)])
    assert ledger(next_in_line, [tasks[0].run]) == [first]
    assert ledger.row(runs, first).due_at is not None
    assert [claim.attempt for claim in ledger(claim_runs, [(first, ME.id)])] == [2]
    ledger(finish_runs, [Finish(first, ME.id, (), lined=True)])
    assert ledger(next_in_line, [first]) == [tasks[1].run]


def test_a_run_is_given_to_the_skill_that_took_the_place_of_its_own(ledger: Ledger) -> None:
    old = parked_run(ledger)
    assert ledger(replay, listed(ledger), fixed.manifest()).replayed == 1
    new = run_id("e1", "fixed", "roll")
    (due,) = ledger(take_due_runs)
    assert (due.id, due.skill, due.handler, due.arguments, due.priority) == (new, "fixed", "roll", {"sides": 6}, 2)
    row = ledger.row(runs, old)
    assert (row.state, row.due_at) == ("skipped", None)
    assert new[:8].upper() in row.error
    assert ledger.row(runs, new).line == line("fixed", HERE)
    assert [claim.attempt for claim in ledger(claim_runs, [(new, ME.id)])] == [1]


def test_what_another_skill_cannot_take_stays_and_says_why(ledger: Ledger) -> None:
    made = one_of_each(ledger)
    other = Skill("other", summary="has no handler")
    problems = ledger(replay, listed(ledger), other.manifest()).problems
    assert len(problems) == 4
    assert any("'other' has no handler 'roll' (it has none)" in problem for problem in problems)
    assert any("is no run but a dead event: replay it without --to" in problem for problem in problems)
    assert {letter.id for letter in listed(ledger)} == set(made.values())
    event = message("roll", key="e1")
    with ledger.engine.begin() as connection:
        connection.execute(delete(events).where(events.c.key == event.key))
    (problem,) = ledger(replay, [one(ledger, made["run"])]).problems
    assert "is forgotten" in problem


def test_a_replayed_event_is_routed_again(ledger: Ledger) -> None:
    ledger(record_events, [message("roll", key="broken")])
    ledger(park_events, [("broken", "KeyError")])
    assert ledger(take_due_events) == []
    assert ledger(replay, listed(ledger)).replayed == 1
    assert [due.key for due in ledger(take_due_events)] == ["broken"]
    event = message("roll", key="broken")
    (due,) = ledger(route_events, [Routed(event, ((task(event), 1),), ())])
    assert due == {task(event).run}
    assert (ledger.row(events, "broken").state, listed(ledger)) == ("routed", [])


def test_a_parked_event_that_is_routed_after_all_is_no_dead_letter(ledger: Ledger) -> None:
    event = message("roll", key="broken")
    ledger(record_events, [event])
    ledger(park_events, [("broken", "KeyError")])
    ledger(route_events, [Routed(event, (), ())])
    assert listed(ledger) == []


def test_replayed_actions_are_sent_in_their_order(ledger: Ledger) -> None:
    ledger(record_refused, [(send(f"k{n}", run="r", ordinal=n), "no") for n in (2, 0, 1)])
    assert ledger(replay, listed(ledger)).replayed == 3
    due = ledger(take_due_actions)
    assert sorted(each.key for each in due) == ["k0", "k1", "k2"]
    assert [wire.decode_action(each.body).ordinal for each in due] == [0, 1, 2]
    ledger(record_sent, [(send("k0", run="r"), sent("m"))])
    assert ledger.row(actions, "k0").parked_at is None


def test_a_replayed_message_is_due_once(ledger: Ledger) -> None:
    id = stray(ledger)
    ledger(replay, listed(ledger))
    assert [each.id for each in ledger(due_strays)] == [id]
    assert listed(ledger) == []
    ledger(return_strays, [], [(id, "there is no such queue")])
    assert [letter.error for letter in listed(ledger)] == ["there is no such queue"]
    ledger(replay, listed(ledger))
    ledger(return_strays, [id], [])
    assert ledger(due_strays) == []


def test_a_message_that_does_not_say_where_it_was_going_can_only_be_dropped(ledger: Ledger) -> None:
    ledger(keep_strays, [read_stray(b"\xff rubbish")])
    (problem,) = ledger(replay, listed(ledger)).problems
    assert "does not say which queue" in problem
    assert ledger(drop, listed(ledger)) == 1
    assert listed(ledger) == []


def test_what_is_dropped_is_gone_and_is_not_done(ledger: Ledger) -> None:
    one_of_each(ledger)
    before = listed(ledger)
    assert ledger(drop, before) == 4
    assert listed(ledger) == []
    assert (ledger(take_due_runs), ledger(take_due_events), ledger(take_due_actions)) == ([], [], [])
    assert ledger(due_strays) == []
    assert ledger(replay, before).replayed == 0
    assert ledger(drop, before) == 0
    row = ledger.row(runs, next(letter.id for letter in before if letter.kind == "run"))
    assert (row.state, row.error) == ("skipped", "dropped by an operator: ValueError: no")


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


def test_a_run_that_was_too_old_to_begin_again_still_says_what_was_wrong(ledger: Ledger) -> None:
    run = parked_run(ledger)
    ledger(replay, listed(ledger))
    ledger(claim_runs, [(run, ME.id)])
    ledger(fail_runs, [Failure(run, ME.id, "too late", None, begun=False)])
    letter = one(ledger, run)
    assert letter.error == "too late; the last attempt: ValueError: no"
    assert letter.row["traceback"] == "Traceback: here"
