"""The ledger's promises, on both databases."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select, update

from dragoman import Sent, wire
from dragoman.store import sweep
from dragoman.store.ledger import (
    FIRST_LOOK,
    MOST_LOSSES,
    Claim,
    Failure,
    Finish,
    Known,
    Routed,
    claim_runs,
    fail_runs,
    finish_runs,
    flush_runs,
    look_up,
    park_events,
    postpone_actions,
    record_events,
    record_refused,
    record_sent,
    route_events,
)
from dragoman.store.processes import Process, beat, bury
from dragoman.store.schema import actions, events, runs
from dragoman.store.sweep import (
    LONGEST_LOOK,
    forget_actions,
    forget_old,
    give_back_lost,
    take_due_actions,
    take_due_events,
    take_due_runs,
)
from dragoman.task import Task
from support.samples import message, send, task

ME = Process("worker", id="me")
OTHER = Process("worker", id="other")
RUN = task().run


class Ledger:
    """Each call is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __call__(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        with self.engine.begin() as connection:
            return operation(connection, *arguments)

    def row(self, table: Table, key: str) -> Any:
        column = next(iter(table.primary_key.columns))
        return self(lambda connection: connection.execute(select(table).where(column == key)).one())

    def count(self, table: Table) -> int:
        return len(self(lambda connection: connection.execute(select(table)).all()))

    def set(self, table: Table, **values: Any) -> None:
        self(lambda connection: connection.execute(update(table).values(**values)))

    def routed(self, key: str = "e1", found: Sequence[Task] | None = None) -> Task:
        """An event with a run that waits for a worker."""
        event = message("roll", key=key)
        wanted = [task(event)] if found is None else found
        self(record_events, [event])
        self(route_events, [Routed(event, tuple((t, 1) for t in wanted), ())])
        return wanted[0]

    def claimed(self, owner: Process = ME) -> Task:
        """A run that its living owner has."""
        found = self.routed()
        self(beat, owner)
        assert self(claim_runs, [(found.run, owner.id)])[0].attempt == 1
        return found


@pytest.fixture
def ledger(store: Engine) -> Ledger:
    return Ledger(store)


# -- events -------------------------------------------------------------------------------------------


def test_an_event_is_new_once_also_within_one_batch(ledger: Ledger) -> None:
    one, two = message("a", key="e1"), message("b", key="e2")
    assert ledger(record_events, [one, two, one]) == [True, True, False]
    assert ledger(record_events, [two, message("c", key="e3")]) == [False, True]
    assert ledger.count(events) == 3


def test_a_recorded_event_can_be_read_back_and_is_looked_after(ledger: Ledger) -> None:
    before = time.time()
    ledger(record_events, [message("a")])
    row = ledger.row(events, "e1")
    assert wire.decode_event(row.body) == message("a")
    assert (row.state, row.account, row.publishes) == ("received", "acme", 1)
    assert before + FIRST_LOOK <= row.due_at <= time.time() + FIRST_LOOK


def test_many_events_at_once_are_each_answered_for(ledger: Ledger) -> None:
    many = [message("a", key=f"e{n % 700}") for n in range(1_000)]
    assert ledger(record_events, many) == [True] * 700 + [False] * 300


def test_a_routed_event_gives_its_runs_and_answers_to_publish(ledger: Ledger) -> None:
    event, answer = message("roll"), send("answer")
    ledger(record_events, [event])
    found, other = task(event), task(event, handler="other")
    (due,) = ledger(route_events, [Routed(event, ((found, 2), (other, 1)), (answer,))])
    assert due == {found.run, other.run, "answer"}
    assert (ledger.row(events, "e1").state, ledger.row(events, "e1").due_at) == ("routed", None)
    row = ledger.row(runs, found.run)
    assert (row.state, row.skill, row.handler, row.priority, row.event_key) == ("queued", "dice", "roll", 2, "e1")
    assert ledger.row(actions, "answer").state == "pending"


def test_an_event_that_is_routed_again_gets_the_runs_that_nobody_has_begun(ledger: Ledger) -> None:
    event = message("roll")
    begun, waiting = task(event), task(event, handler="other")
    item = Routed(event, ((begun, 1), (waiting, 1)), (send("answer"),))
    ledger(route_events, [item])
    ledger(beat, ME)
    ledger(claim_runs, [(begun.run, ME.id)])
    assert ledger(route_events, [item]) == [{waiting.run}]
    assert ledger.count(runs) == 2


def test_an_event_that_is_routed_again_does_not_cut_a_retrys_wait_short(ledger: Ledger) -> None:
    found = ledger.claimed()
    ledger(fail_runs, [Failure(found.run, ME.id, "no", time.time() + 60)])
    assert ledger(route_events, [Routed(message("roll"), ((found, 1),), ())]) == [frozenset()]


def test_one_event_twice_in_a_batch_makes_one_run(ledger: Ledger) -> None:
    item = Routed(message("roll"), ((task(), 1),), ())
    ledger(route_events, [item, item])
    assert (ledger.count(events), ledger.count(runs)) == (1, 1)


def test_an_event_that_no_gateway_recorded_is_recorded_by_the_router(ledger: Ledger) -> None:
    ledger(route_events, [Routed(message("roll"), (), ())])
    assert wire.decode_event(ledger.row(events, "e1").body) == message("roll")


def test_an_event_that_cannot_be_routed_is_set_aside_with_the_reason(ledger: Ledger) -> None:
    ledger(record_events, [message("a"), message("b", key="e2")])
    ledger(park_events, [("e1", "a \0 and \ud800"), ("e2", "b")])
    row = ledger.row(events, "e1")
    assert (row.state, row.due_at, row.error) == ("parked", None, "a \ufffd and ?")
    assert ledger.row(events, "e2").error == "b"


# -- claims -------------------------------------------------------------------------------------------


def test_a_run_is_given_once(ledger: Ledger) -> None:
    ledger.claimed()
    assert ledger(claim_runs, [(RUN, ME.id)]) == [Claim(None, "running")]
    assert ledger(claim_runs, [(RUN, OTHER.id)]) == [Claim(None, "running")]


def test_a_run_is_given_once_also_within_one_batch(ledger: Ledger) -> None:
    ledger.routed()
    ledger(beat, ME)
    first, second = ledger(claim_runs, [(RUN, ME.id), (RUN, OTHER.id)])
    assert (first.attempt, second) == (1, Claim(None, "running"))
    assert ledger.row(runs, RUN).owner == ME.id


def test_a_run_that_is_not_in_the_ledger_is_unknown(ledger: Ledger) -> None:
    assert ledger(claim_runs, [("nothing", ME.id)]) == [Claim(None, "unknown")]


def test_a_run_that_is_done_is_not_given_again(ledger: Ledger) -> None:
    ledger.claimed()
    ledger(finish_runs, [Finish(RUN, ME.id, ())])
    assert ledger(claim_runs, [(RUN, OTHER.id)]) == [Claim(None, "done")]


def test_a_run_is_taken_over_when_its_owner_is_dead_and_only_then(ledger: Ledger) -> None:
    ledger.claimed()
    assert ledger(claim_runs, [(RUN, OTHER.id)]) == [Claim(None, "running")]
    ledger(bury, ME.pid)
    assert ledger(claim_runs, [(RUN, OTHER.id)]) == [Claim(2, "running", 0)]
    row = ledger.row(runs, RUN)
    assert (row.owner, row.losses, row.failures) == (OTHER.id, 1, 0)


def test_a_run_that_has_lost_too_many_workers_is_not_given_to_one_more(ledger: Ledger) -> None:
    ledger.claimed()
    ledger(bury, ME.pid)
    ledger.set(runs, losses=MOST_LOSSES - 1)
    assert ledger(claim_runs, [(RUN, OTHER.id)]) == [Claim(None, "running")]
    again, parked = ledger(give_back_lost)
    assert (again, [run.id for run in parked]) == ([], [RUN])


def test_two_workers_that_ask_at_the_same_time_do_not_both_get_it(ledger: Ledger) -> None:
    ledger.routed()
    ledger(beat, ME)
    ledger(beat, OTHER)
    together, claims = threading.Barrier(2), []

    def ask(process: Process) -> None:
        together.wait(10)
        claims.append(ledger(claim_runs, [(RUN, process.id)])[0].attempt)

    threads = [threading.Thread(target=ask, args=(process,)) for process in (ME, OTHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(claims, key=str) == [1, None]


# -- ends ---------------------------------------------------------------------------------------------


def test_a_run_ends_with_what_it_said(ledger: Ledger) -> None:
    ledger.claimed()
    said = send("a0", run=RUN)
    assert ledger(finish_runs, [Finish(RUN, ME.id, (said,))]) == [{"a0"}]
    row = ledger.row(runs, RUN)
    assert (row.state, row.owner, row.due_at) == ("done", None, None)
    assert row.finished_at is not None
    assert wire.decode_action(ledger.row(actions, "a0").body) == said


def test_what_was_taken_over_cannot_be_finished_failed_or_flushed_by_its_old_owner(ledger: Ledger) -> None:
    ledger.claimed()
    ledger(bury, ME.pid)
    ledger(claim_runs, [(RUN, OTHER.id)])
    said = (send("a0", run=RUN),)
    assert ledger(finish_runs, [Finish(RUN, ME.id, said)]) == [None]
    assert ledger(flush_runs, [Finish(RUN, ME.id, said)]) == [None]
    assert ledger(fail_runs, [Failure(RUN, ME.id, "no", None, said[0])]) == [None]
    assert ledger.row(runs, RUN).state == "running"
    assert ledger.count(actions) == 0
    assert ledger(finish_runs, [Finish(RUN, OTHER.id, said)]) == [{"a0"}]


def test_what_does_not_exist_cannot_be_ended(ledger: Ledger) -> None:
    assert ledger(finish_runs, [Finish("nothing", ME.id, ())]) == [None]
    assert ledger(flush_runs, [Finish("nothing", ME.id, ())]) == [None]
    assert ledger(fail_runs, [Failure("nothing", ME.id, "", None)]) == [None]


def test_what_has_left_early_does_not_leave_again_at_the_end(ledger: Ledger) -> None:
    ledger.claimed()
    early, late = send("a0", run=RUN), send("a1", run=RUN, ordinal=1)
    assert ledger(flush_runs, [Finish(RUN, ME.id, (early,))]) == [{"a0"}]
    assert ledger.row(runs, RUN).state == "running"
    assert ledger(finish_runs, [Finish(RUN, ME.id, (early, late))]) == [{"a1"}]


def test_a_failed_run_waits_for_its_retry_and_counts(ledger: Ledger) -> None:
    ledger.claimed()
    at = time.time() + 60
    assert ledger(fail_runs, [Failure(RUN, ME.id, "first", at)]) == [frozenset()]
    row = ledger.row(runs, RUN)
    assert (row.state, row.failures, row.owner, row.due_at, row.error) == ("queued", 1, None, at, "first")
    assert ledger(take_due_runs) == []
    ledger.set(runs, due_at=time.time() - 1)
    (due,) = ledger(take_due_runs)
    assert (due.id, due.again) == (RUN, False)
    assert ledger(claim_runs, [(RUN, OTHER.id)]) == [Claim(2, "running", 1)]


def test_a_run_that_failed_for_the_last_time_is_parked_with_its_answer(ledger: Ledger) -> None:
    ledger.claimed()
    assert ledger(fail_runs, [Failure(RUN, ME.id, "last", None, send("sorry"))]) == [{"sorry"}]
    row = ledger.row(runs, RUN)
    assert (row.state, row.due_at, row.error, row.failures) == ("parked", None, "last", 1)
    assert row.finished_at is not None
    assert ledger(claim_runs, [(RUN, OTHER.id)]) == [Claim(None, "parked")]


def test_an_errors_text_that_no_database_takes_does_not_keep_the_run_from_ending(ledger: Ledger) -> None:
    ledger.claimed()
    ledger(fail_runs, [Failure(RUN, ME.id, "NUL \0 and half a pair \ud83d", None)])
    assert ledger.row(runs, RUN).error == "NUL \ufffd and half a pair ?"


def test_several_runs_are_ended_in_one_batch_each_with_its_own_answer(ledger: Ledger) -> None:
    ledger(beat, ME)
    found = [ledger.routed(key=f"e{n}").run for n in range(3)]
    ledger(claim_runs, [(run, ME.id) for run in found])
    items = [Finish(run, ME.id, (send(f"a{n}", run=run),)) for n, run in enumerate(found)]
    items.insert(1, Finish("nothing", ME.id, (send("x"),)))
    assert ledger(finish_runs, items) == [{"a0"}, None, {"a1"}, {"a2"}]


# -- actions ------------------------------------------------------------------------------------------


def test_what_was_sent_stays_sent(ledger: Ledger) -> None:
    action = send("a0")
    ledger(record_sent, [(action, Sent(ids=("m1", "m2")))])
    ledger(record_refused, [(action, "channel_not_found")])
    ledger(record_sent, [(action, Sent(ids=("m3",)))])
    ledger(postpone_actions, [action])
    assert ledger(look_up, ["a0", "unknown"]) == {"a0": Known("sent", Sent(ids=("m1", "m2")))}
    assert ledger.row(actions, "a0").due_at is None


def test_what_was_refused_is_parked_with_the_reason(ledger: Ledger) -> None:
    ledger(postpone_actions, [send("a0")])
    ledger(record_refused, [(send("a0"), "no \0 such channel")])
    row = ledger.row(actions, "a0")
    assert (row.state, row.error, row.due_at) == ("parked", "no \ufffd such channel", None)
    assert ledger(take_due_actions) == []


def test_an_action_of_another_program_is_recorded_when_it_is_postponed(ledger: Ledger) -> None:
    ledger(postpone_actions, [send("a0"), send("a0")])
    assert ledger(look_up, ["a0"]) == {"a0": Known("pending", Sent())}


# -- the sweeper's questions --------------------------------------------------------------------------


def test_what_is_not_yet_due_is_left_alone(ledger: Ledger) -> None:
    ledger.routed(found=[task()])
    ledger(record_events, [message("a", key="e2")])
    ledger(postpone_actions, [send("a0")])
    assert (ledger(take_due_events), ledger(take_due_runs), ledger(take_due_actions)) == ([], [], [])


def test_an_event_that_no_router_has_taken_is_due_again_and_only_once_at_a_time(ledger: Ledger) -> None:
    ledger(record_events, [message("a")])
    ledger.set(events, due_at=time.time() - 1)
    (due,) = ledger(take_due_events)
    assert (due.key, due.account, due.again) == ("e1", "acme", True)
    assert wire.decode_event(due.body) == message("a")
    assert ledger(take_due_events) == []


def test_runs_that_no_worker_has_taken_are_due_with_their_event(ledger: Ledger) -> None:
    ledger.routed(found=[task(dice="2d6")])
    ledger.set(runs, due_at=time.time() - 1)
    (due,) = ledger(take_due_runs)
    assert (due.id, due.skill, due.handler, due.arguments, due.again) == (RUN, "dice", "roll", {"dice": "2d6"}, True)
    assert wire.decode_event(due.event) == message("roll")
    ledger(beat, ME)
    ledger(claim_runs, [(RUN, ME.id)])
    ledger.set(runs, due_at=time.time() - 1)
    assert ledger(take_due_runs) == []


def test_actions_that_are_due_come_in_the_order_in_which_they_were_made(ledger: Ledger) -> None:
    ledger(postpone_actions, [send(f"a{n}", run="r", ordinal=n) for n in (1, 0, 2)])
    ledger.set(actions, due_at=time.time() - 1)
    assert [due.key for due in ledger(take_due_actions)] == ["a0", "a1", "a2"]


def test_no_more_is_taken_at_once_than_was_asked_for(ledger: Ledger) -> None:
    ledger(record_events, [message("a", key=f"e{n}") for n in range(5)])
    ledger.set(events, due_at=time.time() - 1)
    assert [len(ledger(take_due_events, 3)) for _ in range(3)] == [3, 2, 0]


def test_each_further_look_comes_later_up_to_a_longest_wait(ledger: Ledger) -> None:
    ledger(record_events, [message("a")])
    waits = []
    for _ in range(12):
        ledger.set(events, due_at=time.time() - 1)
        now = time.time()
        ledger(take_due_events)
        waits.append(round(ledger.row(events, "e1").due_at - now))
    assert waits[:3] == [10, 20, 40]
    assert waits[-1] == LONGEST_LOOK
    assert waits == sorted(waits)


def test_what_has_waited_for_weeks_does_not_stop_the_sweeper(ledger: Ledger) -> None:
    ledger(record_events, [message("a")])
    ledger.set(events, due_at=time.time() - 1, publishes=5_000)
    assert [due.key for due in ledger(take_due_events)] == ["e1"]


def test_runs_of_dead_workers_are_given_back_at_once(ledger: Ledger) -> None:
    ledger.claimed()
    assert ledger(give_back_lost) == ([], [])
    ledger(bury, ME.pid)
    assert ledger(give_back_lost) == ([RUN], [])
    row = ledger.row(runs, RUN)
    assert (row.state, row.owner, row.losses) == ("queued", None, 1)
    (due,) = ledger(take_due_runs)
    assert (due.id, due.again) == (RUN, False)


def test_a_run_whose_worker_nobody_ever_heard_of_is_given_back(ledger: Ledger) -> None:
    ledger.routed()
    ledger(claim_runs, [(RUN, "ghost")])
    assert ledger(give_back_lost) == ([RUN], [])


def test_a_run_that_keeps_killing_its_workers_is_parked(ledger: Ledger) -> None:
    ledger.routed()
    for n in range(MOST_LOSSES):
        assert ledger(claim_runs, [(RUN, "ghost")])[0].attempt == n + 1
        again, parked = ledger(give_back_lost)
    assert (again, [run.id for run in parked]) == ([], [RUN])
    row = ledger.row(runs, RUN)
    assert (row.state, row.losses, row.due_at) == ("parked", MOST_LOSSES, None)
    assert "died" in row.error


def test_what_is_old_and_done_is_forgotten_and_what_is_not_done_is_kept(ledger: Ledger) -> None:
    old, future = time.time() - 100, time.time() + 100
    for key, end in (("done", "done"), ("parked", "parked"), ("queued", None), ("running", None)):
        found = ledger.routed(key=key)
        if end or key == "running":
            ledger(beat, ME)
            ledger(claim_runs, [(found.run, ME.id)])
        if end == "done":
            ledger(finish_runs, [Finish(found.run, ME.id, ())])
        if end == "parked":
            ledger(fail_runs, [Failure(found.run, ME.id, "no", None)])
    ledger(record_events, [message("a", key="received")])
    ledger(record_sent, [(send("sent"), Sent())])
    ledger(record_refused, [(send("refused"), "no")])
    ledger(postpone_actions, [send("pending")])
    assert (ledger(forget_old, old), ledger(forget_actions, old, old)) == (0, 0)
    assert (ledger(forget_old, future), ledger(forget_actions, future, future)) == (2, 2)
    kept = ledger(
        lambda c: (c.execute(select(events.c.key)).scalars().all(), c.execute(select(runs.c.state)).scalars().all())
    )
    assert sorted(kept[0]) == ["queued", "received", "running"]
    assert sorted(kept[1]) == ["queued", "running"]
    assert ledger(lambda c: c.execute(select(actions.c.key)).scalars().all()) == ["pending"]


def test_two_sweepers_do_not_take_the_same(ledger: Ledger) -> None:
    ledger(record_events, [message("a", key=f"e{n}") for n in range(50)])
    ledger.set(events, due_at=time.time() - 1)
    together = threading.Barrier(2)
    taken: list[str] = []

    def look() -> None:
        together.wait(10)
        for _ in range(5):
            taken.extend(due.key for due in ledger(take_due_events, 10))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(taken) == sorted(f"e{n}" for n in range(50))


def test_the_sweepers_limits_are_the_ledgers() -> None:
    assert sweep.MOST_LOSSES == MOST_LOSSES
