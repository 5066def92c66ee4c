"""mrkdwn in, mrkdwn out, and splitting."""

import re
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dragoman_slack.compose import compose
from dragoman_slack.mrkdwn import (
    GAP,
    GUARD,
    escape,
    mentions,
    plain,
    to_commonmark,
    unescape,
    without_mentions,
)
from dragoman_slack.split import LIMIT

COMMONMARK = MarkdownIt("commonmark").enable(["strikethrough"])

# Visible text on one line, without what only our own output has.
WORDS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"], exclude_characters=GAP + GUARD) | st.just(" "),
    max_size=60,
)


def shown(commonmark: str) -> str:
    """What a reader sees of CommonMark, without formats."""
    out: list[str] = []
    for token in COMMONMARK.parse(commonmark):
        if token.type == "inline":
            out.append(
                "".join(
                    "\n" if child.type in ("softbreak", "hardbreak") else child.content
                    for child in token.children or ()
                )
            )
        elif token.type in ("fence", "code_block"):
            out.append(token.content)
    return "\n".join(out)


@pytest.mark.parametrize(
    ("mrkdwn", "commonmark"),
    [
        ("hello", "hello"),
        ("*bold*", "**bold**"),
        ("_it_", "_it_"),
        ("~s~", "~~s~~"),
        ("*bold _both_*", "**bold _both_**"),
        ("`a*b &lt; c`", "`a*b < c`"),
        ("a*b*c", "a\\*b\\*c"),
        ("2 * 3 * 4", "2 \\* 3 \\* 4"),
        ("snake_case_name", "snake_case_name"),
        ("a &lt;b&gt; &amp; c", "a \\<b\\> & c"),
        ("&amp;amp;", "\\&amp;"),
        ("# no heading", "\\# no heading"),
        ("- no list", "\\- no list"),
        ("1. no list", "1\\. no list"),
        ("    no code", "&#32;&#32;&#32;&#32;no code"),
        ("[no](link)", "\\[no\\](link)"),
        ("```\nx &lt; 1\n  y\n```", "```\nx < 1\n  y\n```"),
        ("see ```code``` there", "see&#32;\n\n```\ncode\n```\n\n&#32;there"),
        ("&gt; quoted\nnot", "> quoted\n\nnot"),
        ("&gt; one\n&gt; two", "> one\n> two"),
        ("&gt;&gt;&gt; all\nof it", "> all\n> of it"),
        ("<https://x.org/?a=1&amp;b=2>", "<https://x.org/?a=1&b=2>"),
        ("<https://x.org|the *site*>", "[the \\*site\\*](https://x.org)"),
        ("<https://x.org/a(b)|it>", "[it](<https://x.org/a(b)>)"),
        ("<mailto:ann@x.org|ann@x.org>", "[ann@x.org](mailto:ann@x.org)"),
        ("<@U1>", "[@U1](dragoman:user/U1)"),
        ("<@U1|ann>", "[@ann](dragoman:user/U1)"),
        ("<#C1|general>", "[#general](dragoman:channel/C1)"),
        ("<#C1>", "[#C1](dragoman:channel/C1)"),
        ("<!here>", "[@here](dragoman:everyone/here)"),
        ("<!channel|channel>", "[@channel](dragoman:everyone/channel)"),
        ("<!everyone>", "[@everyone](dragoman:everyone/everyone)"),
        ("<!subteam^S1|@ops>", "[@ops](dragoman:group/S1)"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        (":wave: :slightly_smiling_face:", ":wave: :slightly_smiling_face:"),
        ("one\ntwo\n\n\nthree", "one\ntwo\n\nthree"),
        ("**", "\\*\\*"),
        ("__init__", "\\_\\_init\\_\\_"),
    ],
)
def test_mrkdwn_becomes_commonmark(mrkdwn: str, commonmark: str) -> None:
    assert to_commonmark(mrkdwn) == commonmark


@pytest.mark.parametrize(
    ("commonmark", "mrkdwn"),
    [
        ("", ()),
        ("   \n", ()),
        ("hello, world!", ("hello, world!",)),
        ("a < b & c", ("a &lt; b &amp; c",)),
        ("**bold** *it* ~~s~~ `c<d`", ("*bold* _it_ ~s~ `c&lt;d`",)),
        ("foo**bar**baz", (f"foo{GAP}*bar*{GAP}baz",)),
        ("***both***", ("_*both*_",)),
        ("# Title\n\ntext", ("*Title*\n\ntext",)),
        ("# **Title**", ("*Title*",)),
        ("- a\n- b\n  - c", ("• a\n• b\n    ◦ c",)),
        ("3. a\n4. b", ("3. a\n4. b",)),
        ("- a\n\n  more\n- b", ("• a\n\n  more\n\n• b",)),
        ("> q\n> r\n\ntext", ("> q\n> r\n\ntext",)),
        ("text\n\n> q\n>\n> r", ("text\n\n> q\n>\n> r",)),
        ("```py\nif a < b:\n    pass\n```", ("```\nif a &lt; b:\n    pass\n```",)),
        ("    indented", ("```\nindented\n```",)),
        ("a\n\n---\n\nb", ("a\n\n──────────\n\nb",)),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ("*a* | *b*\n1 | 2",)),
        ("![cat](https://x.org/cat.png)", ("<https://x.org/cat.png|cat>",)),
        ("[site](https://x.org/?a=1&b=2)", ("<https://x.org/?a=1&amp;b=2|site>",)),
        ("<https://x.org>", ("<https://x.org>",)),
        ("**[site](https://x.org)**", ("*<https://x.org|site>*",)),
        ("[@Ann](dragoman:user/U1) [#g](dragoman:channel/C1)", ("<@U1> <#C1>",)),
        ("[@here](dragoman:everyone/here) [@ops](dragoman:group/S1)", ("<!here> <!subteam^S1>",)),
        ("[x](dragoman:everyone/subteam)", ("x",)),
        ("<b>html</b>", ("&lt;b&gt;html&lt;/b&gt;",)),
        ("a\nb\\\nc", ("a\nb\nc",)),
        (":wave: :+1:", (":wave: :+1:",)),
        ("\\> no quote", (f"{GUARD}&gt; no quote",)),
        ("\\*no bold\\*", (f"*{GUARD}no bold*",)),
        ("2 \\* 3", ("2 * 3",)),
    ],
)
def test_commonmark_becomes_mrkdwn(commonmark: str, mrkdwn: tuple[str, ...]) -> None:
    assert compose(commonmark) == mrkdwn


