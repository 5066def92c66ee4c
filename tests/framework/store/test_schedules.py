"""Schedules in SQL, on both databases: held to the catalogue, and taken once for each of their times."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select, update

from dragoman import HandlerManifest, SkillManifest
from dragoman.store.schedules import schedule_id, write_schedules
from dragoman.store.schema import manifests, timers
from dragoman.store.timers import TimerRows
from dragoman.triggers import ScheduleTrigger
from support.timers import at, next_now, publish, skill, take, timer


def schedule(store: Engine, found: Sequence[SkillManifest], now: float) -> dict[str, float | None]:
    """Publish them and write their schedules; when each is due."""
    publish(store, *found)
    with store.begin() as connection:
        write_schedules(connection, found, now)
        rows = connection.execute(select(timers.c.id, timers.c.due_at).where(timers.c.cron.is_not(None)))
        return {row.id: row.due_at for row in rows}


def test_a_schedule_cannot_be_cancelled(store: Engine) -> None:
    schedule(store, [skill("news", daily="0 9 * * *")], 0.0)
    assert not TimerRows(store).cancel("news", schedule_id("news", "daily"))


def test_a_new_schedule_begins_with_its_next_time(store: Engine) -> None:
    news = skill("news", daily="0 9 * * *", hourly="30 * * * *")
    assert schedule(store, [news], at("2026-06-01 09:00+02:00")) == {
        "cron/news.daily": at("2026-06-02 09:00+02:00"),
        "cron/news.hourly": at("2026-06-01 09:30+02:00"),
    }


def test_a_schedule_happens_at_its_times_and_belongs_to_no_conversation(store: Engine) -> None:
    schedule(store, [skill("news", daily="0 9 * * *")], at("2026-06-01 09:00+02:00"))
    nine = at("2026-06-02 09:00+02:00")
    assert take(store, nine - 0.1) == []
    (event,) = take(store, nine + 0.2)
    assert (event.skill, event.handler, event.due, event.arguments) == ("news", "daily", nine, {})
    assert event.key == f"schedule/cron/news.daily/{nine:.0f}"
    assert event.address.account == "nowhere"
    assert next_now(store) == at("2026-06-03 09:00+02:00")


def test_times_that_were_missed_are_one_time_the_latest(store: Engine) -> None:
    schedule(store, [skill("news", often="*/5 * * * *")], at("2026-06-01 09:00+02:00"))
    (event,) = take(store, at("2026-06-03 12:03+02:00"))
    assert event.due == at("2026-06-03 12:00+02:00")
    assert next_now(store) == at("2026-06-03 12:05+02:00")


@pytest.mark.parametrize(
    ("start", "first", "second"),
    [
        ("2026-03-28 12:00+01:00", "2026-03-29 03:00+02:00", "2026-03-30 02:30+02:00"),
        ("2026-10-24 12:00+02:00", "2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"),
    ],
)
def test_over_a_change_of_the_clocks_it_happens_once_a_day(store: Engine, start: str, first: str, second: str) -> None:
    now = at(start)
    schedule(store, [skill("news", nightly="30 2 * * *")], now)
    due = []
    while now <= at(second):
        due += [event.due for event in take(store, now)]
        now += 900
    assert due == [at(first), at(second)]


def test_in_the_second_turn_of_an_hour_the_first_one_is_what_was_missed(store: Engine) -> None:
    schedule(store, [skill("news", nightly="30 2 * * *")], at("2026-10-24 12:00+02:00"))
    (event,) = take(store, at("2026-10-25 02:10+01:00"))
    assert event.due == at("2026-10-25 02:30+02:00")
    assert take(store, at("2026-10-25 02:40+01:00")) == []


def test_an_unchanged_schedule_keeps_its_time_so_what_was_missed_is_not_lost(store: Engine) -> None:
    news = skill("news", daily="0 9 * * *")
    first = schedule(store, [news], at("2026-06-01 10:00+02:00"))
    assert schedule(store, [news], at("2026-06-05 10:00+02:00")) == first


def test_a_changed_schedule_is_computed_anew(store: Engine) -> None:
    now = at("2026-06-01 10:00+02:00")
    schedule(store, [skill("news", daily="0 9 * * *")], now)
    moved = schedule(store, [skill("news", daily="0 11 * * *")], now)
    assert moved == {"cron/news.daily": at("2026-06-01 11:00+02:00")}
    elsewhere = HandlerManifest(name="daily", trigger=ScheduleTrigger(cron="0 11 * * *", timezone="UTC"))
    moved = schedule(store, [SkillManifest(name="news", handlers=(elsewhere,))], now)
    assert moved == {"cron/news.daily": at("2026-06-01 11:00+00:00")}


def test_a_retired_skill_and_a_handler_that_is_gone_are_not_scheduled(store: Engine) -> None:
    news, poll = skill("news", daily="0 9 * * *", hourly="0 * * * *"), skill("poll", daily="0 9 * * *")
    assert len(schedule(store, [news, poll], 0.0)) == 3
    assert schedule(store, [skill("news", daily="0 9 * * *")], 0.0).keys() == {"cron/news.daily"}


def test_a_skill_whose_manifest_nobody_here_can_read_stays_scheduled(store: Engine) -> None:
    schedule(store, [skill("news", daily="0 9 * * *")], 0.0)
    with store.begin() as connection:
        connection.execute(update(manifests).values(body="{}"))
        write_schedules(connection, [], 0.0)
        assert connection.execute(select(timers.c.id)).scalars().all() == ["cron/news.daily"]


def test_timers_that_were_asked_for_once_are_left_alone(store: Engine) -> None:
    rows = TimerRows(store)
    rows.add(timer())
    schedule(store, [SkillManifest(name="remind")], 0.0)
    assert len(rows.pending("remind")) == 1


def test_a_schedule_that_this_software_cannot_read_is_not_due_and_does_not_stop_the_others(store: Engine) -> None:
    found = schedule(store, [skill("news", daily="@someday", hourly="0 * * * *")], 0.0)
    assert found == {"cron/news.daily": None, "cron/news.hourly": 3600.0}


def test_a_schedule_broken_in_the_table_is_set_aside(store: Engine) -> None:
    schedule(store, [skill("news", daily="0 9 * * *", hourly="0 * * * *")], 0.0)
    with store.begin() as connection:
        broken = update(timers).where(timers.c.id == "cron/news.daily")
        connection.execute(broken.values(timezone="Europe/Nowhere", due_at=10.0))
    assert [event.handler for event in take(store, 3600.0)] == ["hourly"]
    assert next_now(store) == 7200.0


def test_many_who_write_schedules_at_once_do_not_fail(store: Engine) -> None:
    found = [skill(f"s{n}", daily="0 9 * * *", hourly="0 * * * *") for n in range(5)]
    publish(store, *found)
    barrier = threading.Barrier(4)

    def work(offset: int) -> None:
        barrier.wait(10)
        for turn in range(5):
            hour = (offset + turn) % 24
            with store.begin() as connection:
                write_schedules(connection, [skill(f"s{n}", daily=f"0 {hour} * * *") for n in range(5)], 0.0)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, offset) for offset in range(4)]:
            done.result(30)
    assert len(schedule(store, found, 0.0)) == 10


def test_the_id_of_a_schedule_fits_into_its_column() -> None:
    assert schedule_id("news", "daily") == "cron/news.daily"
    long = [schedule_id("s" * 63, "h" * 127 + last) for last in "ab"]
    assert all(len(each) <= 64 for each in long)
    assert long[0] != long[1]
