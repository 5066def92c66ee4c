"""Cooldowns that hold for all processes together."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, event, func, select, text

from dragoman.store.cooldowns import REMEMBERED, Spend, delete_over, spend_cooldowns
from dragoman.store.schema import cooldowns

NOW = 1_700_000_000.0

#: On SQLite a transaction locks the whole database.
POSTGRESQL = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


def spend(store: Engine, *items: Spend, now: float = NOW) -> list[float | None]:
    with store.begin() as connection:
        return spend_cooldowns(connection, items, now)


def use(key: str, bucket: str = "dice", times: int = 2, per: float = 60.0) -> Spend:
    return Spend(bucket, key, times, per)


def test_so_many_uses_are_allowed_and_the_next_has_to_wait(store: Engine) -> None:
    assert spend(store, use("e1")) == [None]
    assert spend(store, use("e2"), now=NOW + 10) == [None]
    assert spend(store, use("e3"), now=NOW + 20) == [40.0]
    assert spend(store, use("e3"), now=NOW + 59.5) == [0.5]
    assert spend(store, use("e3"), now=NOW + 60) == [None]
    assert spend(store, use("e4"), now=NOW + 61) == [9.0]


def test_what_was_refused_is_not_counted(store: Engine) -> None:
    assert spend(store, use("e1", times=1)) == [None]
    for second in range(1, 60):
        assert spend(store, use(f"r{second}", times=1), now=NOW + second) == [60.0 - second]
    assert spend(store, use("e2", times=1), now=NOW + 60) == [None]


def test_the_same_event_is_allowed_again_and_counted_once(store: Engine) -> None:
    for _ in range(3):
        assert spend(store, use("e1"), now=NOW) == [None]
    assert spend(store, use("e2")) == [None]
    assert spend(store, use("e1"), now=NOW + 1) == [None]
    assert spend(store, use("e3"), now=NOW + 1) == [59.0]


def test_an_event_that_is_delivered_again_after_its_time_is_still_known(store: Engine) -> None:
    assert spend(store, use("e1", times=1)) == [None]
    assert spend(store, use("e2", times=1), now=NOW + 60) == [None]
    assert spend(store, use("e1", times=1), now=NOW + 61) == [None]
    assert spend(store, use("e3", times=1), now=NOW + 61) == [59.0]


def test_many_in_one_call_are_answered_in_order(store: Engine) -> None:
    items = [use("e1"), use("x1", "other", 1), use("e1"), use("e2"), use("e3"), use("x2", "other", 1), use("e2")]
    assert spend(store, *items) == [None, None, None, None, 60.0, 60.0, None]
    assert spend(store) == []


def test_buckets_are_kept_apart_whatever_they_are_called(store: Engine) -> None:
    names = ["a", "A", "a\0", "a" * 300, "a" * 301, "a" * 302, "\ud800", "é"]
    assert spend(store, *(use("e1", name, 1) for name in names)) == [None] * len(names)
    assert spend(store, *(use("e2", name, 1) for name in names)) == [60.0] * len(names)


def test_a_clock_that_is_ahead_makes_nobody_wait_longer_than_the_whole_time(store: Engine) -> None:
    assert spend(store, use("e1", times=1), now=NOW + 1000) == [None]
    assert spend(store, use("e2", times=1), now=NOW) == [60.0]


def test_a_bucket_does_not_grow_for_ever(store: Engine) -> None:
    for number in range(200):
        spend(store, use(f"e{number}", times=1, per=1.0), now=NOW + number)
    with store.connect() as connection:
        assert len(connection.execute(select(cooldowns.c.uses)).scalar_one()) < 60 * 30


def test_the_buckets_that_are_over_are_deleted(store: Engine) -> None:
    spend(store, use("e1", "short"), use("e1", "long", 1, REMEMBERED + 100))
    with store.begin() as connection:
        assert delete_over(connection, NOW + REMEMBERED - 1) == 0
        assert delete_over(connection, NOW + REMEMBERED) == 1
        assert connection.execute(select(cooldowns.c.bucket)).scalars().all() == ["long"]


def test_routers_at_once_allow_no_more_than_one_would(store: Engine) -> None:
    def router(number: int) -> int:
        items = [use(f"e{number}-{each}", times=5) for each in range(3)]
        return spend(store, *items).count(None)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(router, range(16))) == 5


@POSTGRESQL
def test_routers_that_want_the_same_buckets_in_other_orders_wait_for_each_other(store: Engine) -> None:
    """Locked as they are given, two of them would have one bucket each and wait for the other for ever."""
    names = ["a", "b", "c"]
    spend(store, *(use("e0", name, 9) for name in names))
    waiting = threading.Event()

    @event.listens_for(store, "before_cursor_execute")
    def began(_: object, __: object, statement: str, *___: object) -> None:
        if "INSERT INTO cooldowns" in statement and threading.current_thread() is not threading.main_thread():
            waiting.set()

    with ThreadPoolExecutor(1) as threads:
        with store.begin() as first:
            spend_cooldowns(first, [use("e1", "b", 9)], NOW)
            other = threads.submit(spend, store, *(use("e2", name, 9) for name in reversed(names)))
            assert waiting.wait(10)
            with store.connect() as watcher:
                blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
                while not watcher.execute(blocked).scalar_one():
                    assert not other.done()
                    watcher.rollback()
            # The other has "a", since it takes them in order, and waits for "b": it does not have "c".
            first.execute(text("SET LOCAL lock_timeout = '5s'"))
            assert spend_cooldowns(first, [use("e1", "c", 9)], NOW) == [None]
        assert other.result(10) == [None, None, None]
    with store.connect() as connection:
        assert connection.execute(select(func.count()).select_from(cooldowns)).scalar_one() == 3


def test_opposite_orders_under_load_never_deadlock(store: Engine) -> None:
    names = [f"b{number}" for number in range(10)]

    def router(number: int) -> int:
        wanted = names if number % 2 else names[::-1]
        return spend(store, *(use(f"e{number}", name, 1000) for name in wanted)).count(None)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(router, range(40))) == [10] * 40


@POSTGRESQL
def test_a_bucket_that_a_router_holds_is_not_waited_for_by_the_one_who_deletes(store: Engine) -> None:
    spend(store, use("e1", "held"), use("e1", "free"))
    late = NOW + 10 * REMEMBERED
    with store.begin() as router, store.begin() as sweeper:
        spend_cooldowns(router, [use("e2", "held")], late)
        assert delete_over(sweeper, late) == 1
    assert spend(store, use("e3", "held"), use("e4", "held"), now=late) == [None, 60.0]
