"""What somebody may have meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.spelling import Spelling

NAMES = ("roll", "remind", "reminders", "help", "deploy", "karma")


def spelling(*names: str) -> Spelling:
    found = Spelling()
    for name in names:
        found.add(name)
    return found


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("rol", "roll"),
        ("rolll", "roll"),
        ("deplyo", "deploy"),
        ("hlep", "help"),
        ("remidn", "remind"),
        ("carma", "karma"),
    ],
)
def test_a_misspelt_word_finds_its_name(word: str, meant: str) -> None:
    assert spelling(*NAMES).suggest(word) == meant


@pytest.mark.parametrize("word", ["", "x", "xyzzy", "dance", "help" * 5000])
def test_a_word_that_is_like_nothing_finds_nothing(word: str) -> None:
    assert spelling(*NAMES).suggest(word) is None


@given(st.text(min_size=4, max_size=20), st.integers(0, 19))
def test_a_name_with_one_letter_missing_is_always_found(name: str, place: int) -> None:
    place %= len(name)
    assert spelling(name).suggest(name[:place] + name[place + 1 :]) == name


def test_the_work_does_not_grow_with_the_names() -> None:
    """Counted, not timed: what a word is compared with, of five hundred names, is what is like it."""
    many = spelling(*(f"command-{n}-{n * n}" for n in range(500)), "roll")
    found = {name for key in ("rol", "ro", "rl", "ol") for name in many._names.get(key, ())}
    assert found == {"roll"}
