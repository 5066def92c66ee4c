"""Lengths of time as people type them."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dragoman.duration import format_duration, parse_duration, read_duration


def span(**parts: float) -> timedelta:
    return timedelta(**parts)


@pytest.mark.parametrize(
    ("text", "duration", "taken"),
    [
        ("2h30m", span(hours=2, minutes=30), 1),
        ("2H 30M", span(hours=2, minutes=30), 2),
        ("90s", span(seconds=90), 1),
        ("1h30", span(hours=1, minutes=30), 1),
        ("1.5h", span(minutes=90), 1),
        ("1,5 hours", span(minutes=90), 2),
        ("an hour", span(hours=1), 2),
        ("half an hour", span(minutes=30), 3),
        ("an hour and a half", span(minutes=90), 5),
        ("two weeks", span(weeks=2), 2),
        ("1 day 2 hours", span(days=1, hours=2), 4),
        ("1 day, 2 hours and 30 minutes.", span(days=1, hours=2, minutes=30), 7),
        ("2 hours and then", span(hours=2), 2),
        ("2h 3h", span(hours=2), 1),
        ("5 min call", span(minutes=5), 2),
        ("0s", span(), 1),
        ("1 day 5 apples", span(days=1), 2),
        ("an hour and a day", span(hours=1), 2),
    ],
)
def test_words_that_begin_with_a_length_of_time(text: str, duration: timedelta, taken: int) -> None:
    assert read_duration(text.split()) == (duration, taken)


@pytest.mark.parametrize(
    "text", ["", "5", "h", "a m", "half", "half hour", "30m2h", "2x", "-2h", "and 2h", "in 2h", "999999999w"]
)
def test_words_that_do_not(text: str) -> None:
    assert read_duration(text.split()) is None


def test_a_whole_text_is_a_length_of_time_or_is_told_how_to_write_one() -> None:
    assert parse_duration(" 1 day and 2 hours ") == span(days=1, hours=2)
    with pytest.raises(ValueError, match="`2h or so` is not a length of time: write one such as 2h30m"):
        parse_duration("2h or so")


@pytest.mark.parametrize(
    ("duration", "shown"),
    [
        (span(), "0s"),
        (span(hours=2, minutes=30), "2h30m"),
        (span(weeks=2, seconds=1.5), "14d1.5s"),
        (-span(hours=1), "-1h"),
    ],
)
def test_a_length_of_time_is_shown_shortly(duration: timedelta, shown: str) -> None:
    assert format_duration(duration) == shown


@given(st.timedeltas(min_value=timedelta()))
@example(timedelta.max)
def test_what_is_shown_can_be_typed(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


SAID = "1 2h 3 h 9999999w and a half an hour day two , 1h30 ٣"


@given(st.text() | st.lists(st.sampled_from(SAID.split())).map(" ".join))
def test_any_words_are_a_length_of_time_or_not(text: str) -> None:
    words = text.split()
    found = read_duration(words)
    assert found is None or (found[0] >= timedelta() and 0 < found[1] <= len(words))
