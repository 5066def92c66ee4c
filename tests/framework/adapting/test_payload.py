"""A platform's JSON, which may be anything."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.adapting import PayloadError, items, joined, mapping, optional, required

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("read", "value", "problem"),
    [
        (required, None, "payload: event.x is missing"),
        (required, "", "payload: event.x must be a text, not str"),
        (required, 5, "payload: event.x must be a text, not int"),
        (optional, [], "payload: event.x must be a text, not list"),
        (mapping, None, "payload: event.x is missing"),
        (mapping, "y", "payload: event.x must be an object, not str"),
        (items, {}, "payload: event.x must be a list of objects, not dict"),
        (items, [1], "payload: event.x must be a list of objects, not list"),
    ],
)
def test_what_is_wrong_is_named_with_its_path(read: Callable[..., Any], value: object, problem: str) -> None:
    with pytest.raises(PayloadError) as wrong:
        read({"x": value}, "x", "event")
    assert (str(wrong.value), wrong.value.field) == (problem, "event.x")


def test_what_is_left_out_is_empty_where_it_may_be() -> None:
    assert (optional({}, "x", ""), items({}, "x", ""), joined("", "x")) == ("", (), "x")


@given(anything)
def test_anything_is_read_or_blamed(value: object) -> None:
    for read in (required, optional, mapping, items):
        with contextlib.suppress(PayloadError):
            assert read({"x": value}, "x", "") in (value, "", ())


def test_half_a_character_becomes_one_that_can_be_stored() -> None:
    assert required({"x": "a\ud83d"}, "x", "") == "a\ufffd"
