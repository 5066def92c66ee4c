"""Parameters from signatures, and signatures that nobody could type."""

import enum
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType

import pytest
from annotated_types import Interval
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from dragoman import Channel, Parameter, SkillError, User
from dragoman.arguments import parameters_of


def test_a_signature_is_read_whole() -> None:
    def draw(
        shape: Annotated[Literal["round", "square"], "which shape"],
        size: Annotated[int, Field(ge=1, description="how large")] = 3,
        name: str | None = None,
        *,
        dry_run: bool = False,
    ) -> None: ...

    assert parameters_of(draw) == (
        Parameter(name="shape", kind="choice", choices=("round", "square"), description="which shape"),
        Parameter(name="size", kind="integer", required=False, default=3, ge=1, description="how large"),
        Parameter(name="name", required=False, rest=True),
        Parameter(name="dry_run", kind="boolean", required=False, default=False, flag_only=True),
    )


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


Ident = NewType("Ident", str)


class Sized(BaseModel):
    size: int

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: Any) -> Any:
        return {"size": len(value)} if isinstance(value, str) else value


def only(function: Callable[..., Any]) -> Parameter:
    (parameter,) = parameters_of(function)
    return parameter


def test_the_kinds_of_values_that_people_type() -> None:
    def every(
        colour: Colour,
        level: Level = Level.HIGH,
        grade: Literal[1, 2] = 2,
        day: date = date(2026, 3, 1),
        moment: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC),
        span: timedelta = timedelta(hours=2),
        who: User | None = None,
        to: Channel = Channel(id="C1", name="general"),  # noqa: B008  # it is frozen
        ident: Ident = Ident("x"),
        *,
        tags: list[str] | None = None,
        spans: list[timedelta] = [timedelta(seconds=1)],  # noqa: B006  # nobody changes it
        most: Annotated[int, Field(ge=1)] | None = None,
    ) -> None: ...

    given = parameters_of(every)
    assert given == (
        Parameter(name="colour", kind="choice", choices=("red", "blue"), labels=("RED", "BLUE")),
        Parameter(
            name="level", kind="choice", choices=("low", "high"), labels=("1", "2"), default="high", required=False
        ),
        Parameter(name="grade", kind="choice", choices=("1", "2"), default="2", required=False),
        Parameter(name="day", kind="date", default="2026-03-01", required=False),
        Parameter(name="moment", kind="datetime", default="2026-03-01T09:00:00+00:00", required=False),
        Parameter(name="span", kind="duration", default=7200.0, required=False),
        Parameter(name="who", kind="user", required=False),
        Parameter(name="to", kind="channel", default={"id": "C1", "name": "general"}, required=False),
        Parameter(name="ident", default="x", required=False, rest=True),
        Parameter(name="tags", many=True, required=False, flag_only=True),
        Parameter(name="spans", kind="duration", many=True, default=[1.0], required=False, flag_only=True),
        Parameter(name="most", kind="integer", ge=1, required=False, flag_only=True),
    )
    assert all(json.loads(json.dumps(parameter.default)) == parameter.default for parameter in given)


def test_the_bounds_of_whole_numbers_are_whole() -> None:
    def over(x: Annotated[int, Field(gt=0, lt=10)]) -> None: ...

    def within(x: Annotated[int, Interval(ge=1, lt=5)]) -> None: ...

    def number(x: Annotated[float, Field(gt=0, le=1)]) -> None: ...

    assert only(over) == Parameter(name="x", kind="integer", ge=1, le=9)
    assert only(within) == Parameter(name="x", kind="integer", ge=1, le=4)
    assert only(number) == Parameter(name="x", kind="number", gt=0, le=1)


def test_what_only_pydantic_can_check_is_for_the_worker() -> None:
    def short(x: Annotated[str, Field(max_length=3, description="three letters")]) -> None: ...

    def even(x: Annotated[int, AfterValidator(lambda number: number), Field(ge=2)]) -> None: ...

    def soon(x: Annotated[timedelta, Field(le=timedelta(hours=1))]) -> None: ...

    def few(x: Annotated[list[int], Field(max_length=2)]) -> None: ...

    assert only(short) == Parameter(name="x", custom=True, rest=True, description="three letters")
    assert only(even) == Parameter(name="x", kind="integer", custom=True, ge=2)
    assert only(soon) == Parameter(name="x", kind="duration", custom=True)
    assert only(few) == Parameter(name="x", kind="integer", custom=True, many=True)


