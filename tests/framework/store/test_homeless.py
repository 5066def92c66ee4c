"""Runs of a handler that a worker's version of the skill does not have."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from dragoman import Skill
from dragoman.store.catalogue import publish_manifests
from dragoman.store.homeless import PATIENCE, WAITS, Homeless, pass_on
from dragoman.store.ledger import Routed, claim_runs, route_events
from dragoman.store.processes import Process, beat
from dragoman.store.schema import runs
from dragoman.store.sweep import take_due_runs
from support.samples import message, task

TASK = task()
RUN = Homeless(TASK.run, TASK.skill, TASK.handler)


@pytest.fixture
def ledger(store: Engine) -> Callable[..., Any]:
    def call(operation: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with store.begin() as connection:
            return operation(connection, *arguments, **named)

    call(route_events, [Routed(message(), ((TASK, 1),), ())])
    return call


def row(connection: Any) -> Any:
    return connection.execute(select(runs)).one()


def change(connection: Any, **values: Any) -> None:
    connection.execute(update(runs).values(**values))


def publish_it(connection: Any) -> None:
    skill = Skill(TASK.skill)

    def handler() -> str:
        """Be there."""
        return ""

    handler.__name__ = TASK.handler
    skill.command()(handler)
    publish_manifests(connection, [skill.manifest()])


def test_it_is_published_again_soon_and_no_attempt_is_counted(ledger: Callable[..., Any]) -> None:
    assert ledger(pass_on, [RUN]) == [("first", WAITS[0])]
    found = ledger(row)
    assert (found.state, found.failures, found.losses, found.publishes) == ("queued", 0, 0, 0)
    assert found.due_at == pytest.approx(time.time() + WAITS[0], abs=0.9)
    ledger(change, due_at=time.time())
    assert [due.id for due in ledger(take_due_runs)] == [TASK.run]


def test_it_waits_longer_each_time_but_never_for_long(ledger: Callable[..., Any]) -> None:
    ledger(pass_on, [RUN])
    for since, wait in ((2.0, 1.0), (20.0, 10.0), (500.0, WAITS[1])):
        ledger(change, homeless_since=time.time() - since)
        assert ledger(pass_on, [RUN]) == [("again", pytest.approx(wait, abs=0.9))]
        assert ledger(row).due_at == pytest.approx(time.time() + wait, abs=0.9)


def test_when_nobody_has_had_it_for_long_it_is_to_be_given_up(ledger: Callable[..., Any]) -> None:
    ledger(pass_on, [RUN])
    ledger(change, homeless_since=time.time() - PATIENCE - 1)
    assert ledger(pass_on, [RUN]) == [("claim", 0.0)]


def test_as_long_as_the_version_that_is_published_has_it_it_waits(ledger: Callable[..., Any]) -> None:
    ledger(pass_on, [RUN])
    ledger(change, homeless_since=time.time() - PATIENCE * 10)
    ledger(publish_it)
    assert ledger(pass_on, [RUN])[0].outcome == "again"


def test_what_somebody_is_running_or_has_run_needs_nothing(ledger: Callable[..., Any]) -> None:
    ledger(beat, Process("worker", id="me"))
    ledger(claim_runs, [(TASK.run, "me")])
    assert ledger(pass_on, [RUN]) == [("done", 0.0)]
    assert ledger(row).state == "running"


def test_what_the_ledger_does_not_know_is_to_be_claimed_which_parks_it(ledger: Callable[..., Any]) -> None:
    assert ledger(pass_on, [Homeless("nobody", "news", "read")]) == [("claim", 0.0)]
