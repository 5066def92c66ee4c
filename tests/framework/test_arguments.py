"""The signature is the grammar: what people type, and what they are told when it does not fit."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from dragoman import ArgumentsError, Parameter, SkillError, usage
from dragoman.arguments import convert, parameters_of, parse


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


def typed(function: Callable[..., Any], text: str) -> dict[str, Any]:
    return parse(function.__name__, parameters_of(function), text)


@pytest.mark.parametrize(
    ("function", "text", "values"),
    [
        (nothing, "", {}),
        (nothing, "  \n ", {}),
        (roll, "", {}),
        (roll, "2d20", {"dice": "2d20"}),
        (roll, "2d20 3", {"dice": "2d20", "times": 3}),
        (roll, "  2d20\t3  ", {"dice": "2d20", "times": 3}),
        (roll, "2d20\u00a03", {"dice": "2d20", "times": 3}),
        (roll, "--times 4", {"times": 4}),
        (roll, "--times 4 2d20", {"times": 4, "dice": "2d20"}),
        (roll, "2d20 --times 4", {"times": 4, "dice": "2d20"}),
        (roll, "--dice 2d20 4", {"times": 4, "dice": "2d20"}),
        (roll, "2d20 ٤", {"dice": "2d20", "times": 4}),
        (remind, "1.5 buy milk", {"minutes": 1.5, "text": "buy milk"}),
        (remind, "5 don't  forget", {"minutes": 5.0, "text": "don't  forget"}),
        (remind, '5 "buy milk"', {"minutes": 5.0, "text": "buy milk"}),
        (remind, "5 'buy milk'", {"minutes": 5.0, "text": "buy milk"}),
        (remind, '5 "buy" milk', {"minutes": 5.0, "text": '"buy" milk'}),
        (remind, '5 6" nails', {"minutes": 5.0, "text": '6" nails'}),
        (remind, '5 "', {"minutes": 5.0, "text": '"'}),
        (remind, '5 ""', {"minutes": 5.0, "text": ""}),
        (remind, "5 a\nb", {"minutes": 5.0, "text": "a\nb"}),
        (remind, "-1e3 --", {"minutes": -1000.0, "text": "--"}),
        (paint, "red", {"colour": "red"}),
        (paint, "RED", {"colour": "red"}),
        (paint, "green yes", {"colour": "Green", "thick": True}),
        (paint, "green Off --loud", {"colour": "Green", "thick": False, "loud": True}),
        (paint, "--size 9 red", {"colour": "red", "size": 9}),
        (paint, "--thick no red", {"colour": "red", "thick": False}),
        (say, "--loud hello there", {"loud": True, "text": "hello there"}),
        (say, '"--loud"', {"text": "--loud"}),
        (book, "Emma 400 --by Jane", {"title": "Emma", "pages": 400, "by": "Jane"}),
        (
            book,
            '"War and Peace" 1200 --by "Leo Tolstoy"',
            {"title": "War and Peace", "pages": 1200, "by": "Leo Tolstoy"},
        ),
        (big, "1000000", {"amount": 1_000_000}),
    ],
)
def test_what_is_typed_becomes_values(function: Callable[..., Any], text: str, values: dict[str, Any]) -> None:
    found = typed(function, text)
    assert found == values
    assert {name: type(value) for name, value in found.items()} == {name: type(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("function", "text", "told"),
    [
        (nothing, "please", "I do not know what to do with `please`."),
        (roll, "2d20 many", "`times` should be a whole number from 1 to 20, not `many`."),
        (roll, "2d20 0", "`times` should be a whole number from 1 to 20, not `0`."),
        (roll, "2d20 21", "`times` should be a whole number from 1 to 20, not `21`."),
        (roll, "2d20 1_0", "`times` should be a whole number from 1 to 20, not `1_0`."),
        (roll, "2d20 2.0", "`times` should be a whole number from 1 to 20, not `2.0`."),
        (roll, "2d20 2 3", "I do not know what to do with `3`."),
        (roll, "--times", "`--times` needs a whole number from 1 to 20 after it."),
        (remind, "", "`minutes` is missing: it should be a number."),
        (remind, "5", "`text` is missing: it should be some text."),
        (remind, "nan x", "`minutes` should be a number, not `nan`."),
        (remind, "inf x", "`minutes` should be a number, not `inf`."),
        (remind, "1e400 x", "`minutes` should be a number, not `1e400`."),
        (paint, "blue", "`colour` should be one of `red`, `Green`, not `blue`."),
        (paint, "red perhaps", "`thick` should be yes or no, not `perhaps`."),
        (paint, "--loud", "`colour` is missing: it should be one of `red`, `Green`."),
        (book, "Emma 400", "`by` is missing: it should be some text."),
        (big, "1000001", "`amount` should be a whole number from 1 to 1000000, not `1000001`."),
        (half, "0", "`amount` should be a number from 0.5, not `0`."),
        (half, "1 3", "`most` should be a number up to 2.25, not `3`."),
        (big, "9" * 5000, "`amount` should be a whole number from 1 to 1000000, not `" + "9" * 57 + "...`."),
        (big, "`rm`", "`amount` should be a whole number from 1 to 1000000, not `'rm'`."),
    ],
)
def test_what_does_not_fit_is_said_in_the_words_of_people(function: Callable[..., Any], text: str, told: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        typed(function, text)
    assert str(caught.value) == told
    assert caught.value.usage == usage(function.__name__, parameters_of(function))


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (nothing, "nothing"),
        (roll, "roll [dice] [times]"),
        (remind, "remind <minutes> <text>"),
        (paint, "paint <red|Green> [thick] [--loud] [--size size]"),
        (book, "book <title> <pages> --by by"),
    ],
)
def test_the_usage_line_shows_what_may_be_left_out(function: Callable[..., Any], line: str) -> None:
    assert usage(function.__name__, parameters_of(function)) == line


def test_the_usage_line_puts_flags_before_the_text_that_would_swallow_them() -> None:
    assert usage("say", parameters_of(say)) == "say [--loud] <text>"
    assert typed(say, "hello --loud") == {"text": "hello --loud"}


ANY = [nothing, roll, remind, paint, say, book, big, half]
words = st.sampled_from(["--", "--loud", "--size", "--by", "--times", '"', "'", '"a b"', "5", "red", "yes", "\u2028"])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ANY), st.text() | st.lists(words | st.text(max_size=4), max_size=6).map(" ".join))
def test_any_text_is_values_or_an_arguments_error(function: Callable[..., Any], text: str) -> None:
    parameters = parameters_of(function)
    try:
        values = parse("it", parameters, text)
    except ArgumentsError:
        return
    assert values.keys() <= {parameter.name for parameter in parameters}
    assert values.keys() >= {parameter.name for parameter in parameters if parameter.required}
    assert all(isinstance(value, str | int | float | bool) for value in values.values())


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool))
def test_the_last_text_is_kept_as_it_was_typed(text: str) -> None:
    if text[0] in "\"'" or text.startswith("--"):
        return
    assert typed(remind, f"5 {text}")["text"] == text


def test_groups_of_a_pattern_are_converted_like_words() -> None:
    parameters = parameters_of(remind)
    assert convert("remind", parameters, {"minutes": "5", "text": "a b", "other": "x"}) == {
        "minutes": 5.0,
        "text": "a b",
    }
    with pytest.raises(ArgumentsError, match="`minutes` should be a number"):
        convert("remind", parameters, {"minutes": "five", "text": "x"})


def test_a_group_that_took_no_part_but_is_required_is_missing() -> None:
    with pytest.raises(ArgumentsError, match="`text` is missing"):
        convert("remind", parameters_of(remind), {"minutes": "5"})


# -- signatures ---------------------------------------------------------------------------------------


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


def test_a_flag_may_be_typed_with_dashes() -> None:
    def go(*, dry_run: bool = False) -> None: ...

    assert typed(go, "--dry-run") == {"dry_run": True}
    assert typed(go, "--dry_run") == {"dry_run": True}


def unannotated(x) -> None: ...  # type: ignore[no-untyped-def]  # what the test is about


def several(*words: str) -> None: ...


def anything(**words: str) -> None: ...


def slashed(x: str, /) -> None: ...


def of_a_list(x: list[str]) -> None: ...


def of_two(x: int | str) -> None: ...


def numbers(x: Literal[1, 2]) -> None: ...


def greater(x: Annotated[int, Field(gt=0)]) -> None: ...


def short(x: Annotated[str, Field(max_length=3)]) -> None: ...


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
        (numbers, "is not something a person can type"),
        (greater, "the router can check ge and le, not Gt(gt=0)"),
        (short, "the router can check ge and le, not MaxLen"),
        (bounded_text, "ge and le are for numbers"),
        (bounded_by_text, "ge and le must be numbers, not 'a'"),
        (odd_default, "its default must be"),
        (unknown_name, "its annotations cannot be read: name 'Nowhere' is not defined"),
    ],
)
def test_a_signature_that_nobody_could_type_is_refused_by_name(function: Callable[..., Any], why: str) -> None:
    with pytest.raises(SkillError) as caught:
        parameters_of(function)
    assert why in str(caught.value)
    assert function.__name__ in str(caught.value)
