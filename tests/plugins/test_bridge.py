"""Bridge: what people say in one channel is said in the others, and what becomes of it follows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from dragoman import ChannelInfo, Content, Context, Edited, Message, Person, SkillError
from dragoman.data import Scope
from dragoman.settings import Settings
from dragoman.store.directory import write_channel
from dragoman.testing import Bot
from dragoman_bridge import skill
from plugins.bridge_rig import BRIDGE, THREE, bot_settings, emoji_on, more, say, skills

__all__ = ["bot_settings", "more", "skills"]


@pytest.mark.parametrize(("on", "elsewhere", "label"), [("slack", "discord", "Slack"), ("discord", "slack", "Discord")])
def test_what_is_said_here_is_said_there_with_its_authors_name(bot: Bot, on: str, elsewhere: str, label: str) -> None:
    _, (copy,) = say(bot, "good morning", on=on)
    assert (copy.text, copy.address.account) == (f"**Ann** ({label}): good morning", elsewhere)
    assert copy.address.channel == "general"
    assert copy.rendered


def test_a_channel_that_is_not_joined_costs_nothing(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: Any, **__: Any) -> Any:
        raise AssertionError("there is nothing to look up")

    for kind, names in ((Scope, ("get", "set", "update", "items")), (Context, ("look_up", "handle_of", "catalogue"))):
        for name in names:
            monkeypatch.setattr(kind, name, look)
    said, copies = say(bot, "hello", channel="random", files={"a.txt": b"a"})
    bot.edit(said, "hello!", on="slack", channel="random")
    bot.react("wave", to=said, on="slack", channel="random")
    bot.delete(said, on="slack", channel="random")
    say(bot, "hello", on="irc")
    assert (copies, bot.replies, bot.reactions) == ([], [], [])


@pytest.mark.parametrize(
    ("channels", "on", "channel", "there"),
    [
        (["slack:C1", "discord:#general"], "slack", "C1", "general"),
        (["slack:#General", "discord:42"], "slack", "general", "42"),
        (["1:slack/T1/C1", "discord:#general"], "slack", "C1", "general"),
        (["slack:#general", "1:discord/T1/7"], "slack", "general", "7"),
    ],
)
def test_channels_are_joined_by_name_id_or_address(channels: list[str], on: str, channel: str, there: str) -> None:
    settings = Settings.model_validate({"skills": {"bridge": {"bridges": [{"channels": channels}]}}})
    with Bot([skill], settings=settings) as bot:
        said, (copy,) = say(bot, "hello", on=on, channel=channel)
        assert copy.address.channel == there
        _, (back,) = say(bot, "and you", on="discord", channel=there)
        assert (back.address.account, back.address.channel) == (on, channel)
        bot.edit(said, "hello!", on=on, channel=channel)
        assert copy.text == "**Ann** (slack): hello!"
        bot.react("wave", to=copy, on="discord", by="bo")
        assert emoji_on(bot, said) == ["wave"]


@pytest.mark.parametrize("more", [THREE])
def test_three_channels_hear_each_other(bot: Bot) -> None:
    for on in ("slack", "discord", "irc"):
        _, copies = say(bot, f"from {on}", on=on)
        assert [copy.address.account for copy in copies] == [each for each in ("slack", "discord", "irc") if each != on]


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"format": "{name}: "}, "Ann: hi"),
        ({"labels": {}}, "**Ann** (slack): hi"),
        ({"format": "_{name}_ in {bridge}/{channel}@{account} "}, "_Ann_ in /general@Slack hi"),
        ({"bridges": [{**BRIDGE["bridges"][0], "name": "main", "format": "{bridge} {name}> "}]}, "main Ann> hi"),  # type: ignore[index]
    ],
)
def test_the_settings_say_what_stands_in_front(bot: Bot, shown: str) -> None:
    assert say(bot, "hi")[1][0].text == shown


def test_what_programs_do_never_crosses(bot: Bot) -> None:
    robot = Person(id="robot", name="Robot", bot=True)
    said, (copy,) = say(bot, "by a person")
    for on in ("slack", "discord"):
        assert say(bot, "by a program", by=robot, on=on)[1] == []
    bot.edit(said, "changed", by=robot, on="slack")
    bot.react("wave", to=said, by=robot, on="slack")
    bot.react("wave", to=copy, by=robot, on="discord")
    assert (copy.text, copy.reactions, bot.reactions) == ("**Ann** (Slack): by a person", [], [])
    assert len(bot.replies) == 1


def test_two_bots_that_join_the_same_channels_do_not_talk_to_each_other(bot_settings: Settings) -> None:
    with Bot([skill], settings=bot_settings) as one, Bot([skill], settings=bot_settings) as other:
        heard = [say(each, "hello")[1][0] for each in (one, other)]
        assert [copy.address.account for copy in heard] == ["discord", "discord"]
        # Each hears what the other one has said there.
        for each, copy in ((one, heard[1]), (other, heard[0])):
            assert say(each, copy.text, by=Person(id="dragoman", bot=True), on="discord")[1] == []
        assert len(one.replies) == len(other.replies) == 1


def test_what_the_bot_answers_stays_where_it_was_asked(bot: Bot) -> None:
    replies = bot.say("roll 1d1", on="slack")
    assert sorted(reply.text for reply in replies) == ["**Ann** (Slack): roll 1d1", "🎲 **1**"]
    assert {reply.address.account: reply.text for reply in replies}["slack"] == "🎲 **1**"


@pytest.mark.parametrize("more", [{"commands": False}])
def test_commands_can_be_kept(bot: Bot) -> None:
    def said(text: str, request: str = "", *, addressed: bool = True) -> list[str]:
        message = bot.platform.message_id()
        content = Content(text=text, plain=text)
        where: Mapping[str, Any] = bot._where("slack", "ann", "general", None, False)
        key = f"slack/message/{message}"
        event = Message(key=key, id=message, content=content, request=request or text, addressed=addressed, **where)
        return [reply.text for reply in bot.deliver(event) if reply.address.account == "discord"]

    assert said("<@BOT> roll 2d6", "roll 2d6") == []
    assert said("<@BOT> what do you think?", "what do you think?") == []
    assert said("roll 2d6") == []  # as a reply to what the bot has said
    assert said("!roll 2d6", addressed=False) == []
    assert said("thanks!") == ["**Ann** (Slack): thanks!"]
    assert said("!!! fire", addressed=False) == ["**Ann** (Slack): !!! fire"]
    assert said("roll on", addressed=False) == ["**Ann** (Slack): roll on"]


@pytest.mark.parametrize("more", [THREE])
def test_an_edit_changes_all_copies(bot: Bot) -> None:
    said, copies = say(bot, "helo")
    bot.edit(said, "hello [@U1](dragoman:user/U1)", on="slack")
    assert [copy.text for copy in copies] == ["**Ann** (slack): hello @U1"] * 2
    assert len(bot.replies) == 2


def test_an_edit_that_somebody_else_made_keeps_the_authors_name(bot: Bot) -> None:
    said, (copy,) = say(bot, "helo")
    bot.edit(said, "hello", by="bo", on="slack")
    assert copy.text == "**Ann** (Slack): hello"


def test_a_long_text_is_said_anew_when_it_is_edited_since_it_may_be_several_messages(bot: Bot) -> None:
    said, (first,) = say(bot, "long " * 500)
    bot.edit(said, "longer " * 500, on="slack")
    assert (first.deleted, [reply.text for reply in bot.replies]) == (True, [f"**Ann** (Slack): {'longer ' * 500}"])
    bot.edit(said, "short", on="slack")
    (last,) = bot.replies
    assert last.text == "**Ann** (Slack): short"
    bot.edit(said, "shorter", on="slack")
    assert (last.text, bot.replies) == ("**Ann** (Slack): shorter", [last])
    bot.react("wave", to=last, by="bo", on="discord")
    assert emoji_on(bot, said) == ["wave"]
    bot.delete(said, on="slack")
    assert bot.replies == []


@pytest.mark.parametrize("more", [THREE])
def test_a_deletion_takes_back_all_copies_and_their_files(bot: Bot) -> None:
    said, copies = say(bot, "look", files={"a.txt": b"alpha"})
    assert len(copies) == 4
    bot.delete(said, on="slack")
    assert bot.replies == []
    # It is gone for good.
    bot.edit(said, "again", on="slack")
    bot.delete(said, on="slack")
    bot.react("wave", to=said, on="slack")
    assert (bot.replies, bot.reactions) == ([], [])


def test_a_copy_that_is_deleted_takes_nothing_with_it(bot: Bot) -> None:
    said, (copy,) = say(bot, "hello")
    bot.delete(copy.id, on="discord")
    bot.edit(said, "hello!", on="slack")
    assert copy.text == "**Ann** (Slack): hello!"


def test_what_did_not_cross_has_nothing_to_follow(bot: Bot) -> None:
    bot.edit("m900", "hello", on="slack")
    bot.delete("m901", on="slack")
    bot.react("wave", to="m902", on="slack")
    (answer,) = (reply for reply in bot.say("roll 1d1", on="slack") if reply.address.account == "slack")
    bot.react("wave", to=answer, on="slack")
    assert [reply.reactions for reply in bot.replies] == [[], []]
    assert bot.reactions == []


def failing_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies in the first attempt of every run, when all is remembered and nothing has left."""
    take = Context.take

    def fail(ctx: Context) -> Any:
        if ctx.attempt == 1:
            raise OSError("killed")
        return take(ctx)

    monkeypatch.setattr(Context, "take", fail)


