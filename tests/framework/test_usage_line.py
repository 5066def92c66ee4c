"""How a command is typed, in one line."""

from collections.abc import Callable
from typing import Any

import pytest

from dragoman import usage
from dragoman.arguments import parameters_of
from support.signatures import book, later, meet, mix, nothing, paint, remind, roll, say, tag


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


def test_the_usage_line_puts_flags_before_the_rest_of_the_line() -> None:
    assert usage("say", parameters_of(say)) == "say [--loud] <text>"


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (mix, "mix <red|dark-blue> [low|high] [1|2]"),
        (later, "later <when> [--every every] <text>"),
        (meet, "meet [--at at...] <days...>"),
        (tag, "tag <tags...> <text>"),
    ],
)
def test_the_usage_line_shows_lists(function: Callable[..., Any], line: str) -> None:
    assert usage(function.__name__, parameters_of(function)) == line
