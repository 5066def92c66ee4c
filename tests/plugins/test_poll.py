"""Polls: asked in one message, answered by reactions, counted in an edit."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dragoman import Context, Person, Reaction, Skill
from dragoman.data import Scope
from dragoman.testing import Bot, Reply
from dragoman_poll import skill


@pytest.fixture
def skills() -> list[Skill]:
    return [skill]


def ask(bot: Bot, text: str = 'poll "Lunch?" pizza sushi', **more: Any) -> Reply:
    (reply,) = bot.say(text, **{"on": "slack", **more})
    return reply


@pytest.mark.parametrize(
    ("asked", "question", "options"),
    [
        ('poll "Lunch?" pizza sushi salad', "Lunch?", ["pizza", "sushi", "salad"]),
        ("poll Lunch? pizza, sushi", "Lunch?", ["pizza", "sushi"]),
        ("poll Lunch? pizza,sushi", "Lunch?", ["pizza", "sushi"]),
        ("poll “What is for lunch?” “the usual” sushi", "What is for lunch?", ["the usual", "sushi"]),
        ("poll Where do we eat? pizza sushi", "Where do we eat?", ["pizza", "sushi"]),
        ('poll "Which one" this? that?', "Which one", ["this?", "that?"]),
        ("poll Lunch? pizza pizza sushi", "Lunch?", ["pizza", "sushi"]),
        ("poll Who? <@bo> *me*", "Who?", ["[@bo](dragoman:user/bo)", "\\*me\\*"]),
    ],
)
def test_the_question_and_the_options_are_read_as_people_type_them(
    bot: Bot, asked: str, question: str, options: list[str]
) -> None:
    reply = ask(bot, asked)
    emoji = ["one", "two", "three"][: len(options)]
    assert reply.text == f"**{question}**\n\n" + "\n".join(
        f":{name}: {option}" for name, option in zip(emoji, options, strict=True)
    )
    assert reply.reactions == emoji


def test_ten_options_are_the_most(bot: Bot) -> None:
    reply = ask(bot, "poll Letter? a b c d e f g h i j")
    assert (len(reply.reactions), reply.reactions[-1]) == (10, "keycap_ten")
    bot.react("keycap_ten", to=reply, on="slack")
    assert reply.text.endswith(":keycap_ten: j **1**")


@pytest.mark.parametrize(
    "asked", ["poll Lunch? pizza", 'poll "" a b', "poll Letter? a b c d e f g h i j k", "poll A? a a"]
)
def test_what_is_no_poll_is_told_with_what_is(bot: Bot, asked: str) -> None:
    reply = ask(bot, asked)
    assert reply.text == 'A poll has a question and 2 to 10 different answers: `poll "Lunch?" pizza sushi`.'
    assert reply.reactions == []


def test_votes_are_counted_in_the_same_message_on_slack(bot: Bot) -> None:
    poll = ask(bot, thread="t1")
    assert poll.rendered[0]["thread_ts"] == "t1"
    bot.react("two", to=poll, by="ann", on="slack")
    bot.react("two", to=poll, by="bo", on="slack")
    bot.react("one", to=poll, by="bo", on="slack")
    (call,) = poll.rendered
    assert (call["method"], call["ts"]) == ("chat.update", poll.id)
    assert call["text"] == "*Lunch?*\n\n:one: pizza *1*\n:two: sushi *2*"
    assert bot.replies == [poll]


def test_a_vote_can_be_taken_back(bot: Bot) -> None:
    poll = ask(bot)
    bot.react("two", to=poll, on="slack")
    bot.react("two", to=poll, on="slack", remove=True)
    assert poll.text.endswith(":two: sushi")
    bot.react("two", to=poll, on="slack")
    assert poll.text.endswith(":two: sushi **1**")


def test_a_vote_that_is_delivered_or_run_again_counts_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    poll = ask(bot)
    take = Context.take

    def fail(ctx: Context) -> Any:
        if ctx.attempt == 1:
            raise OSError("killed")
        return take(ctx)

    with bot.fails_with(OSError), monkeypatch.context() as patch:
        patch.setattr(Context, "take", fail)
        bot.react("two", to=poll, on="slack")
    bot.redeliver()
    assert poll.text.endswith(":two: sushi **1**")


def test_reactions_that_are_handled_in_the_wrong_order_count_as_they_happened(bot: Bot) -> None:
    poll = ask(bot)

    def reaction(number: int, added: bool) -> Reaction:
        return Reaction(
            key=f"reaction/{number}",
            address=poll.address,
            conversation="channel",
            person=Person(id="ann"),
            occurred=bot.now.timestamp() + number,
            id=poll.id,
            emoji="two",
            added=added,
        )

    bot.deliver(reaction(2, added=False))
    bot.deliver(reaction(1, added=True))
    assert poll.text.endswith(":two: sushi")


def test_no_vote_is_lost_when_two_are_counted_at_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    poll = ask(bot)
    update, others = Scope.update, iter(["bo"])

    def overtaken(scope: Scope, key: str, function: Callable[[Any], Any], default: Any = None, **more: Any) -> Any:
        def slowly(value: Any) -> Any:
            if other := next(others, ""):
                bot.react("two", to=poll, by=other, on="slack")  # while this one calculates
            return function(value)

        return update(scope, key, slowly, default, **more)

    monkeypatch.setattr(Scope, "update", overtaken)
    bot.react("two", to=poll, by="ann", on="slack")
    assert poll.text.endswith(":two: sushi **2**")
    # The edits may arrive the other way round: the count is shown once more.
    poll.text = "an older count"
    bot.tick(timedelta(seconds=5))
    assert poll.text.endswith(":two: sushi **2**")


def test_a_vote_on_its_own_is_shown_once(bot: Bot) -> None:
    poll = ask(bot)
    bot.react("two", to=poll, by="ann", on="slack")
    bot.tick(timedelta(seconds=5))
    bot.react("one", to=poll, by="bo", on="slack")
    poll.text = "untouched"
    bot.tick(timedelta(days=1))
    assert poll.text == "untouched"


def test_what_is_no_vote_is_not_counted(bot: Bot) -> None:
    poll, other = ask(bot), ask(bot, "poll Dinner? soup bread", channel="random")
    before = poll.text
    bot.react("wave", to=poll, on="slack")
    bot.react("three", to=poll, on="slack")
    bot.react("one", to=poll, by=Person(id="robot", bot=True), on="slack")
    bot.react("one", to="m999", on="slack")
    assert poll.text == before
    bot.react("one", to=other, on="slack")
    assert (poll.text, other.text) == (before, "**Dinner?**\n\n:one: soup **1**\n:two: bread")
    assert ask(bot, "poll close").text == "**Lunch?** nobody has voted."


def test_most_reactions_cost_no_look_at_the_store(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    poll = ask(bot)
    looked: list[str] = []

    def items(scope: Scope, prefix: str = "") -> list[tuple[str, Any]]:
        looked.append(prefix)
        return []

    monkeypatch.setattr(Scope, "items", items)
    bot.react("wave", to=poll, on="slack")
    assert looked == []
    bot.react("one", to=poll, on="slack")
    assert looked == ["poll "]


@pytest.mark.parametrize(
    ("votes", "result"),
    [
        ([], "**Lunch?** nobody has voted."),
        ([("ann", "two")], "**Lunch?** sushi, with 1 vote."),
        ([("ann", "two"), ("bo", "two"), ("bo", "one")], "**Lunch?** sushi, with 2 votes."),
        ([("ann", "two"), ("bo", "one")], "**Lunch?** pizza and sushi, with 1 vote each."),
    ],
)
def test_closing_says_how_it_ended_and_ends_it(bot: Bot, votes: list[tuple[str, str]], result: str) -> None:
    poll = ask(bot)
    for who, emoji in votes:
        bot.react(emoji, to=poll, by=who, on="slack")
    assert ask(bot, "poll close").text == result
    assert poll.text.startswith("**Lunch?** (closed)\n\n")
    closed = poll.text
    bot.react("one", to=poll, by="eve", on="slack")
    bot.tick(timedelta(minutes=1))
    assert poll.text == closed


def test_people_close_their_own_polls_the_last_one_first(bot: Bot) -> None:
    first = ask(bot)
    bot.tick(timedelta(seconds=1))
    second = ask(bot, "poll Dinner? soup bread")
    assert ask(bot, "poll close", by="bo").text == "You have no open poll here."
    assert ask(bot, "poll close", channel="random").text == "You have no open poll here."
    assert ask(bot, "poll close").text == "**Dinner?** nobody has voted."
    assert (second.text.startswith("**Dinner?** (closed)"), first.text.startswith("**Lunch?**\n")) == (True, True)
    assert ask(bot, "poll close").text == "**Lunch?** nobody has voted."
    assert ask(bot, "poll close").text == "You have no open poll here."


def test_closing_again_after_a_failure_closes_no_other(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(bot)
    bot.tick(timedelta(seconds=1))
    ask(bot, "poll Dinner? soup bread")
    take = Context.take

    def fail(ctx: Context) -> Any:
        if ctx.attempt == 1:
            raise OSError("killed")
        return take(ctx)

    with bot.fails_with(OSError), monkeypatch.context() as patch:
        patch.setattr(Context, "take", fail)
        assert ask(bot, "poll close").text == "**Dinner?** nobody has voted."
    assert first.text.startswith("**Lunch?**\n")


def test_a_poll_that_nobody_closes_is_forgotten(bot: Bot) -> None:
    poll = ask(bot)
    bot.tick(timedelta(days=31))
    before = poll.text
    bot.react("one", to=poll, on="slack")
    assert poll.text == before
    assert ask(bot, "poll close").text == "You have no open poll here."
