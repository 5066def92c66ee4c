"""One value of one parameter, read from words; and what a person is told that it should be."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from .parameter import Parameter
from .people import Channel, User, read_channel, read_user
from .when import read_date, read_duration, read_moment

__all__ = ["NO", "TIMES", "YES", "Unreadable", "read_time", "read_word", "shorten", "to_json", "wanted"]

YES: Final = frozenset({"yes", "y", "true", "on", "1"})
NO: Final = frozenset({"no", "n", "false", "off", "0"})

#: Kinds that may be several words.
TIMES: Final = frozenset({"date", "datetime", "duration"})

WANTED: Final[Mapping[str, str]] = {
    "text": "some text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "date": "a day such as tomorrow, friday or 2026-03-01",
    "datetime": "a time such as tomorrow 9:00, in 2h or 2026-03-01 14:00",
    "duration": "a length of time such as 2h30m or 90 seconds",
    "user": "a mention of somebody, such as @ann",
    "channel": "a channel, such as #general",
}


class Unreadable(ValueError):
    """A word is not what its parameter wants; with the message that a person gets, or none for the usual one."""


def read_word(parameter: Parameter, word: str, now: datetime) -> Any:
    """The value, in its JSON form, of one whole text; for a list, of one item.

    Raises:
        Unreadable: it is not of the parameter's kind or not within its bounds.
    """
    match parameter.kind:
        case "text":
            return word
        case "choice":
            return _choice(parameter, word)
        case "boolean":
            if word.casefold() in YES | NO:
                return word.casefold() in YES
            raise Unreadable
        case "integer" | "number":
            return _number(parameter, word)
        case "user" | "channel":
            who = read_user(word) if parameter.kind == "user" else read_channel(word)
            if who is None:
                raise Unreadable
            return to_json(who)
        case "date" | "datetime" | "duration":
            words = word.split()
            value, taken = read_time(parameter, words, now)
            if taken < len(words):
                raise Unreadable
            return value


def read_time(parameter: Parameter, words: Sequence[str], now: datetime) -> tuple[Any, int]:
    """The value, in its JSON form, that words begin with, and how many of them it takes; raises as `read_word`."""
    found: tuple[date | timedelta, int] | None
    try:
        match parameter.kind:
            case "date":
                found = read_date(words, now)
            case "datetime":
                found = read_moment(words, now)
            case _:
                found = read_duration(words)
    except ValueError as error:
        raise Unreadable(f"`{parameter.name}`: {error}.") from None
    if found is None:
        raise Unreadable
    return to_json(found[0]), found[1]


def to_json(value: Any) -> Any:
    """The JSON form of a value: what is no date, length of time, person, channel or list stays as it is."""
    if isinstance(value, date):  # a datetime, too
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, User | Channel):
        return {"id": value.id, "name": value.name}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def wanted(parameter: Parameter) -> str:
    """What a value should be, in the words of people: "a whole number from 1 to 20"."""
    if parameter.expected:
        return parameter.expected
    if parameter.kind == "choice":
        return "one of " + ", ".join(f"`{choice}`" for choice in parameter.choices)
    bounds = ""
    if parameter.ge is not None:
        bounds = f" from {_shown(parameter.ge)}"
    elif parameter.gt is not None:
        bounds = f" above {_shown(parameter.gt)}"
    if parameter.le is not None:
        bounds += f" {'to' if parameter.ge is not None else 'and up to' if bounds else 'up to'} {_shown(parameter.le)}"
    elif parameter.lt is not None:
        bounds += f" {'and ' if bounds else ''}below {_shown(parameter.lt)}"
    return WANTED[parameter.kind] + bounds


def shorten(word: str) -> str:
    """A word to quote back: not so long that it fills the channel, and unable to leave its code span."""
    word = " ".join(word.replace("`", "'").split()) or word.replace("`", "'")
    return word if len(word) <= 60 else word[:57] + "..."


def _choice(parameter: Parameter, word: str) -> str:
    as_is: Callable[[str], str] = str
    # As it is written first: two choices may differ in case only.
    for alike in (as_is, _folded):
        for names in (parameter.choices, parameter.labels):
            for choice, name in zip(parameter.choices, names, strict=False):
                if alike(name) == alike(word):
                    return choice
    raise Unreadable


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-")


def _number(parameter: Parameter, word: str) -> int | float:
    try:
        # int() refuses more than 4,300 digits, and nobody means "1_000" as a number.
        if "_" in word:
            raise Unreadable
        number = int(word) if parameter.kind == "integer" else float(word)
    except ValueError:
        raise Unreadable from None
    # A store and JSON hold 64 bits; NaN and infinity are not numbers that anybody types.
    within = (
        abs(number) < 2**63
        and (parameter.ge is None or number >= parameter.ge)
        and (parameter.le is None or number <= parameter.le)
        and (parameter.gt is None or number > parameter.gt)
        and (parameter.lt is None or number < parameter.lt)
    )
    if not within:
        raise Unreadable
    return number


def _shown(number: float) -> str:
    """As people write it: 1000000, not 1e+06."""
    return str(int(number)) if number == int(number) else str(number)
