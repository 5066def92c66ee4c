"""From JSON values to what the handler's annotations say, in the worker."""

import contextlib
import enum
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field, GetCoreSchemaHandler, HttpUrl, IPvAnyAddress
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from dragoman import ArgumentsError, Channel, User
from dragoman.arguments import bind, parameters_of


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Postcode(str):
    """An author's own type."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls._read, core_schema.str_schema())

    @classmethod
    def _read(cls, text: str) -> "Postcode":
        if not text.isdigit():
            raise ValueError("a postcode has only digits.")
        return cls(text)


def even(number: int) -> int:
    assert number % 2 == 0, "it should be even"
    return number


def known(name: str) -> str:
    if name != "x":
        raise PydanticCustomError("unknown_name", "nobody is called {name}", {"name": name})
    return name


def bound(function: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    return bind(function, function.__name__, parameters_of(function), arguments)


def every(
    colour: Colour,
    grade: Literal[1, 2] = 1,
    day: date | None = None,
    moment: datetime | None = None,
    span: timedelta | None = None,
    who: User | None = None,
    to: Channel | None = None,
    *,
    colours: list[Colour] | None = None,
    days: list[date] | None = None,
    code: Postcode | None = None,
    strict: Annotated[date, Field(strict=True)] | None = None,
) -> None: ...


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("colour", "blue", Colour.BLUE),
        ("grade", "2", 2),
        ("day", "2026-03-01", date(2026, 3, 1)),
        ("moment", "2026-03-01T09:00:00+01:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("span", 90.0, timedelta(seconds=90)),
        ("who", {"id": "U1", "name": "ann"}, User(id="U1", name="ann")),
        ("to", {"id": "C1"}, Channel(id="C1")),
        ("colours", ["red", "blue"], [Colour.RED, Colour.BLUE]),
        ("days", ["2026-03-01"], [date(2026, 3, 1)]),
        ("code", "123", Postcode("123")),
        ("strict", "2026-03-01", date(2026, 3, 1)),
    ],
)
def test_json_becomes_what_the_annotation_says(name: str, value: Any, made: Any) -> None:
    values = bound(every, **{"colour": "red", name: value})
    assert values[name] == made
    assert type(values[name]) is type(made)


def test_what_was_left_out_is_left_to_the_handlers_default() -> None:
    assert bound(every, colour="red") == {"colour": Colour.RED}


def test_an_argument_of_another_version_is_dropped() -> None:
    assert bound(every, colour="red", size=3) == {"colour": Colour.RED}


def test_a_context_is_not_an_argument() -> None:
    class Nothing:
        """What pydantic knows no schema of."""

    def greet(ctx: Nothing, name: str) -> None: ...

    assert bind(greet, "greet", parameters_of(greet, skip=["ctx"]), {"name": "ann"}) == {"name": "ann"}


def refused(
    code: Postcode = Postcode("1"),  # noqa: B008  # it is a text
    short: Annotated[str, Field(min_length=2, max_length=3)] = "abc",
    number: Annotated[int, AfterValidator(even)] = 2,
    name: Annotated[str, AfterValidator(known)] = "x",
    span: Annotated[timedelta, Field(le=timedelta(hours=1))] = timedelta(),
    price: Annotated[Decimal, Field(gt=0, multiple_of=Decimal("0.5"))] = Decimal(1),
    key: Annotated[str, Field(pattern="^[A-Z]+$", description="a key in capitals.")] = "A",
    lock: Annotated[str, Field(pattern="^[A-Z]+$")] = "A",
    link: HttpUrl | None = None,
    host: IPvAnyAddress | None = None,
    most: Annotated[int, Field(ge=1, le=5)] = 1,
    *,
    few: Annotated[list[int], Field(max_length=2)] | None = None,
    codes: list[Postcode] | None = None,
) -> None: ...


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("code", "12a", "`code` cannot be `12a`: a postcode has only digits."),
        ("short", "a", "`short` cannot be `a`: it should have at least 2 characters."),
        ("short", "abcd", "`short` cannot be `abcd`: it should have at most 3 characters."),
        ("number", 3, "`number` cannot be `3`: it should be even."),
        ("name", "ann", "`name` cannot be `ann`: nobody is called ann."),
        ("span", 7200.0, "`span` cannot be `2h`: it should be at most 1 hour."),
        ("price", "-1", "`price` cannot be `-1`: it should be more than 0."),
        ("price", "1.2", "`price` cannot be `1.2`: it should be a multiple of 0.5."),
        ("price", "cheap", "`price` should be a number, not `cheap`."),
        ("key", "abc", "`key` cannot be `abc`. Wanted: a key in capitals."),
        ("lock", "a`bc", "`lock` cannot be `a'bc`."),
        ("link", "nowhere", "`link` cannot be `nowhere`: it should be a link such as https://example.com."),
        ("host", "1.2.3", "`host` cannot be `1.2.3`: it should be an address such as 192.0.2.1."),
        ("few", [1, 2, 3], "`few` cannot be `1, 2, 3`: there should be at most 2."),
        ("codes", ["1", "b"], "`codes` cannot be `b`: a postcode has only digits."),
        # What an older manifest let through:
        ("most", 9, "`most` cannot be `9`: it should be at most 5."),
        ("most", "many", "`most` should be a whole number from 1 to 5, not `many`."),
        ("span", "soon", "`span` cannot be `soon`."),
    ],
)
def test_what_does_not_fit_is_said_in_the_authors_words_or_ours(name: str, value: Any, told: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        bound(refused, **{name: value})
    assert str(caught.value) == told
    assert caught.value.usage.startswith("refused [code] [short]")


def test_what_a_newer_version_needs_is_missing() -> None:
    with pytest.raises(ArgumentsError, match="`colour` is missing: it should be one of `red`, `blue`"):
        bound(every)


@pytest.mark.parametrize("value", [float("1e300"), "tomorrow", ["x"], {"id": 1}, True, None])
def test_any_json_is_taken_or_refused(value: Any) -> None:
    for parameter in parameters_of(every):
        with contextlib.suppress(ArgumentsError):
            assert parameter.name in bound(every, **{"colour": "red", parameter.name: value})
