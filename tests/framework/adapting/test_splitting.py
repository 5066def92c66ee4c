"""A text that is too long becomes several, in a markup that no platform has."""

import re

from hypothesis import given
from hypothesis import strategies as st

from dragoman.adapting import Code, Line, Markup, Run, fit, write

MARKUP = Markup(
    unit=re.compile(r"\[[a-z]*\]|.", re.DOTALL),
    code_unit=re.compile(".", re.DOTALL),
    reserve=12,
    gap="~",
    touching=lambda out, opening, closed, body: closed and bool(opening),
)

words = st.text("abc \n[]", max_size=40)
runs = st.builds(Run, words, st.sampled_from([(), ("*",), ("*", "_")]))
blocks = st.lists(
    st.builds(Line, st.lists(runs, max_size=4).map(tuple), st.sampled_from(["", "> "]), st.sampled_from(["", "> "]))
    | st.builds(Code, st.text("xyz \n", max_size=80), st.sampled_from(["", "py"])),
    max_size=5,
)


def letters(text: str) -> str:
    return re.sub(r"[^abcxz]", "", text.replace("```py", "```"))


@given(blocks)
def test_every_part_fits_and_nothing_is_cut_away(found: list[Line | Code]) -> None:
    parts = fit(found, 60, MARKUP)
    assert all(0 < len(part) <= 60 for part in parts)
    said = "".join(
        block.text if isinstance(block, Code) else "".join(run.text for run in block.runs) for block in found
    )
    assert letters("".join(parts)) == letters(said)


@given(blocks)
def test_every_code_block_is_closed_where_it_was_opened(found: list[Line | Code]) -> None:
    assert all(part.count("```") % 2 == 0 for part in fit(found, 60, MARKUP))


def test_what_must_not_be_broken_stays_whole() -> None:
    line = Line((Run("a " * 30), Run("<token of it>", whole=True)))
    assert any("<token of it>" in part for part in fit([line], 40, MARKUP))
    assert all(part.count("[") == part.count("]") for part in fit([Line((Run("[ab]" * 40),))], 41, MARKUP))


def test_marks_stand_inside_of_spaces_and_apart_from_one_another() -> None:
    line = (Run(" a ", ("*",)), Run("b ", ("*", "_")), Run("c", ("_",)), Run(" ", ("*",)), Run("d"))
    assert write("> ", line, MARKUP) == ">  *a _b_* ~_c_ d"
