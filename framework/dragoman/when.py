"""Days and times as people type them: ``tomorrow 9:00``, ``next friday``, ``in 2h``, ``1 March 14:00``.

A grammar of our own, since it is closed and predictable: what it takes is known word by word, so it can say
where a moment ends and other words begin (``remind tomorrow 9:00 buy milk``)::

    moment  = "now"
            | ["in"] duration | duration "from now" | duration "ago"     see `dragoman.duration`
            | day [["at"] time] | ["at"] time [day]
            | 2026-03-01T14:00, with or without an offset
    day     = ["on"] ( "today" | "tomorrow" | "yesterday" | ["this" | "next"] weekday
            | 2026-03-01 | 1.3.2026 | 1 March [2026] | March 1 [2026] )  also "1st", "the 1st of March", "Mar"
    time    = 17:30 | 17:30:15 | 9am | 9 pm | 9:30pm | "noon" | "midnight" | "at" 9

What it means, in the person's time zone:

* A time alone is the next one: today, or tomorrow if it has passed.
* A day alone is 9:00 on that day. "Today" alone is no moment.
* A weekday is the next one and never today; "next friday" is the one of the week after this (weeks begin on
  Monday). A date without a year is the next one.
* "Midnight" is the one that the day begins with; for today, the one that it ends with.
* "In 2 days" is the same time of day, "in 48 hours" is exactly that long.
* A time that the clocks skip in spring is moved on by what they skip (2:30 is 3:30); of a time that comes
  twice in autumn, the first is meant.
* ``03/04`` is refused with a word about how to write it: half of the world reads it as another day.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from .duration import format_duration, parse_duration, plain_words, read_duration, read_spans

__all__ = [
    "format_duration",
    "parse_date",
    "parse_duration",
    "parse_moment",
    "read_date",
    "read_duration",
    "read_moment",
]

#: The time of a day that is said without one.
MORNING: Final = time(9)
MIDNIGHT: Final = time(0)

WEEKDAY_NAMES: Final = (
    "mon monday | tue tues tuesday | wed weds wednesday | thu thur thurs thursday | fri friday | sat saturday | "
    "sun sunday"
)
MONTH_NAMES: Final = (
    "jan january | feb february | mar march | apr april | may | jun june | jul july | aug august | "
    "sep sept september | oct october | nov november | dec december"
)
#: Monday is 0, as in Python.
WEEKDAYS: Final = {name: day for day, names in enumerate(WEEKDAY_NAMES.split("|")) for name in names.split()}
MONTHS: Final = {name: month for month, names in enumerate(MONTH_NAMES.split("|"), 1) for name in names.split()}

CLOCK: Final = re.compile(r"(\d{1,2})(?::([0-5]\d)(?::([0-5]\d))?)?(am|pm|a\.m|p\.m)?")
HALVES: Final = {"am": 0, "a.m": 0, "pm": 12, "p.m": 12}
ISO_DAY: Final = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
DOTTED_DAY: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
ISO_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dt\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:z|[+-]\d\d:?\d\d)?", re.ASCII)
SLASHED: Final = re.compile(r"\d{1,4}[/-]\d{1,2}(?:[/-]\d{1,4})?")
DAY_OF_MONTH: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
YEAR: Final = re.compile(r"[12]\d{3}")

#: The days that may be meant, best first, and where the words go on.
Days = tuple[list[date], int]


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a whole text as a moment.

    Args:
        now: an aware time in the person's time zone; the moment is in that zone, too.

    Raises:
        ValueError: it is not one; the message says how to write it.
    """
    words = text.split()
    found = read_moment(words, now)
    if found is None or found[1] < len(words):
        raise ValueError(f"`{text[:60]}` is not a time: write one such as tomorrow 9:00, in 2h or 2026-03-01 14:00")
    return found[0]