@pytest.mark.parametrize("more", [THREE])
def test_a_retry_does_the_same_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_once(monkeypatch)
    with bot.fails_with(OSError):
        said, (there, yonder) = say(bot, "hello", thread="old")
        assert there.address.thread is yonder.address.thread is None
        _, (below, _) = say(bot, "more", thread="old")
        assert below.address.thread == there.id
        bot.edit(said, "hello!", on="slack", thread="old")
        assert there.text == yonder.text == "**Ann** (slack): hello!"
        bot.react("wave", to=there, by="bo", on="discord")
        assert (emoji_on(bot, said), yonder.reactions) == (["wave"], ["wave"])
        bot.react("wave", to=there, by="bo", on="discord", remove=True)
        assert (emoji_on(bot, said), yonder.reactions) == ([], [])
        bot.edit(said, "long " * 500, on="slack", thread="old")
        assert [len(reply.text) > 2000 for reply in bot.replies] == [False, False, True, True]
        bot.delete(said, on="slack", thread="old")
        assert [reply.text for reply in bot.replies] == ["**Ann** (slack): more"] * 2


def test_what_is_delivered_again_is_not_said_again(bot: Bot) -> None:
    say(bot, "hello")
    assert bot.redeliver() == []


@pytest.mark.parametrize("more", [{"keep_days": 2}])
def test_what_crossed_is_forgotten_after_a_time(bot: Bot) -> None:
    said, (copy,) = say(bot, "hello")
    bot.react("wave", to=said, on="slack")
    bot.tick(timedelta(days=1))
    bot.edit(said, "hello!", on="slack")
    bot.tick(timedelta(days=3))
    bot.edit(said, "too late", on="slack")
    bot.delete(said, on="slack")
    assert (copy.text, bot.replies) == ("**Ann** (Slack): hello!", [copy])


