"""Reminders, as people ask for them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from dragoman import Context, Skill
from dragoman.testing import Bot
from dragoman_remind import skill

HOUR = timedelta(hours=1)


@pytest.fixture
def skills() -> list[Skill]:
    return [skill]


@pytest.fixture
def bot(bot: Bot) -> Bot:
    """Ann is in Berlin, where it is 10:00 on Monday, 7 January 2030."""
    bot.person("ann", on="slack", timezone="Europe/Berlin")
    return bot


def say(bot: Bot, text: str, **more: Any) -> str:
    """What the bot answers; on Slack, by Ann."""
    (reply,) = bot.say(text, **{"on": "slack", **more})
    return reply.text


@pytest.mark.parametrize(
    ("asked", "when", "text"),
    [
        ("in 2h to check the oven", "today at 12:00", "check the oven"),
        ("to check the oven in 2h", "today at 12:00", "check the oven"),
        ("tomorrow 9:00 to call Bo", "tomorrow at 09:00", "call Bo"),
        ("to call Bo tomorrow at 9:00", "tomorrow at 09:00", "call Bo"),
        ("on friday 15:00: the demo", "on Friday at 15:00", "the demo"),
        ("that the demo is on friday on 1 March", "on 1 March 2030 at 09:00", "the demo is on friday"),
        ("in 2h that that is over", "today at 12:00", "that is over"),
        ("to pay 3/4 of it at 18:00", "today at 18:00", "pay 3/4 of it"),
        ("to buy 2 eggs in 2h", "today at 12:00", "buy 2 eggs"),
        ("In 2h To Go", "today at 12:00", "Go"),
        ("at 18:00 together", "today at 18:00", "together"),
        ("in 2h to\nbuy eggs\nsleep", "today at 12:00", "buy eggs\nsleep"),
    ],
)
def test_the_time_may_be_said_first_or_last(bot: Bot, asked: str, when: str, text: str) -> None:
    assert say(bot, f"remind me {asked}") == f"I will remind you {when} (Europe/Berlin)."
    (reminder,) = bot.tick(timedelta(days=60))
    assert reminder.text == f"⏰ [@Ann](dragoman:user/ann) {text}"
    assert bot.tick(timedelta(days=60)) == []


def test_it_comes_at_its_time_and_mentions_the_person_on_slack(bot: Bot) -> None:
    say(bot, "remind me in 2h to check the oven")
    assert bot.tick(2 * HOUR - timedelta(seconds=1)) == []
    (reminder,) = bot.tick(timedelta(seconds=1))
    (call,) = reminder.rendered
    assert (call["method"], call["channel"], call["text"]) == (
        "chat.postMessage",
        "general",
        "⏰ <@ann> check the oven",
    )


def test_us_is_said_to_all_in_the_thread_where_it_was_asked_for(bot: Bot) -> None:
    assert say(bot, "remind us in 1h to eat", thread="t1") == (
        "I will remind everybody here today at 11:00 (Europe/Berlin)."
    )
    (reminder,) = bot.tick(HOUR)
    assert reminder.text == "⏰ eat"
    assert reminder.rendered[0]["thread_ts"] == "t1"


def test_what_was_typed_is_repeated_as_it_was_and_calls_nobody_else(bot: Bot) -> None:
    say(bot, "remind me in 1h to tell <@bo> that *all* of [us](dragoman:everyone/here) go")
    (reminder,) = bot.tick(HOUR)
    assert reminder.rendered[0]["text"] == ("⏰ <@ann> tell <@bo> that *\u2060all* of [us](dragoman:everyone/here) go")


def test_somebody_whose_zone_is_not_known_is_told_which_one_was_meant(bot: Bot) -> None:
    said = say(bot, "remind me tomorrow 9:00 to call Ann", by="bo")
    assert said == "I will remind you tomorrow at 09:00 (UTC; I do not know your time zone)."
    (reminder,) = bot.tick(timedelta(days=2))
    assert reminder.text == "⏰ [@Bo](dragoman:user/bo) call Ann"


def test_it_says_so_if_it_comes_late(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    say(bot, "remind me in 1h to eat")
    monkeypatch.setattr(Context, "now", lambda ctx: datetime.fromtimestamp(ctx.event.occurred + 7200, bot.now.tzinfo))
    (reminder,) = bot.tick(HOUR)
    assert reminder.text == "⏰ [@Ann](dragoman:user/ann) eat (late: it was for today at 10:00)"


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("to sleep", "When? Say such as `tomorrow 9:00`, `in 2h`, `friday 15:00` or `2031-03-01 14:00`."),
        ("in 2h", "What should I remind you of? Say such as `remind me tomorrow 9:00 to call Bo`."),
        ("yesterday to go", "I can remind you in the next five years, and that is on 6 January 2030 at 09:00."),
        ("1 March 2036 to go", "I can remind you in the next five years, and that is on 1 March 2036 at 09:00."),
        ("3/4 to go", "`3/4` can be read as two different days: write one such as 1 March or 2026-03-01."),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(bot: Bot, asked: str, answer: str) -> None:
    assert say(bot, f"remind me {asked}") == answer
    assert bot.tick(timedelta(days=3000)) == []
    assert say(bot, "reminders") == "You have no reminders."


def test_reminders_lists_what_is_to_come_by_its_time(bot: Bot) -> None:
    say(bot, "remind me tomorrow 9:00 to call Bo")
    say(bot, "remind me in 2h to *stretch*")
    say(bot, "remind me in 1h to eat", by="bo")
    say(bot, "remind us in 1h to eat")
    bot.tick(HOUR)
    assert say(bot, "reminders") == "- **2** today at 12:00: \\*stretch\\*\n- **1** tomorrow at 09:00: call Bo"
    bot.tick(timedelta(days=1))
    assert say(bot, "reminders") == "You have no reminders."


def test_a_channel_does_not_see_what_was_asked_for_elsewhere(bot: Bot) -> None:
    say(bot, "remind me in 2h to apply for the other job", direct=True)
    say(bot, "remind me in 1h to eat")
    assert say(bot, "reminders") == ("- **2** today at 11:00: eat\n- 1 elsewhere: ask me in a direct message")
    assert say(bot, "reminders", direct=True) == (
        "- **2** today at 11:00: eat\n- **1** today at 12:00: apply for the other job"
    )
    assert say(bot, "forget 1") == "I will not remind you today at 12:00."


def test_forget_takes_one_back_and_only_ones_own(bot: Bot) -> None:
    say(bot, "remind me in 1h to eat")
    say(bot, "remind me in 2h to sleep")
    assert say(bot, "forget 1", by="bo") == "You have no reminder 1. `reminders` lists them."
    assert say(bot, "forget 1") == "I will not remind you today at 11:00."
    assert bot.redeliver() == []
    assert say(bot, "forget 1") == "You have no reminder 1. `reminders` lists them."
    assert [reply.text for reply in bot.tick(3 * HOUR)] == ["⏰ [@Ann](dragoman:user/ann) sleep"]
    assert say(bot, "forget 2") == "You have no reminder 2. `reminders` lists them."


def test_a_number_stays_with_its_reminder(bot: Bot) -> None:
    for what in ("eat", "sleep"):
        say(bot, f"remind me in 1h to {what}")
    say(bot, "forget 1")
    say(bot, "remind me in 2h to get up")
    assert say(bot, "reminders") == "- **2** today at 11:00: sleep\n- **3** today at 12:00: get up"


def test_a_retry_asks_once_and_forgets_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run fails after everything has been stored, as a worker that is killed then does."""
    for said, answer in (
        ("remind me in 2h to eat", "I will remind you today at 12:00 (Europe/Berlin)."),
        ("forget 1", "I will not remind you today at 12:00."),
        ("reminders", "You have no reminders."),
    ):
        take = Context.take
        failed: list[int] = []

        def fail(ctx: Context, take: Any = take, failed: list[int] = failed) -> Any:
            failed.append(ctx.attempt)
            if ctx.attempt == 1:
                raise OSError("killed")
            return take(ctx)

        with monkeypatch.context() as patch, bot.fails_with(OSError):
            patch.setattr(Context, "take", fail)
            assert say(bot, said) == answer
        assert failed == [1, 2]
        if said.startswith("remind me"):
            assert say(bot, "reminders") == "- **1** today at 12:00: eat"
    assert bot.tick(3 * HOUR) == []


def test_there_is_a_limit_for_each_person(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman_remind.MOST", 3)
    for number in range(3):
        assert say(bot, f"remind me in {number + 1}h to eat").startswith("I will remind you")
    refused = "You have 3 reminders already. Take one back first: `reminders` lists them."
    assert say(bot, "remind me in 1h to sleep") == refused
    assert say(bot, "remind me in 1h to eat", by="bo") != refused
    assert [reply.text[-3:] for reply in bot.tick(HOUR)] == ["eat", "eat"]  # Ann's first, and Bo's
    assert say(bot, "remind me in 1h to sleep") != refused
