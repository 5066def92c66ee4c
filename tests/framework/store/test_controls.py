"""What has been said of skills is kept, and only one worker changes it."""

import time

import pytest
from sqlalchemy import Engine

from dragoman.store.controls import (
    LONGEST_PAUSE,
    PURGED,
    Control,
    close_breaker,
    open_breaker,
    purge_runs,
    read_controls,
    set_concurrency,
    set_state,
    take_trial,
)
from dragoman.store.ledger import Finish, claim_runs, finish_runs
from dragoman.store.processes import Process, beat
from dragoman.store.schema import controls, runs
from dragoman.store.standing import backlogs, workers
from dragoman.store.sweep import forget_old, take_due_runs
from dragoman.task import Task
from support.samples import message, task

from .test_ledger import Ledger

ME = Process("worker.default", id="me")


@pytest.fixture
def ledger(store: Engine) -> Ledger:
    found = Ledger(store)
    found(beat, ME)
    return found


def said(ledger: Ledger, skill: str = "dice") -> Control | None:
    found: dict[str, Control] = ledger(read_controls)
    return found.get(skill)


def test_of_most_skills_nothing_is_said(ledger: Ledger) -> None:
    assert ledger(read_controls) == {}


def test_a_pause_and_a_number_of_runs_do_not_touch_each_other(ledger: Ledger) -> None:
    ledger(set_concurrency, "dice", 3)
    ledger(set_state, "dice", "paused", "it is broken")
    assert said(ledger) == Control("dice", "paused", 3, "it is broken")
    ledger(set_state, "dice", "running")
    assert said(ledger) == Control("dice", "running", 3)
    ledger(set_concurrency, "dice", None)
    assert said(ledger) == Control("dice")


def test_of_two_workers_that_see_a_skill_fail_one_opens_the_breaker(ledger: Ledger) -> None:
    assert ledger(open_breaker, "dice", "all failed", 60.0)
    assert not ledger(open_breaker, "dice", "all failed", 60.0)
    found = said(ledger)
    assert found is not None
    assert found.broken
    assert found.until is not None
    assert found.until == pytest.approx(time.time() + 60, abs=5)


def test_the_breaker_leaves_alone_what_an_operator_has_said(ledger: Ledger) -> None:
    for state in ("paused", "draining"):
        ledger(set_state, "dice", state, "by hand")
        assert not ledger(open_breaker, "dice", "all failed", 60.0)
        assert said(ledger) == Control("dice", state, reason="by hand")


def test_one_worker_tries_one_run_when_the_pause_is_over(ledger: Ledger) -> None:
    ledger(open_breaker, "dice", "all failed", 60.0)
    assert not ledger(take_trial, "dice", "me", 90.0)
    ledger.set(controls, until=time.time() - 1)
    assert ledger(take_trial, "dice", "me", 90.0)
    assert not ledger(take_trial, "dice", "you", 90.0)
    # It died: another may try.
    ledger.set(controls, until=time.time() - 1)
    assert ledger(take_trial, "dice", "you", 90.0)
    assert not ledger(close_breaker, "dice", "me", None)
    assert ledger(close_breaker, "dice", "you", None)
    assert said(ledger) == Control("dice")


def test_a_trial_that_fails_pauses_for_twice_as_long_and_an_hour_at_most(ledger: Ledger) -> None:
    ledger(open_breaker, "dice", "all failed", 1000.0)
    for wanted in (2000.0, LONGEST_PAUSE, LONGEST_PAUSE):
        ledger.set(controls, until=time.time() - 1)
        assert ledger(take_trial, "dice", "me", 90.0)
        assert ledger(close_breaker, "dice", "me", "failed again")
        found = said(ledger)
        assert found is not None
        assert found.length == wanted
        assert found.reason == "failed again"
        assert found.trial is None


def test_an_operator_who_resumes_a_skill_ends_what_the_breaker_did(ledger: Ledger) -> None:
    ledger(open_breaker, "dice", "all failed", 60.0)
    ledger(set_state, "dice", "running")
    assert said(ledger) == Control("dice")


def queued(ledger: Ledger, number: int, line: str = "") -> Task:
    event = message("roll", key=f"e{number}")
    wanted = task(event).model_copy(update={"line": line})
    ledger.routed(f"e{number}", [wanted])
    return wanted


def test_purging_skips_what_nobody_has_begun(ledger: Ledger) -> None:
    begun, waits = queued(ledger, 1), [queued(ledger, number) for number in (2, 3, 4)]
    ledger(claim_runs, [(begun.run, ME.id)])
    now = time.time()
    assert ledger(purge_runs, begun.skill, now - 60) == 0  # asked for after the operator has said so
    assert ledger(purge_runs, "other", now) == 0
    assert [ledger(purge_runs, begun.skill, now, 2) for _ in range(3)] == [2, 1, 0]
    for each in waits:
        row = ledger.row(runs, each.run)
        assert (row.state, row.error, row.due_at) == ("skipped", PURGED, None)
        # A worker that has its message is told that it is not to be run.
        assert ledger(claim_runs, [(each.run, ME.id)])[0].attempt is None
    assert ledger.row(runs, begun.run).state == "running"
    ledger(forget_old, time.time() + 1)
    assert ledger.count(runs) == 1


def test_purging_leaves_no_line_behind(ledger: Ledger) -> None:
    first, second = queued(ledger, 1, "dice|c"), queued(ledger, 2, "dice|c")
    ledger(purge_runs, first.skill, time.time())
    third = queued(ledger, 3, "dice|c")
    assert ledger.row(runs, second.run).state == "skipped"
    assert ledger(claim_runs, [(third.run, ME.id)])[0].attempt == 1


def test_the_backlog_is_counted_for_each_queue(ledger: Ledger) -> None:
    tasks = [queued(ledger, number) for number in (1, 2, 3)]
    skill = tasks[0].skill
    ledger(claim_runs, [(tasks[0].run, ME.id), (tasks[1].run, ME.id)])
    ledger(finish_runs, [Finish(tasks[0].run, ME.id, ())])
    found = ledger(backlogs)["skill", skill]
    assert (found.waiting, found.running, found.rate) == (1, 1, 0.2)
    assert found.since == pytest.approx(time.time(), abs=5)
    assert ledger(backlogs)["router", ""].rate == pytest.approx(0.6)
    assert ledger(backlogs)["dead", ""].waiting == 0
    assert ledger(workers) == {"worker.default": 1}
    assert ledger(take_due_runs) == []  # they were published a moment ago
