"""Code blocks as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.adapting import fenced


@pytest.mark.parametrize(
    ("sent", "languages", "typed"),
    [
        ("```one\ntwo```", False, "```\none\ntwo\n```"),
        ("```\none\ntwo\n```", False, "```\none\ntwo\n```"),
        ("```\none\ntwo```", True, "```\none\ntwo\n```"),
        ("run ```py\none\n``` now", True, "run ```py\none\n``` now"),
        ("```py\none```", False, "```\npy\none\n```"),
        ("```one word```", True, "```one word```"),
        ("```a``` and\n```b```", True, "```a``` and\n```b```"),
        ("```never\nclosed", True, "```never\nclosed"),
        ("``\n``", True, "``\n``"),
    ],
)
def test_fences_stand_on_lines_of_their_own(sent: str, languages: bool, typed: str) -> None:
    assert fenced(sent, languages=languages) == typed


@given(st.text("`ab \n", max_size=60), st.booleans())
def test_twice_is_the_same_as_once_and_nothing_is_lost(text: str, languages: bool) -> None:
    once = fenced(text, languages=languages)
    assert fenced(once, languages=languages) == once or not languages
    assert [char for char in once if char in "`ab"] == [char for char in text if char in "`ab"]
