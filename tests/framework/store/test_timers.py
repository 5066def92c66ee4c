"""Timers in SQL, on both databases: added once, taken once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select, update

from dragoman import SkillError, SkillManifest, StoreError, wire
from dragoman.store.engine import connect
from dragoman.store.schema import events, timers
from dragoman.store.timers import TimerRows, take_due_timers
from dragoman.timers import timer_id
from support.timers import HERE, next_now, publish, take, timer


@pytest.fixture
def rows(store: Engine) -> TimerRows:
    """Of a store whose catalogue has the skill ``remind``."""
    publish(store, SkillManifest(name="remind"))
    return TimerRows(store)


def test_what_is_due_is_the_event_that_was_asked_for(store: Engine, rows: TimerRows) -> None:
    rows.add(timer(text="büro 🙂\0"))
    assert take(store, 99.9) == []
    (event,) = take(store, 100.0)
    assert (event.key, event.due, event.occurred) == (f"schedule/{timer_id('one')}", 100.0, 100.0)
    assert (event.address, event.channel_name, event.person) == (HERE, "general", timer().event.person)
    assert event.arguments == {"text": "büro 🙂\0"}
    assert event.hops == (("scheduler", 100.0),)
    assert len(event.traceparent) == 55
    assert rows.pending("remind") == []


def test_it_is_in_the_ledger_when_it_has_been_taken(store: Engine, rows: TimerRows) -> None:
    rows.add(timer())
    (event,) = take(store, 1000.0)
    with store.begin() as connection:
        (row,) = connection.execute(select(events)).all()
    assert (row.key, row.state, row.account) == (event.key, "received", "acme")
    assert wire.decode_event(row.body) == event


def test_what_is_taken_is_taken_once(store: Engine, rows: TimerRows) -> None:
    rows.add(timer())
    assert len(take(store, 1000.0)) == 1
    assert take(store, 1000.0) == []


def test_many_who_take_at_once_take_each_once(store: Engine, rows: TimerRows) -> None:
    for number in range(40):
        rows.add(timer(f"t{number}"))
    barrier = threading.Barrier(4)

    def work() -> list[str]:
        barrier.wait(10)
        found = []
        while (taken := take(store, 1000.0, 7)) or next_now(store):
            found += [event.key for event in taken]
        return found

    with ThreadPoolExecutor(4) as pool:
        keys = [key for done in [pool.submit(work) for _ in range(4)] for key in done.result(30)]
    assert sorted(keys) == sorted(f"schedule/{timer_id(f't{number}')}" for number in range(40))


def test_a_transaction_that_fails_takes_nothing(store: Engine, rows: TimerRows) -> None:
    rows.add(timer())

    def die() -> None:
        with store.begin() as connection:
            assert len(take_due_timers(connection, 1000.0)) == 1
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        die()
    assert len(take(store, 1000.0)) == 1


def test_the_earliest_comes_first_and_no_more_than_asked_for(store: Engine, rows: TimerRows) -> None:
    for name, due in (("b", 20.0), ("a", 10.0), ("c", 30.0)):
        rows.add(timer(name, due))
    assert next_now(store) == 10.0
    assert [event.due for event in take(store, 100.0, 2)] == [10.0, 20.0]
    assert next_now(store) == 30.0


def test_a_retry_that_asks_again_changes_nothing(store: Engine, rows: TimerRows) -> None:
    rows.add(timer(due=100.0))
    rows.add(timer(due=105.0))
    assert [each.due_at for each in rows.pending("remind")] == [100.0]


def test_a_retry_that_asks_again_after_it_has_happened_changes_nothing(store: Engine, rows: TimerRows) -> None:
    rows.add(timer(due=100.0))
    assert len(take(store, 101.0)) == 1
    rows.add(timer(due=105.0))
    assert rows.pending("remind") == []
    assert take(store, 200.0) == []


def test_what_is_pending_is_what_was_added(store: Engine, rows: TimerRows) -> None:
    later, sooner, other = timer("later", 20.0), timer("sooner", 10.0, text="x"), timer("other", skill="poll")
    for each in (later, sooner, other):
        rows.add(each)
    assert rows.pending("remind") == [sooner, later]
    assert rows.pending("poll") == [other]


def test_only_its_own_skill_can_cancel_a_timer_and_only_once(store: Engine, rows: TimerRows) -> None:
    rows.add(timer())
    assert not rows.cancel("poll", timer_id("one"))
    assert rows.cancel("remind", timer_id("one"))
    assert not rows.cancel("remind", timer_id("one"))
    assert take(store, 1000.0) == []


def test_what_has_happened_cannot_be_cancelled(store: Engine, rows: TimerRows) -> None:
    rows.add(timer())
    take(store, 1000.0)
    assert not rows.cancel("remind", timer_id("one"))


def test_arguments_that_are_too_large_are_refused(rows: TimerRows) -> None:
    with pytest.raises(SkillError, match=r"remind\.ring.*too large.*ctx\.store"):
        rows.add(timer(text="x" * 300_000))


def test_arguments_that_are_no_json_are_refused(rows: TimerRows) -> None:
    with pytest.raises(SkillError, match=r"remind\.ring.*JSON"):
        rows.add(timer(text="\ud800"))


def test_a_store_that_is_away_says_so() -> None:
    away = connect("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StoreError, match="timers cannot be kept"):
        TimerRows(away).add(timer())
    away.dispose()


def test_what_a_retired_skill_asked_for_waits_for_it(store: Engine, rows: TimerRows) -> None:
    rows.add(timer())
    publish(store)
    assert next_now(store) is None
    assert take(store, 1000.0) == []
    publish(store, SkillManifest(name="remind"))
    assert len(take(store, 1000.0)) == 1


def test_what_nobody_can_read_is_set_aside_and_does_not_stop_the_others(store: Engine, rows: TimerRows) -> None:
    rows.add(timer("bad", 10.0))
    rows.add(timer("good", 20.0))
    with store.begin() as connection:
        connection.execute(update(timers).where(timers.c.id == timer_id("bad")).values(body='{"kind": "schedule"}'))
    assert [event.due for event in take(store, 100.0)] == [20.0]
    assert next_now(store) is None
    with store.begin() as connection:
        assert connection.execute(select(timers.c.id)).scalars().all() == [timer_id("bad")]
