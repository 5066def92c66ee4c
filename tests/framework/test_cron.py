"""When the times of a schedule are, also when clocks change: Berlin's did on 29 March and 25 October 2026."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dragoman import SkillError
from dragoman.cron import next_time, previous_time

BERLIN = "Europe/Berlin"


def at(text: str) -> float:
    """``2026-03-29 03:00+02:00`` in unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def times(cron: str, after: str, count: int) -> list[str]:
    """The next of its times in Berlin, with their offset from UTC."""
    found, moment = [], at(after)
    for _ in range(count):
        following = next_time(cron, BERLIN, moment)
        assert following is not None
        moment = following
        found.append(datetime.fromtimestamp(moment, ZoneInfo(BERLIN)).isoformat(" ", "minutes"))
    return found


def test_a_time_keeps_its_place_on_the_clock_when_clocks_change() -> None:
    assert times("0 9 * * *", "2026-03-28 08:00+01:00", 2) == ["2026-03-28 09:00+01:00", "2026-03-29 09:00+02:00"]
    assert times("0 9 * * *", "2026-10-24 08:00+02:00", 2) == ["2026-10-24 09:00+02:00", "2026-10-25 09:00+01:00"]


def test_a_time_that_is_skipped_is_right_after_the_gap() -> None:
    assert times("30 2 * * *", "2026-03-28 12:00+01:00", 2) == ["2026-03-29 03:00+02:00", "2026-03-30 02:30+02:00"]


def test_several_times_in_one_gap_are_one() -> None:
    found = times("0,30 2 * * *", "2026-03-28 12:00+01:00", 3)
    assert found == ["2026-03-29 03:00+02:00", "2026-03-30 02:00+02:00", "2026-03-30 02:30+02:00"]


@pytest.mark.parametrize("after", ["2026-10-24 12:00+02:00", "2026-10-25 02:10+02:00"])
def test_a_time_that_comes_twice_is_the_first_one(after: str) -> None:
    assert times("30 2 * * *", after, 2) == ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"]


@pytest.mark.parametrize("after", ["2026-10-25 02:30+02:00", "2026-10-25 02:10+01:00", "2026-10-25 02:30+01:00"])
def test_it_is_not_the_second_one_as_well(after: str) -> None:
    assert times("30 2 * * *", after, 1) == ["2026-10-26 02:30+01:00"]


def test_every_so_often_goes_on_by_elapsed_time() -> None:
    assert times("*/30 * * * *", "2026-10-25 02:15+02:00", 4) == [
        "2026-10-25 02:30+02:00",
        "2026-10-25 02:00+01:00",
        "2026-10-25 02:30+01:00",
        "2026-10-25 03:00+01:00",
    ]
    assert times("0 * * * *", "2026-03-29 00:30+01:00", 2) == ["2026-03-29 01:00+01:00", "2026-03-29 03:00+02:00"]


def test_the_next_one_is_after_that_one_also_between_two_seconds() -> None:
    nine = at("2026-06-01 09:00+02:00")
    assert next_time("0 9 * * *", BERLIN, nine) == nine + 86400
    assert next_time("0 9 * * *", BERLIN, nine - 0.1) == nine
    assert next_time("0 9 * * *", BERLIN, nine + 0.1) == nine + 86400


def test_the_previous_one_may_be_that_one() -> None:
    nine = at("2026-06-01 09:00+02:00")
    assert previous_time("0 9 * * *", BERLIN, nine) == nine
    assert previous_time("0 9 * * *", BERLIN, nine + 0.9) == nine
    assert previous_time("0 9 * * *", BERLIN, nine - 0.1) == nine - 86400


def test_a_time_that_never_comes() -> None:
    assert next_time("0 0 */30 * MON#2", "UTC", at("2026-06-01 09:00+00:00")) is None


@pytest.mark.parametrize(
    ("cron", "zone"),
    [("0 9 * *", BERLIN), ("0 99 * * *", BERLIN), ("0 9 * * *", "Europe/Nowhere"), ("0 9 * * *", "../x")],
)
def test_what_is_no_schedule_says_so(cron: str, zone: str) -> None:
    with pytest.raises(SkillError, match="is no schedule"):
        next_time(cron, zone, 0.0)