@pytest.mark.parametrize(
    "text",
    [
        "<!channel>",
        "<!here|here>",
        "<@U1>",
        "[x](!channel)",
        "[x](@U1)",
        "[x](<!here>)",
        "`<!channel>`",
        "```\n<!here>\n```",
        "![<!here>](https://x.org)",
        "[<@U1>](https://x.org)",
        "&lt;!here&gt;",
        "&#60;!here>",
        "[x](dragoman:everyone/U1)",
    ],
)
def test_what_a_person_typed_pings_nobody(text: str) -> None:
    assert not re.search(r"<[!@#]", "".join(compose(text)))


@given(st.text())
def test_no_text_pings_anybody_unless_it_has_a_dragoman_address(text: str) -> None:
    if "dragoman:" not in text:
        assert not re.search(r"<[!@#]", "".join(compose(text)))


@given(st.text())
def test_escaping_is_undone_exactly(text: str) -> None:
    assert unescape(escape(text)) == text
    assert not set(escape(text)) & set("<>")


@given(WORDS)
def test_what_was_typed_is_read_as_typed(text: str) -> None:
    assert plain(escape(text)) == text


@given(WORDS)
@example("`0`")
def test_literal_text_survives_the_way_to_slack_and_back(text: str) -> None:
    commonmark = _as_text(text)
    assert shown(commonmark).strip() == text.strip()
    there = "\n".join(compose(commonmark))
    assert shown(to_commonmark(there)).strip() == text.strip()


