"""Texts that are too long become several messages, and lose nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.adapting import Code, Line, Run, fit
from dragoman_discord.compose import compose
from dragoman_discord.split import MARKUP


def words(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text)


def test_a_text_that_fits_is_one_message() -> None:
    assert compose("a" * 2000).parts == ("a" * 2000,)
    assert "".join(compose("a" * 2001).parts) == "a" * 2001


def test_it_breaks_between_paragraphs_if_that_leaves_a_part_half_full() -> None:
    first, second = "a " * 700, "b " * 700
    assert compose(f"{first}\n\n{second}").parts == (first.strip(), second.strip())


def test_it_breaks_between_lines_and_words() -> None:
    parts = compose("\n".join(["word " * 10] * 100)).parts
    assert all(part.endswith("word") and part.startswith("word") for part in parts)


def test_a_code_block_that_is_broken_is_closed_and_opened_again_in_its_language() -> None:
    code = "\n".join(f"line {number}" for number in range(800))
    parts = compose(f"Look:\n\n```py\n{code}\n```\n\ndone").parts
    assert len(parts) > 2
    assert parts[0].startswith("Look:\n\n```py\nline 0\n")
    for part in parts[1:-1]:
        assert part.startswith("```py\nline ")
        assert part.endswith("\n```")
    assert parts[-1].endswith("\n```\n\ndone")
    lines = [line for part in parts for line in part.splitlines() if line.startswith("line")]
    assert lines == code.split("\n")


def test_a_format_that_is_broken_is_closed_and_opened_again() -> None:
    parts = compose(f"**{'word ' * 900}end**").parts
    assert len(parts) > 1
    assert all(part.startswith("**") and part.endswith("**") for part in parts)


def test_a_token_is_never_broken() -> None:
    parts = compose(" ".join(["[@x](dragoman:user/175928847299117063)"] * 200)).parts
    assert sum(part.count("<@175928847299117063>") for part in parts) == 200


def test_a_quote_stays_a_quote_and_a_heading_a_heading() -> None:
    assert all(part.startswith("> ") for part in compose(f"> {'word ' * 900}").parts)
    assert all(part.startswith("# ") for part in compose(f"# {'word ' * 900}").parts)


def test_three_backticks_in_code_do_not_end_it() -> None:
    [part] = compose("````\na ``` b\n````").parts
    assert part.count("```") == 2


@pytest.mark.parametrize("limit", [60, 100])
def test_an_escape_stays_with_what_it_escapes(limit: int) -> None:
    for part in compose("\\*" * 300, limit).parts:
        assert re.fullmatch(r"(?:\\\*)+", part)


PIECES = st.lists(
    st.sampled_from(["word ", "*em* ", "**strong** ", "`code` ", "\n\n", "\n", "- item\n", "> quote\n", "a" * 70])
    | st.sampled_from(["```\ncode line\nmore\n```\n", "[x](dragoman:spoiler) ", "~~s~~", "# head\n", "\\* ", "a_b "]),
    max_size=60,
)


@given(PIECES, st.sampled_from([60, 80, 200, 2000]))
def test_parts_fit_and_nothing_is_lost(pieces: list[str], limit: int) -> None:
    text = "".join(pieces)
    whole = "".join(compose(text, 10**6).parts)
    parts = compose(text, limit).parts
    assert all(0 < len(part) <= limit and part.strip() for part in parts)
    assert all(part.count("```") % 2 == 0 for part in parts)
    assert words("".join(parts)) == words(whole)


@given(st.lists(st.text("ab \\*", max_size=90), max_size=8), st.booleans())
def test_blocks_of_any_text_fit(texts: list[str], code: bool) -> None:
    blocks: list[Line | Code] = [
        Code(text, "py") if code else Line((Run(text.replace("\\", "\\\\")),)) for text in texts
    ]
    for part in fit(blocks, 60, MARKUP):
        assert len(part) <= 60
