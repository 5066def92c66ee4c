"""Dead letters that are put back or thrown away, on both databases."""

import time

from sqlalchemy import delete

from dragoman import Sent, Skill, wire
from dragoman.store.ledger import (
    Claim,
    Failure,
    Finish,
    Routed,
    claim_runs,
    fail_runs,
    finish_runs,
    look_up,
    park_events,
    record_events,
    record_refused,
    record_sent,
    route_events,
)
from dragoman.store.lines import line, next_in_line
from dragoman.store.replaying import drop, replay
from dragoman.store.schema import actions, events, runs
from dragoman.store.strays import due_strays, keep_strays, read_stray, return_strays
from dragoman.store.sweep import take_due_actions, take_due_events, take_due_runs
from dragoman.task import Task, run_id
from support.samples import HERE, message, send, task

from .test_dead import ME, ledger, listed, one, one_of_each, parked_run, stray
from .test_ledger import Ledger

__all__ = ["ledger"]

dice = Skill("dice")
fixed = Skill("fixed", order="conversation")


@dice.command()
def roll() -> str:
    """Roll."""
    return "4"


fixed.command()(roll)


def sent(*ids: str) -> Sent:
    return Sent(ids=ids)


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


def test_a_run_that_was_too_old_to_begin_again_still_says_what_was_wrong(ledger: Ledger) -> None:
    run = parked_run(ledger)
    ledger(replay, listed(ledger))
    ledger(claim_runs, [(run, ME.id)])
    ledger(fail_runs, [Failure(run, ME.id, "too late", None, begun=False)])
    letter = one(ledger, run)
    assert letter.error == "too late; the last attempt: ValueError: no"
    assert letter.row["traceback"] == "Traceback: here"
