"""Lines: the runs of one conversation, one after another."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from dragoman import Address, Message
from dragoman.store.ledger import (
    FIRST_LOOK,
    MOST_LOSSES,
    Claim,
    Failure,
    Finish,
    Routed,
    claim_runs,
    fail_runs,
    finish_runs,
    park_events,
    record_events,
    route_events,
)
from dragoman.store.lines import ROUTED, WAKES, conversation, line, next_in_line, positions, put_back
from dragoman.store.processes import Process, beat
from dragoman.store.schema import runs
from dragoman.store.sweep import give_back_lost, runs_to_publish, take_due_runs
from dragoman.task import Task
from support.samples import message, task

from .test_ledger import Ledger

ME = Process("worker", id="me")
HERE = message("x").address


@pytest.fixture
def ledger(store: Engine) -> Ledger:
    found = Ledger(store)
    found(beat, ME)
    return found


def event(number: int, channel: str = "C1", thread: str | None = None) -> Message:
    address = HERE.model_copy(update={"channel": channel, "thread": thread})
    return message("said", key=f"{channel}/{number}").model_copy(update={"address": address})


def lined(event: Message, skill: str = "dice") -> Task:
    return task(event).model_copy(update={"line": line(skill, event.address)})


def record(ledger: Ledger, *events: Message) -> None:
    ledger(record_events, list(events))


def route(ledger: Ledger, *events: Message) -> list[str]:
    tasks = [lined(event) for event in events]
    ledger(route_events, [Routed(e, ((t, 1),), ()) for e, t in zip(events, tasks, strict=True)])
    return [task.run for task in tasks]


def claim(ledger: Ledger, *ids: str) -> list[int | None]:
    return [found.attempt for found in ledger(claim_runs, [(run, ME.id) for run in ids])]


def end(ledger: Ledger, run: str) -> str | None:
    assert ledger(finish_runs, [Finish(run, ME.id, (), True, True)]) == [frozenset()]
    (following,) = ledger(next_in_line, [run])
    assert following is None or isinstance(following, str)
    return following


def test_runs_of_one_conversation_are_given_one_after_another(ledger: Ledger) -> None:
    said = [event(number) for number in range(3)]
    record(ledger, *said)
    one, two, three = route(ledger, *said)
    assert claim(ledger, two, three, one) == [None, None, 1]
    assert ledger(claim_runs, [(two, ME.id)]) == [Claim(None, "queued")]
    assert end(ledger, one) == two
    assert claim(ledger, three, two) == [None, 1]
    assert end(ledger, two) == three
    assert claim(ledger, three) == [1]
    assert end(ledger, three) is None


def test_threads_belong_to_their_channel_and_other_channels_and_skills_do_not_wait(ledger: Ledger) -> None:
    first, inside, elsewhere = event(1), event(2, thread="T"), event(3, channel="C2")
    record(ledger, first, inside, elsewhere)
    one, two, three = route(ledger, first, inside, elsewhere)
    assert claim(ledger, one, two, three) == [1, None, 1]
    assert line("dice", first.address) != line("poll", first.address)


def test_what_is_not_routed_yet_is_waited_for(ledger: Ledger) -> None:
    first, second = event(1), event(2)
    record(ledger, first, second)
    (two,) = route(ledger, second)
    assert claim(ledger, two) == [None]
    assert 0 < ledger.row(runs, two).due_at - time.time() <= ROUTED
    (one,) = route(ledger, first)
    assert claim(ledger, two, one) == [None, 1]


def test_an_event_that_nobody_wanted_or_that_was_set_aside_holds_up_nobody(ledger: Ledger) -> None:
    unwanted, broken, last = event(1), event(2), event(3)
    record(ledger, unwanted, broken, last)
    ledger(route_events, [Routed(unwanted, (), ())])
    ledger(park_events, [(broken.key, "garbage")])
    (run,) = route(ledger, last)
    assert claim(ledger, run) == [1]


def test_who_waits_is_not_swept_but_looked_after_in_case_nobody_wakes_it(ledger: Ledger) -> None:
    said = [event(1), event(2)]
    record(ledger, *said)
    one, two = route(ledger, *said)
    claim(ledger, one, two)
    assert WAKES - 5 < ledger.row(runs, two).due_at - time.time() <= WAKES
    end(ledger, one)
    # Should this worker die before it has published it, it does not wait for long.
    assert 0 < ledger.row(runs, two).due_at - time.time() <= FIRST_LOOK


def test_who_was_put_back_is_published_however_many_wait_in_its_queue(ledger: Ledger) -> None:
    said = [event(number) for number in range(2)]
    record(ledger, *said)
    one, two = route(ledger, *said)
    assert ledger.row(runs, two).publishes == 1
    claim(ledger, one, two)
    # Its message has been acknowledged: nothing of it is on its way.
    assert ledger.row(runs, two).publishes == 0
    unrouted, third = event(2), event(3)
    record(ledger, unrouted, third)
    (three,) = route(ledger, third)
    end(ledger, one)
    claim(ledger, two)
    end(ledger, two)
    assert claim(ledger, three) == [None]
    assert ledger.row(runs, three).publishes == 0


def test_who_was_woken_meanwhile_is_not_put_back(ledger: Ledger) -> None:
    said = [event(number) for number in range(2)]
    record(ledger, *said)
    one, two = route(ledger, *said)
    claim(ledger, one)
    woken = runs.update().where(runs.c.id == two).values(publishes=0, due_at=5.0)
    ledger(lambda connection: connection.execute(woken))
    ledger(put_back, [two])
    assert ledger.row(runs, two).due_at == 5.0


def test_a_retry_keeps_its_place_and_the_last_failure_lets_the_next_one_go(ledger: Ledger) -> None:
    said = [event(1), event(2)]
    record(ledger, *said)
    one, two = route(ledger, *said)
    claim(ledger, one)
    ledger(fail_runs, [Failure(one, ME.id, "no", time.time() + 60)])
    assert claim(ledger, two) == [None]
    assert ledger(next_in_line, [one]) == [None]  # it waits for its time
    assert claim(ledger, one) == [2]
    ledger(fail_runs, [Failure(one, ME.id, "no", None)])
    assert ledger(next_in_line, [one]) == [two]
    assert claim(ledger, two) == [1]


def test_a_run_whose_workers_all_died_lets_the_next_one_go(ledger: Ledger) -> None:
    said = [event(1), event(2)]
    record(ledger, *said)
    one, two = route(ledger, *said)
    claim(ledger, one, two)
    dead = runs.update().where(runs.c.id == one).values(owner="dead", losses=MOST_LOSSES - 1)
    ledger(lambda connection: connection.execute(dead))
    _, parked = ledger(give_back_lost)
    assert [run.id for run in parked] == [one]
    assert two in {run.id for run in ledger(take_due_runs)}
    assert claim(ledger, two) == [1]


def test_a_run_is_published_with_its_event(ledger: Ledger) -> None:
    record(ledger, event(1))
    (one,) = route(ledger, event(1))
    (found, missing) = ledger(runs_to_publish, [one, "nothing"])
    assert (found.id, found.skill, missing) == (one, "dice", None)
    assert '"C1/1"' in found.event


def test_those_that_want_no_order_are_in_no_line(ledger: Ledger) -> None:
    said = [event(1), event(2)]
    record(ledger, *said)
    tasks = [task(each) for each in said]
    ledger(route_events, [Routed(e, ((t, 1),), ()) for e, t in zip(said, tasks, strict=True)])
    assert claim(ledger, tasks[1].run, tasks[0].run) == [1, 1]
    assert end(ledger, tasks[0].run) is None


def test_what_came_through_no_gateway_of_ours_has_its_place_as_well(ledger: Ledger) -> None:
    one, two = route(ledger, event(1), event(2))
    assert claim(ledger, two, one) == [None, 1]


def test_positions_only_grow() -> None:
    taken = [number for count in (3, 1, 5) for number in positions(count)]
    assert taken == sorted(set(taken))


@given(st.tuples(st.text(min_size=1), st.text(min_size=1)), st.tuples(st.text(min_size=1), st.text(min_size=1)))
def test_no_two_channels_are_one_conversation(one: tuple[str, str], other: tuple[str, str]) -> None:
    places = [Address(account="a", tenant=tenant[:200], channel=channel[:200]) for tenant, channel in (one, other)]
    assert (conversation(places[0]) == conversation(places[1])) is (places[0] == places[1])


def route_as(ledger: Ledger, policy: str, *events: Message) -> tuple[list[str], set[str]]:
    """Route them in one batch: their runs, and which of them are to be published."""
    tasks = [lined(event).model_copy(update={"policy": policy}) for event in events]
    due = ledger(route_events, [Routed(e, ((t, 1),), ()) for e, t in zip(events, tasks, strict=True)])
    return [task.run for task in tasks], {run for each in due for run in each}


def test_the_latest_takes_the_place_of_what_nobody_has_begun(ledger: Ledger) -> None:
    said = [event(number) for number in range(5)]
    record(ledger, *said)
    [one], _ = route_as(ledger, "latest", said[0])
    assert claim(ledger, one) == [1]
    [two], _ = route_as(ledger, "latest", said[1])
    [three, four], due = route_as(ledger, "latest", said[2], said[3])
    assert due == {four}
    assert [ledger.row(runs, run).state for run in (one, two, three, four)] == [
        "running",
        "skipped",
        "skipped",
        "queued",
    ]
    assert ledger.row(runs, two).error == "a later one took its place"
    assert ledger(claim_runs, [(two, ME.id)]) == [Claim(None, "skipped")]
    assert end(ledger, one) == four
    assert claim(ledger, four) == [1]
    # What is being tried again has begun, and stays.
    ledger(fail_runs, [Failure(four, ME.id, "no", time.time() + 60)])
    [five], _ = route_as(ledger, "latest", said[4])
    assert [ledger.row(runs, run).state for run in (four, five)] == ["queued", "queued"]


def test_what_comes_while_it_is_busy_is_dropped(ledger: Ledger) -> None:
    said = [event(number) for number in range(4)]
    record(ledger, *said, event(9, channel="C2"))
    [one, two], due = route_as(ledger, "drop_while_busy", said[0], said[1])
    assert due == {one}
    assert ledger.row(runs, two).state == "skipped"
    claim(ledger, one)
    [three], due = route_as(ledger, "drop_while_busy", said[2])
    assert (due, ledger.row(runs, three).state) == (set(), "skipped")
    _, due = route_as(ledger, "drop_while_busy", event(9, channel="C2"))
    assert len(due) == 1, "another conversation is not busy"
    end(ledger, one)
    [four], due = route_as(ledger, "drop_while_busy", said[3])
    assert due == {four}
    assert claim(ledger, four) == [1]


def test_what_was_left_out_is_left_out_when_its_event_comes_again(ledger: Ledger) -> None:
    said = [event(number) for number in range(2)]
    record(ledger, *said)
    [one, two], _ = route_as(ledger, "drop_while_busy", *said)
    claim(ledger, one)
    end(ledger, one)
    _, due = route_as(ledger, "drop_while_busy", said[1])
    assert due == set()
    assert ledger.row(runs, two).state == "skipped"