def _as_text(text: str) -> str:
    """CommonMark that shows exactly that: with everything escaped that can be."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


@given(
    st.lists(
        st.sampled_from(["**b**", "*i*", "~~s~~", "`c`", "word", "[l](https://x.org)", "a\\*b", ":wave:", "<", "&"]),
        max_size=8,
    ).map(" ".join)
)
def test_formats_survive_the_way_to_slack_and_back(text: str) -> None:
    there = "\n".join(compose(text))
    assert COMMONMARK.render(to_commonmark(there)) == COMMONMARK.render(text)


def test_mentions_are_found_and_taken_out() -> None:
    assert mentions("<@UBOT> hi", "UBOT")
    assert mentions("hi <@UBOT|bot>", "UBOT")
    assert not mentions("&lt;@UBOT&gt; hi", "UBOT")
    assert not mentions("<@UBOT2> hi", "UBOT")
    assert without_mentions("<@UBOT>: roll 2d6", "UBOT") == "roll 2d6"
    assert without_mentions("hey <@UBOT|bot> roll", "UBOT") == "hey roll"
    assert without_mentions("<@UBOT> <@UBOT>, roll <@U2>", "UBOT") == "roll <@U2>"


@pytest.mark.parametrize(
    "text", ["*a " * 13000, "<" * 40000, "```" * 13000, "`" * 40000, "_a_ " * 10000, "&gt;" * 10000]
)
def test_no_text_takes_long_to_read(text: str) -> None:
    start = time.process_time()
    to_commonmark(text)
    plain(text)
    without_mentions(text, "UBOT")
    assert time.process_time() - start < 2


# Splitting


def flat(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_a_text_that_fits_stays_whole() -> None:
    assert compose("x" * LIMIT) == ("x" * LIMIT,)


@pytest.mark.parametrize(
    "text",
    [
        "word " * 8000,
        "x" * 40_000,
        "a line of text\n" * 2700,
        "a paragraph of text\n\n" * 1900,
        "&" * 40_000,
        "<" * 13_000,
        "😀" * 9000,
        "😀 " * 9000,
    ],
)
def test_a_long_text_is_split_and_nothing_is_lost(text: str) -> None:
    parts = compose(text)
    assert all(0 < len(part) <= LIMIT for part in parts)
    assert flat(unescape("".join(parts))) == flat(text)
    assert len(parts) <= len(escape(text)) // (LIMIT * 0.75) + 1


@pytest.mark.parametrize(
    "line",
    [
        "x" * 40_000,
        "some code here\n" * 2700,
        "    if a < b and c:\n\n" * 1900,
        "a" * 3999 + "\n" + "b" * 4000 + "\nc",
    ],
)
def test_a_giant_code_block_is_closed_and_opened_again(line: str) -> None:
    parts = compose(f"before\n\n```py\n{line}\n```\n\nafter")
    assert all(len(part) <= LIMIT for part in parts)
    assert all(part.count("```") % 2 == 0 for part in parts)
    code = "".join(piece for part in parts for piece in re.findall("```\n(.*?)\n```", part, re.DOTALL))
    assert unescape(code).replace("\n", "") == line.replace("\n", "")
    assert parts[0].startswith("before")
    assert parts[-1].endswith("after")


def test_no_entity_or_link_is_broken() -> None:
    text = ("&" * 7 + "[a link](https://example.org/some/where?a=1&b=2) ") * 400
    for part in compose(text):
        assert re.fullmatch(r"(?:&amp;|<https:[^<>]*\|a link>|\s)*", part)


def test_a_format_is_closed_and_opened_again() -> None:
    parts = compose(f"**{'bold words ' * 1000}end**")
    assert len(parts) > 2
    assert all(part.startswith("*") and part.rstrip().endswith("*") for part in parts)


def test_a_long_quote_stays_a_quote() -> None:
    assert all(part.startswith("> ") for part in compose("> " + "quoted words " * 1000))


def test_parts_break_between_paragraphs_where_they_can() -> None:
    first, second, third = "a" * 2500, "b" * 1000, "c" * 2500
    assert compose(f"{first}\n\n{second}\n\n{third}") == (f"{first}\n\n{second}", third)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(
    st.lists(st.text(st.sampled_from("ab *_~`<>&#\n-1.😀é"), max_size=60), max_size=30).map("\n".join),
    st.integers(60, 200),
)
def test_no_part_is_too_long_and_no_letter_is_lost(text: str, limit: int) -> None:
    parts = compose(text, limit)
    whole = compose(text, 1_000_000)
    assert all(part and len(part) <= limit for part in parts)

    def letters(texts: tuple[str, ...]) -> list[str]:
        return re.findall("[ab1😀é]|&amp;|&lt;", "".join(texts))

    assert letters(parts) == letters(whole)
