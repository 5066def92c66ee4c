"""Commands whose signatures cover every kind of parameter, for tests of what people type."""

import enum
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from dragoman import Channel, User
from dragoman.arguments import parameters_of, parse

#: A Wednesday.
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))


def roll(dice: str = "1d6", times: Annotated[int, Field(ge=1, le=20)] = 1) -> str:
    return ""


def remind(minutes: float, text: str) -> str:
    return ""


def paint(colour: Literal["red", "Green"], thick: bool = False, *, loud: bool = False, size: int = 3) -> str:
    return ""


def say(text: str, *, loud: bool = False) -> str:
    return ""


def book(title: str, pages: int, *, by: str) -> str:
    return ""


def big(amount: Annotated[int, Field(ge=1, le=1_000_000)]) -> str:
    return ""


def half(amount: Annotated[float, Field(ge=0.5)], most: Annotated[float, Field(le=2.25)] = 1) -> str:
    return ""


def nothing() -> str:
    return ""


class Colour(enum.Enum):
    RED = "red"
    DARK_BLUE = "dark-blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


def mix(colour: Colour, level: Level = Level.LOW, grade: Literal[1, 2] = 1) -> None: ...


def later(when: datetime, text: str, *, every: timedelta = timedelta(days=1)) -> None: ...


def meet(days: list[date], *, at: list[timedelta] | None = None) -> None: ...


def invite(who: User, to: Channel | None = None, *, cc: list[User] | None = None) -> None: ...


def add(name: str, numbers: list[Annotated[float, Field(gt=0, lt=10)]], *, verbose: bool = False) -> None: ...


def tag(tags: list[str], text: str) -> None: ...


def find(code: Annotated[str, AfterValidator(str.strip)], limit: Annotated[int, Field(gt=0)] = 1) -> None: ...


EVERY: list[Callable[..., Any]] = [
    *(nothing, roll, remind, paint, say, book, big, half),
    *(mix, later, meet, invite, add, tag, find),
]


def typed(function: Callable[..., Any], text: str) -> dict[str, Any]:
    return parse(function.__name__, parameters_of(function), text, now=NOW)
