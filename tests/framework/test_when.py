"""Days and times as people type them, on a Wednesday morning in Berlin."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.when import parse_date, parse_moment, read_date, read_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "moment", "taken"),
    [
        ("now", "2026-03-04 10:00", 1),
        ("tomorrow 9:00 buy milk", "2026-03-05 09:00", 2),
        ("today 17:30", "2026-03-04 17:30", 2),
        ("today 9:00", "2026-03-04 09:00", 2),
        ("yesterday at noon", "2026-03-03 12:00", 3),
        ("Tomorrow, 9:00, eat", "2026-03-05 09:00", 2),
        ("9am", "2026-03-05 09:00", 1),
        ("10:00", "2026-03-04 10:00", 1),
        ("5 p.m. tea", "2026-03-04 17:00", 2),
        ("12am", "2026-03-05 00:00", 1),
        ("12:15 PM", "2026-03-04 12:15", 2),
        ("17:30:15", "2026-03-04 17:30:15", 1),
        ("noon", "2026-03-04 12:00", 1),
        ("midnight", "2026-03-05 00:00", 1),
        ("today midnight", "2026-03-05 00:00", 2),
        ("tomorrow midnight", "2026-03-05 00:00", 2),
        ("at 9", "2026-03-05 09:00", 2),
        ("tomorrow at 9 buy milk", "2026-03-05 09:00", 3),
        ("tomorrow 9 things", "2026-03-05 09:00", 1),
        ("tomorrow at home", "2026-03-05 09:00", 1),
        ("9:00 tomorrow", "2026-03-05 09:00", 2),
        ("9:00 on sat", "2026-03-07 09:00", 3),
        ("9:00 sat in the park", "2026-03-05 09:00", 1),
        ("9:00 3/4 cup", "2026-03-05 09:00", 1),
        ("monday", "2026-03-09 09:00", 1),
        ("wednesday 17:00", "2026-03-11 17:00", 2),
        ("this fri", "2026-03-06 09:00", 2),
        ("next friday 9:00", "2026-03-13 09:00", 3),
        ("next monday", "2026-03-09 09:00", 2),
        ("on friday", "2026-03-06 09:00", 2),
        ("in 2h", "2026-03-04 12:00", 2),
        ("2h30m", "2026-03-04 12:30", 1),
        ("in 30 minutes stretch", "2026-03-04 10:30", 3),
        ("2 hours from now", "2026-03-04 12:00", 4),
        ("2 days ago", "2026-03-02 10:00", 3),
        ("in 2 weeks", "2026-03-18 10:00", 3),
        ("2026-05-01", "2026-05-01 09:00", 1),
        ("2026-05-01 14:00", "2026-05-01 14:00", 2),
        ("2026-05-01T14:00", "2026-05-01 14:00", 1),
        ("2026-05-01T14:00Z", "2026-05-01 16:00", 1),
        ("2026-05-01T14:00:00+03:00", "2026-05-01 13:00", 1),
        ("1.5.2026 14:00", "2026-05-01 14:00", 2),
        ("1 March 14:00", "2027-03-01 14:00", 3),
        ("4 March 14:00", "2026-03-04 14:00", 3),
        ("March 5", "2026-03-05 09:00", 2),
        ("the 1st of May 2027 at 2pm go", "2027-05-01 14:00", 7),
        ("29 Feb", "2028-02-29 09:00", 2),
    ],
)
def test_words_that_begin_with_a_moment(text: str, moment: str, taken: int) -> None:
    found = read_moment(text.split(), NOW)
    assert found == (datetime.fromisoformat(moment).replace(tzinfo=BERLIN), taken)
    assert found[0].tzinfo is BERLIN


NOT_MOMENTS = ["", "today", "9", "25:00", "13pm", "0am", "at", "in", "next", "next week", "on", "soon", "31 Feb", "may"]


@pytest.mark.parametrize(
    "text", [*NOT_MOMENTS, "2026-13-01", "2026-02-30T10:00", "999999999w", "1.13.2026", "in 3 years"]
)
def test_words_that_do_not(text: str) -> None:
    assert read_moment(text.split(), NOW) is None


@pytest.mark.parametrize("text", ["03/04", "3/4/2026 9:00", "on 03-04", "9:00 on 03/04", "13/04"])
def test_a_date_in_numbers_that_people_read_differently_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="can be read as two different days: write one such as 1 March or 2026-03-01"):
        read_moment(text.split(), NOW)


@pytest.mark.parametrize(
    ("text", "day", "taken"),
    [
        ("today", date(2026, 3, 4), 1),
        ("friday 9:00", date(2026, 3, 6), 1),
        ("4 March", date(2026, 3, 4), 2),
        ("3 March", date(2027, 3, 3), 2),
        ("3 March 2026", date(2026, 3, 3), 3),
        ("in 3 days", date(2026, 3, 7), 3),
        ("2 weeks ago", date(2026, 2, 18), 3),
    ],
)
def test_words_that_begin_with_a_day(text: str, day: date, taken: int) -> None:
    assert read_date(text.split(), NOW) == (day, taken)


@pytest.mark.parametrize("text", ["", "9:00", "in 2h", "1 day 2 hours", "now", "999999999d"])
def test_words_that_begin_with_no_day(text: str) -> None:
    assert read_date(text.split(), NOW) is None


def test_a_whole_text_is_a_moment_or_is_told_how_to_write_one() -> None:
    assert parse_moment(" tomorrow  9:00 ", NOW) == datetime(2026, 3, 5, 9, tzinfo=BERLIN)
    assert parse_date("friday", NOW) == date(2026, 3, 6)
    with pytest.raises(ValueError, match="`tomorrow 9:00 sharp` is not a time: write one such as tomorrow 9:00"):
        parse_moment("tomorrow 9:00 sharp", NOW)
    with pytest.raises(ValueError, match="`9:00` is not a day: write one such as tomorrow"):
        parse_date("9:00", NOW)


# -- clocks that change ---------------------------------------------------------------------------------

SPRING = datetime(2026, 3, 28, 10, 0, tzinfo=BERLIN)  # 2:00 becomes 3:00 in the night
AUTUMN = datetime(2026, 10, 24, 10, 0, tzinfo=BERLIN)  # 3:00 becomes 2:00 in the night


def test_a_time_that_the_clocks_skip_is_moved_on() -> None:
    assert str(parse_moment("tomorrow 2:30", SPRING)) == "2026-03-29 03:30:00+02:00"
    assert str(parse_moment("2026-03-29T02:30", SPRING)) == "2026-03-29 03:30:00+02:00"


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert str(parse_moment("tomorrow 2:30", AUTUMN)) == "2026-10-25 02:30:00+02:00"


def test_days_are_the_calendars_and_hours_are_the_clocks() -> None:
    assert str(parse_moment("in 1 day", SPRING)) == "2026-03-29 10:00:00+02:00"
    assert str(parse_moment("in 24 hours", SPRING)) == "2026-03-29 11:00:00+02:00"
    assert str(parse_moment("in 1 day", AUTUMN)) == "2026-10-25 10:00:00+01:00"
    assert str(parse_moment("in 24 hours", AUTUMN)) == "2026-10-25 09:00:00+01:00"


def test_in_the_hour_that_comes_twice_time_goes_on() -> None:
    second = datetime(2026, 10, 25, 2, 50, tzinfo=BERLIN, fold=1)
    assert parse_moment("in 5 minutes", second).astimezone(UTC) - second.astimezone(UTC) == timedelta(minutes=5)


ZONES = [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Pacific/Apia"), UTC]
NOWS = st.datetimes(timezones=st.sampled_from(ZONES))
SAID = (
    "in 2h 3 days 1 ago on next this friday sat 9:00 9 pm at noon midnight today tomorrow March 29 Feb 2026-03-29 2:30 "
    "T 03/04 , the 1st of half an hour and 9999-12-31 0001-01-01 999999w 1.1.2026 2026-01-01T00:00+23:59 ٣"
)
WORDS = st.sampled_from(SAID.split())


@settings(max_examples=300, deadline=None)
@given(st.text() | st.lists(WORDS, max_size=8).map(" ".join), NOWS)
def test_any_words_are_a_moment_and_a_day_or_not(text: str, now: datetime) -> None:
    words = text.split()
    try:
        moment, day = read_moment(words, now), read_date(words, now)
    except ValueError:
        assert "03/04" in words or "/" in text or "-" in text
        return
    if moment is not None:
        assert moment[0].tzinfo is now.tzinfo
        assert 0 < moment[1] <= len(words)
    if day is not None:
        assert type(day[0]) is date
        assert 0 < day[1] <= len(words)


@settings(max_examples=200, deadline=None)
@given(NOWS, st.times().map(lambda clock: clock.replace(second=0, microsecond=0)))
def test_a_time_alone_is_within_the_day_that_comes(now: datetime, clock: object) -> None:
    found = read_moment([f"{clock:%H:%M}"], now)
    if found is None:
        return  # At the end of time.
    ahead = found[0].astimezone(UTC) - now.astimezone(UTC)
    # A zone may skip a day when it crosses the date line, as Apia did.
    assert timedelta() <= ahead <= timedelta(hours=50)