def parse_date(text: str, now: datetime) -> date:
    """Read a whole text as a day; as `parse_moment`."""
    words = text.split()
    found = read_date(words, now)
    if found is None or found[1] < len(words):
        raise ValueError(f"`{text[:60]}` is not a day: write one such as tomorrow, friday or 2026-03-01")
    return found[0]


def read_moment(words: Sequence[str], now: datetime) -> tuple[datetime, int] | None:
    """The moment that words begin with, and how many of them it takes (the most that it can); or None.

    Raises:
        ValueError: it could be one, but nobody knows which; the message says how to write it.
    """
    words = plain_words(words)
    if not words:
        return None
    try:
        if words[0] == "now":
            return now, 1
        return _iso(words, now) or _after(words, now) or _time_and_day(words, now) or _day_and_time(words, now)
    except OverflowError:
        return None  # Before the year 1 or after 9999.


def read_date(words: Sequence[str], now: datetime) -> tuple[date, int] | None:
    """The day that words begin with; as `read_moment`. ``in 3 days`` and ``2 weeks ago`` are days as well."""
    words = plain_words(words)
    today = now.date()
    try:
        if found := _days(words, 0, today):
            days, end = found
            return next((day for day in days if day >= today), days[0]), end
        begin = 1 if words[:1] == ["in"] else 0
        spans = read_spans(words[begin:])
        if spans is None or spans[1]:
            return None
        days_away, _, taken = spans
        end = begin + taken
        if not begin and words[end : end + 1] == ["ago"]:
            return today - timedelta(days=days_away), end + 1
        return today + timedelta(days=days_away), end
    except OverflowError:
        return None


def _iso(words: Sequence[str], now: datetime) -> tuple[datetime, int] | None:
    if not ISO_MOMENT.fullmatch(words[0]):
        return None
    try:
        moment = datetime.fromisoformat(words[0].upper())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return _on(moment.date(), moment.time(), now), 1
    return moment.astimezone(UTC).astimezone(now.tzinfo), 1


def _after(words: Sequence[str], now: datetime) -> tuple[datetime, int] | None:
    """So long from now: whole days by the calendar, the rest by the clock."""
    begin = 1 if words[0] == "in" else 0
    spans = read_spans(words[begin:])
    if spans is None:
        return None
    days, rest, taken = spans
    end = begin + taken
    if not begin and words[end : end + 1] == ["ago"]:
        days, rest, end = -days, -rest, end + 1
    elif not begin and words[end : end + 2] == ["from", "now"]:
        end += 2
    # Not by way of the wall clock if no day is counted: in the hour that comes twice it would go back.
    day = _on(now.date() + timedelta(days=days), now.time(), now) if days else now
    return (day.astimezone(UTC) + rest).astimezone(now.tzinfo), end


def _time_and_day(words: Sequence[str], now: datetime) -> tuple[datetime, int] | None:
    found = _time(words, 0)
    if found is None:
        return None
    clock, end = found
    today = now.date()
    days = [today, today + timedelta(days=1)]
    if said := _days(words, end, today, sure=False):
        days, end = said
    return _coming(days, clock, now), end


def _day_and_time(words: Sequence[str], now: datetime) -> tuple[datetime, int] | None:
    found = _days(words, 0, now.date())
    if found is None:
        return None
    days, end = found
    if timed := _time(words, end):
        clock, end = timed
        return _coming(days, clock, now), end
    if days == [now.date()] and words[end - 1] == "today":
        return None
    return _coming(days, MORNING, now), end


def _coming(days: Sequence[date], clock: time, now: datetime) -> datetime:
    """The first of these days on which the time has not passed; a single day is as it was said."""
    if clock == MIDNIGHT and list(days) == [now.date()]:
        days = [now.date() + timedelta(days=1)]
    moments = [_on(day, clock, now) for day in days[:1]]
    for day in days:
        # In UTC: two times of one zone are compared by the wall clock, which may go back.
        if (moment := _on(day, clock, now)).astimezone(UTC) >= now.astimezone(UTC):
            return moment
    return moments[0]


