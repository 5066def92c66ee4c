"""Discord's markdown, read and written."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dragoman_discord.compose import compose
from dragoman_discord.markdown import Names, mentions, plain, to_commonmark, without_mentions
from dragoman_discord.spelling import allowed_mentions

NAMES = Names({"1": "Ann"}, lambda id: {"2": "general"}.get(id, ""), lambda id: {"3": "ops"}.get(id, ""), everyone=True)
PARTY = {"party": "party:500", "dance": "a:dance:501"}


def one(text: str) -> str:
    [part] = compose(text, emoji=PARTY).parts
    return part


# Read


@pytest.mark.parametrize(
    ("discord", "commonmark"),
    [
        ("plain words, nothing else", "plain words, nothing else"),
        ("**b** *i* _i_ ~~s~~", "**b** *i* _i_ ~~s~~"),
        ("***both***", "***both***"),
        ("**b *both* b**", "**b *both* b**"),
        ("__under__", "_under_"),
        ("a__b__c", "a*b*c"),
        ("snake_case_name", "snake_case_name"),
        ("2 * 3 * 4", "2 \\* 3 \\* 4"),
        ("**open", "\\*\\*open"),
        ("\\*not\\* \\_this\\_", "\\*not\\* \\_this\\_"),
        ("`a*b` ``c`d``", "`a*b` ``c`d``"),
        ("||hidden **word**||", "[hidden **word**](dragoman:spoiler)"),
        ("||<@1>||", "[@Ann](dragoman:spoiler)"),
        ("a || b", "a \\|\\| b"),
        ("<@1> <@!1> <@9>", "[@Ann](dragoman:user/1) [@Ann](dragoman:user/1) [@9](dragoman:user/9)"),
        ("<#2> <@&3>", "[#general](dragoman:channel/2) [@ops](dragoman:group/3)"),
        ("@everyone @here", "[@everyone](dragoman:everyone/everyone) [@here](dragoman:everyone/here)"),
        ("<:party:5> <a:x:6>", "[:party:](dragoman:emoji/party:5) [:x:](dragoman:emoji/a:x:6)"),
        ("<t:1618953630:R>", "[2021-04-20 21:20 UTC](dragoman:time/1618953630/R)"),
        ("</deploy start:12>", "/deploy start"),
        ("https://a.b/c_d_e.", "<https://a.b/c_d_e>."),
        ("<https://a.b>", "<https://a.b>"),
        ("[the *docs*](https://a.b/c_(d))", "[the *docs*](<https://a.b/c_(d)>)"),
        ("[x](javascript:y)", "\\[x\\](javascript:y)"),
        ("# Head\ntext", "# Head\n\ntext"),
        ("#no", "\\#no"),
        ("-# small", "small"),
        ("- a\n  - b\n- c", "- a\n    - b\n- c"),
        ("* a\n1. b", "- a\n1. b"),
        ("-1 and +2", "\\-1 and +2"),
        ("> a\n> b\nc", "> a\n> b\n\nc"),
        (">>> a\n\nb", "> a\n>\n> b"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("```py\nx = `1`\n```", "```py\nx = `1`\n```"),
        ("```one line```", "```\none line\n```"),
        ("a ```b``` c", "a&#32;\n\n```\nb\n```\n\n&#32;c"),
        ("👍🏽 ✔", ":+1::skin-tone-4: ✔"),
    ],
)
def test_discords_markdown_is_read(discord: str, commonmark: str) -> None:
    assert to_commonmark(discord, NAMES) == commonmark


def test_everyone_is_only_called_where_discord_says_so() -> None:
    assert to_commonmark("@everyone") == "@everyone"


def test_plain_text_is_what_was_typed() -> None:
    assert (
        plain("**x** <@!1> <#2> <:party:5> <https://a.b> </roll:1> 👋")
        == "**x** <@1> <#2> :party: https://a.b /roll :wave:"
    )


def test_mentions_are_found_and_taken_away() -> None:
    assert mentions("hi <@!10>", "10")
    assert mentions("hi <@&30>", "10", "30")
    assert not mentions("hi <@100> <@&10>", "10")
    assert without_mentions("<@10>, <@!10> roll <@10> now", "10") == "roll now"
    assert without_mentions("<@&30> roll", "10", "30") == "roll"


# Written


@pytest.mark.parametrize(
    ("commonmark", "discord"),
    [
        ("simple words", "simple words"),
        ("**b** *i* _i_ ~~s~~ `c`", "**b** *i* *i* ~~s~~ `c`"),
        ("**a***b*", "**a**\u200b*b*"),
        ("# One\n\n#### Four", "# One\n\n**Four**"),
        ("- a\n- b\n  - c\n\n1. d\n2. e", "- a\n- b\n  - c\n\n1. d\n2. e"),
        ("> q\n> r\n\ns", "> q\n> r\n\ns"),
        ("```py\nx\n```", "```py\nx\n```"),
        ("[@Ann](dragoman:user/1) [#g](dragoman:channel/2) [@ops](dragoman:group/3)", "<@1> <#2> <@&3>"),
        ("[@U1](dragoman:user/U1)", "@U1"),
        ("[:p:](dragoman:emoji/p:5) [x](dragoman:emoji/a:d:6)", "<:p:5> <a:d:6>"),
        ("[then](dragoman:time/1618953630/R) [x](dragoman:time/5)", "<t:1618953630:R> <t:5>"),
        ("[a **b**](dragoman:spoiler)", "||a **b**||"),
        ("[docs](https://a.b/c_d)", "[docs](<https://a.b/c_d>)"),
        ("<https://a.b>", "<https://a.b>"),
        ("![cat](https://a.b/c.png)", "[cat](<https://a.b/c.png>)"),
        ("[file](ftp://a.b)", "file (ftp://a.b)"),
        ("https://a.b/c_d_e_ snake_case", "https://a.b/c_d_e_ snake_case"),
        (":wave: :party: :dance: :nonsense_: 10:100:20", "👋 <:party:500> <a:dance:501> :nonsense\\_: 10:100:20"),
        ("`:wave:`", "`:wave:`"),
        ("\\*x\\* \\_y\\_ \\|\\|z\\|\\| a | b", "\\*x\\* \\_y\\_ \\|\\|z\\|\\| a | b"),
        ("\\# x\n\\- y\n1\\. z", "\\# x\n\\- y\n1\\. z"),
        ("<@5> <#6> <:a:7> @everyone", "\\<@5> \\<#6> \\<:a:7> @\u200beveryone"),
        ("\\[x\\](https://a.b)", "\\[x](https://a.b)"),
        ("| a | b |\n|---|---|\n| 1 | 22 |", "```\na │ b\n──┼───\n1 │ 22\n```"),
        ("one\ntwo", "one\ntwo"),
        ("---", "──────────"),
        ("<b>html</b>", "<b>html</b>"),
    ],
)
def test_commonmark_is_written(commonmark: str, discord: str) -> None:
    assert one(commonmark) == discord


def test_an_empty_text_makes_no_message() -> None:
    assert compose("").parts == compose(" \n ").parts == ()


# Nobody is called by accident


def called(text: str) -> dict[str, object]:
    composed = compose(text)
    return allowed_mentions(composed.parts[0], composed.named)


def test_only_who_is_named_by_a_link_is_called() -> None:
    assert called("<@5> @everyone @here <@&6> [@Ann](dragoman:user/1)") == {
        "parse": [],
        "users": ["1"],
        "roles": [],
        "replied_user": False,
    }
    assert called("[@ops](dragoman:group/3)")["roles"] == ["3"]


def test_everyone_is_called_only_by_a_link_and_then_not_by_anything_else() -> None:
    text = "[@here](dragoman:everyone/here) @everyone `@everyone`\n\n```\n@here\n```"
    assert called(text)["parse"] == ["everyone"]
    assert len(re.findall("@(?:everyone|here)", one(text))) == 1
    assert called("dragoman:everyone/here @here")["parse"] == []


def test_slacks_channel_is_everyone() -> None:
    assert one("[@channel](dragoman:everyone/channel)") == "@everyone"


# Both ways


@pytest.mark.parametrize(
    "text",
    [
        "**b** *i* ~~s~~ `c` ||spoiler||",
        "# Head\n\ntext\n\n- a\n- b\n\n> quote\n\n```py\nx = 1\n```",
        "<@1> <#2> <@&3> <:party:5> <a:x:6> <t:1618953630:R> <t:5>",
        "\\*lit\\* a_b_c \\_x\\_",
        "[docs](<https://a.b/c_d>)",
        "👋 ❤️ 1️⃣ 🔟 🇩🇪",
    ],
)
def test_what_is_read_is_written_as_it_was(text: str) -> None:
    assert one(to_commonmark(text, NAMES)) == text


PIECES = "* ** _ __ ~~ | || ` ``` # - > \\ < > @ & a b1 [ ] ( ) https://a.b <@1> @everyone :wave: 👋 1. <t:1:R>"
MARKS = st.sampled_from([*PIECES.split(" "), "\n", " ", "\t", "\u200b", "# ", "- ", "> "])
TEXTS = st.lists(MARKS, max_size=25).map("".join) | st.text(
    st.sampled_from("ab1 *_~`|#<>@:\\\n\x00é漢👋\ufe0f"), max_size=60
)


def shown(commonmark: str) -> str:
    """The letters of a text, without markup."""
    out: list[str] = []
    for token in MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).parse(commonmark):
        out += [child.content for child in token.children or [token]]
    return "".join(char for char in "".join(out) if char.isalnum())


@given(TEXTS)
@example("~~~~a")
@example("****a")
@example("~~~a~~~")
def test_whatever_is_read_keeps_its_words(text: str) -> None:
    words = "".join(char for char in text if char.isascii() and char.isalnum())
    if not re.search(r"https|<[@#:t]|wave|`|\n|[^\x00-\x7f]|@|\d\.", text):
        assert shown(to_commonmark(text)) == words
    else:
        to_commonmark(text, NAMES)
        plain(text)


@given(TEXTS)
def test_whatever_is_written_calls_nobody_and_keeps_its_words(text: str) -> None:
    composed = compose(text)
    for part in composed.parts:
        assert 0 < len(part) <= 2000
        assert part.strip()
        assert allowed_mentions(part, composed.named) == {"parse": [], "users": [], "roles": [], "replied_user": False}


@given(st.text(st.sampled_from("ab*_~|`#->@<:1. \\\n"), max_size=40))
def test_plain_words_that_are_quoted_are_read_back(text: str) -> None:
    from dragoman import literal

    assume(not re.search(r"<[@#][^<>]*\|", text))  # a mention with a name: the name is what stands for it
    parts = compose(literal(text)).parts
    back = shown(to_commonmark("\n".join(parts)))
    assert back.replace("1", "") == "".join(char for char in text if char in "ab")
