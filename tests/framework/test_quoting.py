"""What somebody typed is repeated as it was, and does nothing."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dragoman import literal
from dragoman.people import MENTION

COMMONMARK = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def read(text: str) -> tuple[str, set[str]]:
    """What a reader of CommonMark sees, and the kinds of markup in it."""
    shown, kinds = "", set()
    for block in COMMONMARK.parse(text):
        kinds.add(block.type)
        shown += "\n" if block.type == "paragraph_open" and shown else ""
        for token in block.children or [block]:
            kinds.add(token.type)
            shown += "\n" if token.type in ("softbreak", "hardbreak") else token.content
    return shown, kinds - {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}


@pytest.mark.parametrize(
    "text",
    [
        "plain words, and numbers: 1. 2)",
        "*bold* _italics_ ~~gone~~ `code` **x** snake_case",
        "[a link](https://example.org) ![image](x) <https://example.org> <!channel>",
        "[@here](dragoman:everyone/here)",
        "# heading",
        "- item\n- item\n1. one\n2) two\n> quoted\n+ more\n===\n---",
        "&amp; & &#35; AT&T",
        "a | b\n--- | ---\nc | d",
        "back\\slash \\* \\",
        "```\nfence",
        ":tada: stays",
    ],
)
def test_markup_is_shown_and_not_followed(text: str) -> None:
    assert read(literal(text)) == (text, set())


def test_space_at_the_start_of_a_line_makes_no_code() -> None:
    assert read(literal("    four\n\n\t- tab")) == ("four\n- tab", set())


def test_mentions_stay_mentions() -> None:
    assert literal("ask <@U1> and <@!2|Ann *Lee*> in <#C1|general>, <x>") == (
        "ask [@U1](dragoman:user/U1) and [@Ann \\*Lee\\*](dragoman:user/2) in [#general](dragoman:channel/C1), \\<x\\>"
    )
    assert literal("<@U1> - x\n- y") == "[@U1](dragoman:user/U1) - x\n\\- y"


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from("ab1 .)#*_~`[]()<>!&;|\\-+=:/\n\r\t"), max_size=30))
def test_no_text_is_markup(text: str) -> None:
    assume(not MENTION.search(text))  # mentions stay mentions
    shown, kinds = read(literal(text))
    assert kinds == set()
    # Space at the ends of lines is not shown by anything that reads CommonMark.
    assert shown.split() == text.split()
