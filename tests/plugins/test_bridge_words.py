"""Words, names and files, as they are said elsewhere."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import ChannelInfo, Person, SkillError
from dragoman.files import Files
from dragoman.store.directory import write_channel
from dragoman.testing import Bot
from dragoman_bridge.wording import without_mentions
from dragoman_discord.compose import compose as on_discord
from dragoman_discord.spelling import allowed_mentions
from dragoman_slack.compose import compose as on_slack
from plugins.bridge_rig import bot_settings, more, say, skills

__all__ = ["bot_settings", "more", "skills"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("*Bo*", r"\*Bo\*"),
        ("[x](https://example.com)", r"\[x\](https://example.com)"),
        ("<@U1>", r"\<@U1\>"),
        ("<!channel>", r"\<!channel\>"),
        ("a\nb\u202ec", "a bc"),
        ("# one", r"\# one"),
    ],
)
def test_a_name_is_only_a_name(bot: Bot, name: str, shown: str) -> None:
    _, (copy,) = say(bot, "hi", by=Person(id="bo", name=name))
    assert copy.text == f"**{shown}** (Slack): hi"
    _, (there,) = say(bot, "hi", by=Person(id="bo", name=name), on="discord")
    assert "<@U1>" not in str(there.rendered)
    assert "<!channel>" not in str(there.rendered)


def test_somebody_without_a_name_is_looked_up(bot: Bot) -> None:
    bot._people["U9"] = Person(id="U9", name="Nine")
    assert say(bot, "hi", by=Person(id="U9"))[1][0].text == "**Nine** (Slack): hi"
    assert say(bot, "hi", by=Person(id="U10"))[1][0].text == "**U10** (Slack): hi"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[@Ann](dragoman:user/U1) look", "@Ann look"),
        ("[@U1](dragoman:user/U1) look", "@Una look"),
        ("[@U2](dragoman:user/U2) look", "@U2 look"),
        (r"[@\*Bo\*](dragoman:user/U3)", r"@\*Bo\*"),
        ("[#dev](dragoman:channel/C1)", "#dev"),
        ("[#C7](dragoman:channel/C7)", "#lounge"),
        ("[#C8](dragoman:channel/C8)", "#C8"),
        ("[@ops](dragoman:group/S1) [@here](dragoman:everyone/here)", "@ops @here"),
        ("[:party:](dragoman:emoji/party:1) :wave:", ":party: :wave:"),
        ("[2021-04-20 21:20 UTC](dragoman:time/1618953630/R)", "2021-04-20 21:20 UTC"),
        ("[it was him](dragoman:spoiler)", "[it was him](dragoman:spoiler)"),
        ("[a page](https://example.com)", "[a page](https://example.com)"),
        ("`[@x](dragoman:user/U1)` [@x](dragoman:user/U1)", "`[@x](dragoman:user/U1)` @x"),
        (r"\[@x\](dragoman:user/U1)", r"\[@x\](dragoman:user/U1)"),
        ("<dragoman:user/U1>", "dragoman:user/U1"),
        ("![@x](dragoman:user/U1)", "!@x"),
    ],
)
def test_mentions_are_names_that_call_nobody(bot: Bot, text: str, shown: str) -> None:
    bot._people["U1"] = Person(id="U1", name="Una")
    with bot._engine.begin() as connection:
        write_channel(connection, "slack", ChannelInfo(id="C7", tenant="T1", name="lounge"), 0.0)
    _, (copy,) = say(bot, text)
    assert copy.text == f"**Ann** (Slack): {shown}"


@pytest.mark.parametrize(
    "text",
    [
        "```\nx = 1\n```",
        "> quoted\n\nand answered",
        "- one\n- two",
        "1. one\n2. two",
        "# Title",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_what_begins_with_a_block_stays_one(bot: Bot, text: str) -> None:
    assert say(bot, text)[1][0].text == f"**Ann** (Slack):\n\n{text}"


@pytest.mark.parametrize("text", ["one\ntwo", "one\n\n```\ncode\n```", "so:\n\n- one\n- two", r"\- no list", "1\\. no"])
def test_other_text_begins_in_the_line_of_its_author(bot: Bot, text: str) -> None:
    assert say(bot, text)[1][0].text == f"**Ann** (Slack): {text}"


PIECES = st.lists(
    st.sampled_from(
        [
            *("[", "]", "(", ")", "<", ">", "`", "``", "```", "\\", "\n", " ", "!", "*", "a", "&#100;ragoman:"),
            *("dragoman:user/U1", "dragoman:everyone/here", "dragoman:group/7", "dragoman:channel/1", "@here", "<@U1>"),
            *("[@x](dragoman:user/1)", "[x](<dragoman:everyone/channel>)", "![y](dragoman:user/U1)"),
        ]
    ),
    max_size=12,
).map("".join)


@given(PIECES)
def test_no_adapter_finds_anybody_to_call_in_what_has_crossed(text: str) -> None:
    crossed = without_mentions(text, lambda id: "<@U1>", lambda id: "<#1>")
    for part in on_slack(crossed):
        assert not {"<@U1>", "<!here>", "<!channel>", "<!subteam^7>", "<@1>"} & set(
            part.replace(">", ">\0").split("\0")
        )
        assert "<@" not in part
        assert "<!" not in part
    composed = on_discord(crossed)
    for part in composed.parts:
        assert allowed_mentions(part, composed.named) == {
            "parse": [],
            "users": [],
            "roles": [],
            "replied_user": False,
        }


def test_a_very_long_text_crosses_whole(bot: Bot) -> None:
    words = " ".join(f"word{number}" for number in range(5000))[:40_000]
    _, (copy,) = say(bot, words)
    assert copy.text == f"**Ann** (Slack): {words}"
    assert len(copy.rendered) > 10


def test_what_has_no_words_is_at_least_mentioned(bot: Bot) -> None:
    assert say(bot, "")[1][0].text == "**Ann** (Slack): (something that cannot be shown here)"


def test_files_cross_after_the_words(bot: Bot) -> None:
    _, (words, files) = say(bot, "look", files={"a.txt": b"alpha", "b.png": b"beta"})
    assert (words.text, files.text) == ("**Ann** (Slack): look", "")
    assert [(file.name, bot.read(file)) for file in files.files] == [("a.txt", b"alpha"), ("b.png", b"beta")]
    assert files.address == words.address


def test_a_file_without_words_is_announced(bot: Bot) -> None:
    said, (words, files) = say(bot, "", files={"a_b_.txt": b"alpha"}, on="discord")
    assert words.text == r"**Ann** (Discord): 📎 a_b\_.txt"
    assert bot.read(files.files[0]) == b"alpha"
    bot.edit(said, "now with words", on="discord")
    assert words.text == "**Ann** (Discord): now with words"
    bot.edit(said, "", on="discord")
    assert words.text == r"**Ann** (Discord): 📎 a_b\_.txt"


@pytest.mark.parametrize("more", [{"file_limit": "1kB"}])
def test_a_file_that_is_too_large_is_a_link(bot: Bot) -> None:
    said, (words, files) = say(bot, "look", files={"big.bin": bytes(2500), "a.txt": b"alpha"})
    assert [file.name for file in files.files] == ["a.txt"]
    link = "[big.bin](<https://files.test/F1>) (2.5 kB, too large to be brought here)"
    assert words.text.startswith("**Ann** (Slack): look\n\n📎 [big.bin](<https://files.test/F")
    assert words.text.partition(">")[2] == link.partition(">")[2]
    bot.edit(said, "see", on="slack")
    assert words.text.startswith("**Ann** (Slack): see\n\n📎 [big.bin](<https://")


def test_a_file_that_cannot_be_fetched_is_a_link_and_the_others_cross(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Files.fetch_all

    def fail(files: Files, wanted: Any) -> Any:
        if any(file.name == "gone.txt" for file in wanted):
            raise SkillError("it is gone")
        return fetch(files, wanted)

    monkeypatch.setattr(Files, "fetch_all", fail)
    _, (words, files) = say(bot, "look", files={"gone.txt": b"?", "a.txt": b"alpha"})
    assert words.text.endswith("(1 bytes, could not be brought here)")
    assert [bot.read(file) for file in files.files] == [b"alpha"]