def test_it_starts_without_any_settings() -> None:
    with Bot([skill]) as bot:
        assert say(bot, "hello")[1] == []


def test_an_edit_without_anybody_is_nobodys(bot: Bot) -> None:
    said, (copy,) = say(bot, "hello")
    where = {**bot._where("slack", "ann", "general", None, False), "person": None}
    bot.deliver(Edited(key="slack/edited/1", id=said, content=Content(text="?", plain="?"), **where))
    assert copy.text == "**Ann** (Slack): hello"


def test_a_channel_whose_name_did_not_come_along_is_looked_up(bot: Bot) -> None:
    where = {**bot._where("slack", "ann", "C1", None, False), "channel_name": ""}
    event = Message(key="slack/message/1", id="m900", content=Content(text="hi", plain="hi"), **where)
    with bot.fails_with(SkillError, "what is the channel 1:slack/T1/C1 called") as seen:
        assert bot.deliver(event) == []
    assert seen.attempts == 3
    for name, heard in (("general", 1), ("random", 0)):
        with bot._engine.begin() as connection:
            write_channel(connection, "slack", ChannelInfo(id=f"C-{name}", tenant="T1", name=name), 0.0)
        there = event.address.model_copy(update={"channel": f"C-{name}"})
        copies = bot.deliver(event.model_copy(update={"key": f"slack/message/{name}", "address": there}))
        assert len(copies) == heard
