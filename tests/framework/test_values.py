"""The values that skills keep."""

import json
import math
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import Person, SkillError
from dragoman.values import LARGEST, read_value, write_value

# With NUL and with half characters: platforms send both.
texts = st.text(st.characters(min_codepoint=0, max_codepoint=0xDBFF) | st.characters(min_codepoint=0xE000))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_any_json_comes_back_as_it_was_through_plain_ascii(value: Any) -> None:
    text = write_value(value, "set")
    assert text.isascii()
    assert "\0" not in text
    found = read_value(text)
    assert found == value
    assert json.dumps(found) == json.dumps(value)  # 1, 1.0 and True are equal


def test_a_tuple_comes_back_as_a_list() -> None:
    assert read_value(write_value((1, ("a",)), "set")) == [1, ["a"]]


def holds_itself() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: math.nan, "value is nan, which is not a JSON number: store None or a text"),
        (lambda: {"a": [1.0, -math.inf]}, "value['a'][1] is -inf"),
        (lambda: {"a": {3: 1}}, "value['a'] has the key 3; in JSON keys are texts: write '3'"),
        (lambda: [date(2026, 1, 2)], "value[0] is of type date,"),
        (lambda: date(2026, 1, 2), "write .isoformat()"),
        (lambda: timedelta(1), "value is of type timedelta"),
        (lambda: Person(id="U1"), "write .model_dump(mode='json')"),
        (lambda: {1, 2}, "value is of type set"),
        (lambda: b"bytes", "value is of type bytes"),
        (holds_itself, "holds itself"),
        (lambda: 10**5000, "cannot be kept as JSON"),
        (lambda: "x" * LARGEST, f"{LARGEST + 2:,} bytes of JSON, and the limit is {LARGEST:,}"),
    ],
)
def test_what_is_not_json_is_told_with_its_place(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(SkillError) as caught:
        write_value(make(), "ctx.store.set('k')")
    assert str(caught.value).startswith("ctx.store.set('k'): ")
    assert told in str(caught.value)


def test_the_largest_value_is_kept() -> None:
    value = "x" * (LARGEST - 2)
    assert read_value(write_value(value, "set")) == value
