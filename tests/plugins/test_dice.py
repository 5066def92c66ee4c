"""The dice fall as they should."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman_dice import roll, skill


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 99), st.integers(1, 9999), st.integers(-9999, 9999))
def test_every_die_is_within_its_sides_and_the_total_is_right(count: int, sides: int, plus: int) -> None:
    said = roll(f"{count}d{sides}" + (f"{plus:+d}" if plus else ""))
    found = re.fullmatch(r"🎲 (?P<dice>\d+(?: \+ \d+)*)(?: - \d+)? = \*\*(?P<total>-?\d+)\*\*", said)
    assert found is not None
    rolled = [int(die) for die in found["dice"].split(" + ")]
    if plus > 0:
        assert rolled.pop() == plus
    assert len(rolled) == count
    assert all(1 <= die <= sides for die in rolled)
    assert int(found["total"]) == sum(rolled) + plus


@pytest.mark.parametrize("text", ["1d1", "d1", "D1", "1D1", "1d1+0", "01d1"])
def test_one_die_is_a_plain_number(text: str) -> None:
    assert roll(text) == "🎲 **1**"


def test_a_bonus_is_added_and_a_malus_taken() -> None:
    assert roll("1d1+2") == "🎲 1 + 2 = **3**"
    assert roll("2d1-3") == "🎲 1 + 1 - 3 = **-1**"


def test_several_rolls_are_several_lines() -> None:
    assert roll("1d1", 3) == "🎲 **1**\n🎲 **1**\n🎲 **1**"


@pytest.mark.parametrize("text", ["0d6", "2d0", "d", "2x6", "100d6", "1d10000", "1d6+", "roll", "", " 1d6", "1d6\n"])
def test_what_cannot_be_rolled_is_told_with_what_can(text: str) -> None:
    assert roll(text) == f"`{text}` is not something I can roll. Try `2d20` or `3d6+2`."


def test_a_long_text_with_backticks_is_not_repeated_in_full() -> None:
    assert len(roll("`" * 5 + "x" * 4000)) < 100
    assert "```" not in roll("```x")


def test_the_router_checks_how_often() -> None:
    (handler,) = skill.manifest().handlers
    assert [(p.name, p.ge, p.le, p.default) for p in handler.parameters] == [
        ("dice", None, None, "1d6"),
        ("times", 1, 20, 1),
    ]
