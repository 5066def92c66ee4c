"""What the platforms of the suites notice: that people see something else than the test believes."""

from collections.abc import Callable
from typing import Any

import pytest

from dragoman import ActionBase, Context, Delete, Edit, Person, React, Send, Sent, Skill
from dragoman.testing import Bot
from support.on_platform import GROUNDS, Ground

each = pytest.mark.parametrize("ground", GROUNDS, indirect=True, scope="module")
with_threads = pytest.mark.parametrize("ground", ["slack", "discord"], indirect=True, scope="module")

note = Skill("note")


@note.command()
def say(ctx: Context) -> None:
    ctx.reply("one two")


@note.command()
def change(ctx: Context) -> None:
    ctx.edit(ctx.reply("one two"), "three")


@note.command()
def mark(ctx: Context) -> None:
    ctx.react("one", on=ctx.reply("one two"))


@note.command()
def withdraw(ctx: Context) -> None:
    ctx.delete(ctx.reply("one two"))


@note.command()
def nod(ctx: Context) -> None:
    ctx.react("wave")


@note.hear("robot")
def heard(ctx: Context) -> None:
    ctx.reply("a robot")


@pytest.fixture
def skills() -> list[Skill]:
    return [note]


def instead(monkeypatch: pytest.MonkeyPatch, ground: Ground, kind: type[ActionBase], does: Callable[..., Any]) -> None:
    """The platform does something else than this kind of action."""
    perform = ground.perform
    monkeypatch.setattr(
        ground, "perform", lambda action: does(perform, action) if isinstance(action, kind) else perform(action)
    )


def nothing(perform: Callable[[ActionBase], Sent], action: ActionBase) -> Sent:
    return Sent()


def other_words(perform: Callable[[ActionBase], Sent], action: Send) -> Sent:
    return perform(action.model_copy(update={"content": action.content.model_copy(update={"text": "one three"})}))


def other_emoji(perform: Callable[[ActionBase], Sent], action: React) -> Sent:
    return perform(action.model_copy(update={"emoji": "two"}))


def outside_of_the_thread(perform: Callable[[ActionBase], Sent], action: Send) -> Sent:
    return perform(action.model_copy(update={"address": action.address.in_thread(None)}))


@each
def test_what_agrees_is_fine(bot: Bot) -> None:
    for text in ("say", "change", "mark", "withdraw", "nod"):
        bot.say(text, on="slack")
    assert [reply.text for reply in bot.replies] == ["one two", "three", "one two"]
    assert (bot.replies[-1].reactions, bot.reactions) == (["one"], ["wave"])


@each
@pytest.mark.parametrize(
    ("text", "kind", "does", "noticed"),
    [
        ("say", Send, other_words, r"shows \['one', 'three'\], and \['one', 'two'\] was said"),
        ("change", Edit, nothing, r"shows \['one', 'two'\], and \['three'\] was said"),
        ("mark", React, nothing, r"shows reactions \[\], not"),
        ("mark", React, other_emoji, r"shows reactions \[.+\], not"),
        ("nod", React, nothing, r"shows reactions \[\], not"),
        ("withdraw", Delete, nothing, "still shows"),
    ],
)
def test_what_people_do_not_see_is_noticed(
    bot: Bot,
    ground: Ground,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    kind: type[ActionBase],
    does: Callable[..., Any],
    noticed: str,
) -> None:
    instead(monkeypatch, ground, kind, does)
    with pytest.raises(AssertionError, match=f"{ground.name} {noticed}"):
        bot.say(text, on="slack")


@with_threads
def test_an_answer_outside_of_its_thread_is_noticed(bot: Bot, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    bot.say("say", on="slack", thread="t1")
    instead(monkeypatch, ground, Send, outside_of_the_thread)
    with pytest.raises(AssertionError, match="in the thread None, not"):
        bot.say("say", on="slack", thread="t1")


@each
def test_other_programs_are_programs_there(bot: Bot) -> None:
    assert bot.say("I am a robot", by=Person(id="r2", bot=True), to_bot=False) == []
    assert bot.say("I am no robot", by="ann", to_bot=False).texts == ["a robot"]


@each
def test_what_nobody_can_do_there_yet_is_said(bot: Bot) -> None:
    with pytest.raises(NotImplementedError, match="slash"):
        bot.slash("say")