def test_a_type_that_pydantic_reads_from_a_text_is_a_text() -> None:
    def price(x: Decimal) -> None: ...

    def sized(x: Sized) -> None: ...

    def length(x: Annotated[int, BeforeValidator(len)] = 3) -> None: ...

    assert only(price) == Parameter(name="x", custom=True, rest=True, expected="a number")
    assert only(sized) == Parameter(name="x", custom=True, rest=True)
    assert only(length) == Parameter(name="x", custom=True, rest=True, required=False, default=3)


def test_a_default_of_an_authors_type_is_shown_as_json() -> None:
    def price(x: Decimal = Decimal("1.50")) -> None: ...

    assert only(price).default == "1.50"


def test_a_list_never_takes_the_rest_of_the_line_as_one_text() -> None:
    def tags(x: list[str]) -> None: ...

    assert only(tags) == Parameter(name="x", many=True)


def unannotated(x) -> None: ...  # type: ignore[no-untyped-def]  # what the test is about


def several(*words: str) -> None: ...


def anything(**words: str) -> None: ...


def slashed(x: str, /) -> None: ...


def of_a_list(x: list) -> None: ...  # type: ignore[type-arg]  # what the test is about


def of_two(x: int | str) -> None: ...


def of_lists(x: list[list[str]]) -> None: ...


def of_some_none(x: list[int | None]) -> None: ...


def mixed(x: Literal["a", None]) -> None: ...


def whatever(x: Any) -> None: ...


def mapping(x: dict[str, int]) -> None: ...


class Model(BaseModel):
    a: int


def modelled(x: Model) -> None: ...


class Nobody(enum.Enum): ...


def chosen_from_none(x: Nobody) -> None: ...


def long_number(x: Annotated[int, Field(max_length=3)]) -> None: ...


def half_number(x: Annotated[int, Field(gt=0.5)]) -> None: ...


def odd_date(x: date = "today") -> None: ...  # type: ignore[assignment]  # what the test is about


def odd_choice(x: Literal["a", "b"] = "c") -> None: ...  # type: ignore[assignment]  # likewise


def odd_list(x: list[int] = 3) -> None: ...  # type: ignore[assignment]  # likewise


def bounded_text(x: Annotated[str, Field(ge=1)]) -> None: ...


def bounded_by_text(x: Annotated[int, Field(ge="a")]) -> None: ...


def odd_default(x: str = ["a"]) -> None: ...  # type: ignore[assignment]  # what the test is about


def unknown_name(x: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821  # likewise


def maybe(x: int | None) -> None: ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (unannotated, "unannotated(x): annotate it"),
        (several, "several(words): write it as a plain"),
        (anything, "anything(words): write it as a plain"),
        (slashed, "slashed(x): write it as a plain"),
        (of_a_list, "is not something a person can type"),
        (of_two, "is not something a person can type"),
        (maybe, "is not something a person can type"),
        (of_lists, "is not something a person can type"),
        (of_some_none, "is not something a person can type"),
        (mixed, "is not something a person can type"),
        (whatever, "is not something a person can type"),
        (mapping, "is not something a person can type"),
        (modelled, "is not something a person can type"),
        (chosen_from_none, "has no members to choose from"),
        (long_number, "Unable to apply constraint 'max_length'"),
        (half_number, "'gt' must be coercible to an integer"),
        (bounded_text, "ge, le, gt and lt are for numbers and times"),
        (bounded_by_text, "ge must be a number, not 'a'"),
        (odd_date, "its default must be a date or None, not 'today'"),
        (odd_choice, "its default must be one of a, b, not 'c'"),
        (odd_list, "its default must be a list or None"),
        (odd_default, "its default must be"),
        (unknown_name, "its annotations cannot be read: name 'Nowhere' is not defined"),
    ],
)
def test_a_signature_that_nobody_could_type_is_refused_by_name(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(SkillError) as caught:
        parameters_of(function)
    assert why in str(caught.value)
    assert function.__name__ in str(caught.value)
