"""Lengths of time as people type them: ``2h30m``, ``90s``, ``1 day and 2 hours``, ``half an hour``.

A grammar of our own, since it is closed: what it takes is known word by word, so it can say where a length
of time ends and other words begin::

    duration = part { ["and"] part }                units get smaller: "2h 3h" is 2h, then something else
    part     = amounts such as "2h", "2h30m", "1h30"
             | number unit                          "2 hours", "1.5 hours", "1,5 hours", "90 s"
             | word unit ["and a half"]             "an hour", "two weeks", "an hour and a half"
             | "half" ("a" | "an") unit             "half an hour"
    unit     = weeks, days, hours, minutes, seconds, and their usual short forms

Upper case does not matter, nor does a comma or full stop behind a word. A number without a unit is no length of
time.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

__all__ = ["LONGEST", "format_duration", "parse_duration", "plain_words", "read_duration", "read_spans"]

#: Words that a length of time or a moment can have at most; more need not be looked at.
LONGEST: Final = 24

NAMES: Final = {
    604800: "w wk wks week weeks",
    86400: "d day days",
    3600: "h hr hrs hour hours",
    60: "m min mins minute minutes",
    1: "s sec secs second seconds",
}
#: Seconds of every unit by each of its names.
UNITS: Final = {name: size for size, names in NAMES.items() for name in names.split()}

COUNTED: Final = "one two three four five six seven eight nine ten eleven twelve"
WORDS: Final = {word: amount for amount, word in enumerate(COUNTED.split(), start=1)}

NUMBER: Final = r"\d{1,9}(?:[.,]\d{1,6})?"
AMOUNT: Final = re.compile(rf"({NUMBER})([a-z]+)")
AMOUNTS: Final = re.compile(rf"(?:{NUMBER}[a-z]+)+")
HOURS_AND_MINUTES: Final = re.compile(r"(\d{1,9})h([0-5]\d)")

#: An amount of a unit: the number, and the unit's seconds.
Amount = tuple[float, int]


def plain_words(words: Sequence[str]) -> list[str]:
    """The first words as the grammars of times compare them."""
    return [word.casefold().rstrip(",.;") for word in words[:LONGEST]]


def parse_duration(text: str) -> timedelta:
    """Read a whole text as a length of time.

    Raises:
        ValueError: it is not one; the message says how to write it.
    """
    words = text.split()
    found = read_duration(words)
    if found is None or found[1] < len(words):
        raise ValueError(f"`{text[:60]}` is not a length of time: write one such as 2h30m or 90 seconds")
    return found[0]


def read_duration(words: Sequence[str]) -> tuple[timedelta, int] | None:
    """The length of time that words begin with, and how many of them it takes; or None."""
    found = read_spans(plain_words(words))
    if found is None:
        return None
    days, rest, taken = found
    try:
        return timedelta(days=days) + rest, taken
    except OverflowError:
        return None


def read_spans(words: Sequence[str]) -> tuple[int, timedelta, int] | None:
    """As `read_duration` for `plain_words`, with whole days (of the calendar) apart from the rest.

    "In 2 days" is the same time of day, also when the clocks change in between; "in 48 hours" may not be.
    """
    days, rest, taken, last = 0, timedelta(), 0, 10**6
    while True:
        begin = taken + 1 if taken and words[taken : taken + 1] == ["and"] else taken
        part = _part(words, begin)
        if part is None:
            break
        amounts, end = part
        sizes = [last, *(size for _, size in amounts)]
        if any(smaller >= larger for larger, smaller in pairwise(sizes)):
            break
        try:
            for number, size in amounts:
                whole = int(number) * size // 86400 if number == int(number) and size >= 86400 else 0
                days += whole
                rest += timedelta() if whole else timedelta(seconds=number * size)
        except OverflowError:
            return None
        taken, last = end, sizes[-1]
    return (days, rest, taken) if taken else None


def format_duration(duration: timedelta) -> str:
    """A length of time as `parse_duration` reads it, such as ``2h30m``; a negative one has a minus sign."""
    if duration < timedelta():
        return "-" + format_duration(-duration)
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    shown = "".join(f"{n}{unit}" for n, unit in ((duration.days, "d"), (hours, "h"), (minutes, "m")) if n)
    if seconds or duration.microseconds or not shown:
        fraction = f".{duration.microseconds:06}".rstrip("0") if duration.microseconds else ""
        shown += f"{seconds}{fraction}s"
    return shown


def _part(words: Sequence[str], begin: int) -> tuple[list[Amount], int] | None:
    word, after = "".join(words[begin : begin + 1]), [*words[begin + 1 : begin + 5], "", "", ""]
    if after[0] in UNITS and re.fullmatch(NUMBER, word):
        return [(_number(word), UNITS[after[0]])], begin + 2
    if word == "half" and after[0] in ("a", "an") and len(after[1]) > 1 and after[1] in UNITS:
        return [(0.5, UNITS[after[1]])], begin + 3
    if (word in ("a", "an") or word in WORDS) and len(after[0]) > 1 and after[0] in UNITS:
        number, size = WORDS.get(word, 1), UNITS[after[0]]
        if after[1:4] == ["and", "a", "half"]:
            return [(number + 0.5, size)], begin + 5
        return [(number, size)], begin + 2
    if found := HOURS_AND_MINUTES.fullmatch(word):
        return [(int(found[1]), 3600), (int(found[2]), 60)], begin + 1
    if len(word) <= 100 and AMOUNTS.fullmatch(word):
        pairs = AMOUNT.findall(word)
        if all(unit in UNITS for _, unit in pairs):
            return [(_number(number), UNITS[unit]) for number, unit in pairs], begin + 1
    return None


def _number(text: str) -> float:
    return float(text.replace(",", "."))