def _on(day: date, clock: time, now: datetime) -> datetime:
    """That time on that day in the person's zone; by way of UTC, so that a time that is skipped is moved on."""
    return datetime.combine(day, clock, now.tzinfo).astimezone(UTC).astimezone(now.tzinfo)


def _time(words: Sequence[str], begin: int) -> tuple[time, int] | None:
    at = words[begin : begin + 1] == ["at"]
    word, following = (*words[begin + at : begin + at + 2], "", "")[:2]
    end = begin + at + 1
    if word in ("noon", "midnight"):
        return (time(12) if word == "noon" else MIDNIGHT), end
    found = CLOCK.fullmatch(word)
    if found is None:
        return None
    hour, minute, second, half = int(found[1]), int(found[2] or 0), int(found[3] or 0), found[4]
    if half is None and following in HALVES and 1 <= hour <= 12:
        half, end = following, end + 1
    if half is not None:
        return (time(hour % 12 + HALVES[half], minute, second), end) if 1 <= hour <= 12 else None
    if hour > 23 or (found[2] is None and not at):
        return None
    return time(hour, minute, second), end


def _days(words: Sequence[str], begin: int, today: date, *, sure: bool = True) -> Days | None:
    """The days that words may mean. ``sure`` is whether a day is all that they can be.

    Behind a time they are perhaps the next thing already: "9:00 sat" is no Saturday, "9:00 on sat" is.
    """
    if words[begin : begin + 1] == ["on"]:
        begin, sure = begin + 1, True
    word, following = (*words[begin : begin + 2], "", "")[:2]
    if word in ("today", "tomorrow", "yesterday"):
        return [today + timedelta(days={"today": 0, "tomorrow": 1, "yesterday": -1}[word])], begin + 1
    if word in ("this", "next") and following in WEEKDAYS:
        ahead = (WEEKDAYS[following] - today.weekday() - 1) % 7 + 1
        if word == "next":
            ahead = WEEKDAYS[following] - today.weekday() + 7
        return [today + timedelta(days=ahead)], begin + 2
    if word in WEEKDAYS and (sure or word.endswith("day")):
        return [today + timedelta(days=(WEEKDAYS[word] - today.weekday() - 1) % 7 + 1)], begin + 1
    if found := ISO_DAY.fullmatch(word):
        return _dated(int(found[3]), int(found[2]), int(found[1]), today, begin + 1)
    if found := DOTTED_DAY.fullmatch(word):
        return _dated(int(found[1]), int(found[2]), int(found[3]), today, begin + 1)
    if sure and SLASHED.fullmatch(word):
        raise ValueError(f"`{word}` can be read as two different days: write one such as 1 March or 2026-03-01")
    return _named(words, begin, today)


def _named(words: Sequence[str], begin: int, today: date) -> Days | None:
    """``1 March``, ``the 1st of March``, ``March 1``, with or without a year."""
    if words[begin : begin + 1] == ["the"]:
        begin += 1
    rest = list(words[begin : begin + 4])
    if len(rest) > 2 and rest[1] == "of":
        del rest[1]
        begin += 1
    if len(rest) < 2:
        return None
    first, second = rest[:2]
    if second in MONTHS:
        first, second = second, first
    found = DAY_OF_MONTH.fullmatch(second)
    if first not in MONTHS or found is None:
        return None
    year = int(rest[2]) if len(rest) > 2 and YEAR.fullmatch(rest[2]) else None
    return _dated(int(found[1]), MONTHS[first], year, today, begin + (2 if year is None else 3))


def _dated(day: int, month: int, year: int | None, today: date, end: int) -> Days | None:
    days: list[date] = []
    # A leap day may be eight years away.
    for candidate in range(today.year, min(today.year + 9, 10_000)) if year is None else (year,):
        try:
            days.append(date(candidate, month, day))
        except ValueError:
            continue
    return (days, end) if days else None
