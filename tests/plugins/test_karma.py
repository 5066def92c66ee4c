"""Points for people and things, overheard."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman import Context, HearTrigger, Person, Skill
from dragoman.patterns import Pattern
from dragoman.testing import Bot
from dragoman_karma import HEARD, POINT, skill


@pytest.fixture
def skills() -> list[Skill]:
    return [skill]


def hear(bot: Bot, text: str, **more: Any) -> list[str]:
    return [reply.text for reply in bot.say(text, **{"on": "slack", "to_bot": False, **more})]


def ask(bot: Bot, text: str, **more: Any) -> str:
    (reply,) = bot.say(text, **{"on": "slack", **more})
    return reply.text


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        ("<@bo>++", ["[@bo](dragoman:user/bo): 1 point"]),
        ("<@bo> ++ for the cake", ["[@bo](dragoman:user/bo): 1 point"]),
        ("<@bo>--", ["[@bo](dragoman:user/bo): -1 point"]),
        ("thanks, Coffee++!", ["coffee: 1 point"]),
        ("(mondays--)", ["mondays: -1 point"]),
        ("node.js++ pre-commit++", ["node.js: 1 point\npre-commit: 1 point"]),
        ("école++", ["école: 1 point"]),
        ("snake_case++ and my_++", ["snake_case: 1 point\nmy\\_: 1 point"]),
        (
            "<@bo>++ <@eve>--, coffee++",
            ["[@bo](dragoman:user/bo): 1 point\n[@eve](dragoman:user/eve): -1 point\ncoffee: 1 point"],
        ),
        ("coffee++ coffee++ COFFEE++", ["coffee: 1 point"]),
    ],
)
def test_points_are_given_and_taken(bot: Bot, said: str, answers: list[str]) -> None:
    assert hear(bot, said) == answers


@pytest.mark.parametrize(
    "said",
    [
        "I write C++ and c++, not i++ nor j--",
        "use notepad++",
        "`count++` is code, and ```\ntotal++\n``` too",
        "yes -- no",
        "well--known",
        "run it with --verbose --dry-run",
        "1++ 2030--",
        "coffee+++",
        "https://example.org/coffee++",
        "++",
    ],
)
def test_what_looks_like_it_and_is_not_is_left_alone(bot: Bot, said: str) -> None:
    # Where everything is said to the bot, it says that it knows no such command.
    assert [answer for answer in hear(bot, said) if not answer.startswith("I do not know `")] == []
    assert ask(bot, "karma").startswith("Nobody has any points yet.")


def test_people_are_mentioned_on_slack(bot: Bot) -> None:
    (reply,) = bot.say("<@U2>++", on="slack", to_bot=False)
    assert reply.rendered[0]["text"] == "<@U2>: 1 point"


def test_points_add_up_in_the_workspace_and_not_on_another_platform(bot: Bot) -> None:
    hear(bot, "coffee++", by="ann")
    assert hear(bot, "coffee++", by="bo", channel="random") == ["coffee: 2 points"]
    assert hear(bot, "coffee++", by="bo", on="test") == ["coffee: 1 point"]


@pytest.mark.parametrize("said", ["<@ann>++", "<@ann>--", "Ann++"])
def test_nobody_gives_themselves_any(bot: Bot, said: str) -> None:
    (answer,) = hear(bot, said, by="ann")
    assert answer.endswith(": nobody can give points to themselves")
    assert ask(bot, "karma").startswith("Nobody has any points yet.")
    assert hear(bot, said, by="bo") != [answer]


def test_other_programs_are_not_heard(bot: Bot) -> None:
    assert hear(bot, "coffee++", by=Person(id="robot", bot=True)) == []


def test_a_message_that_is_delivered_again_counts_once(bot: Bot) -> None:
    hear(bot, "coffee++")
    assert bot.redeliver() == []
    assert ask(bot, "karma coffee") == "coffee: 1 point"


def test_a_run_that_is_tried_again_counts_once(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails when all is stored, as a worker that is killed then does."""
    take = Context.take

    def fail(ctx: Context) -> Any:
        if ctx.attempt == 1:
            raise OSError("killed")
        return take(ctx)

    with bot.fails_with(OSError), monkeypatch.context() as patch:
        patch.setattr(Context, "take", fail)
        assert hear(bot, "coffee++ tea++") == ["coffee: 1 point\ntea: 1 point"]
    assert hear(bot, "coffee++") == ["coffee: 2 points"]


def test_what_is_even_again_is_not_listed(bot: Bot) -> None:
    hear(bot, "tea++ coffee++")
    assert hear(bot, "tea--") == ["tea: 0 points"]
    assert ask(bot, "karma") == "1. coffee: 1 point"


def test_one_message_counts_for_ten_things(bot: Bot) -> None:
    (answer,) = hear(bot, " ".join(f"thing{number}++" for number in range(12)))
    assert len(answer.splitlines()) == 10


def test_karma_shows_one_or_the_ten_with_the_most(bot: Bot) -> None:
    assert ask(bot, "karma") == "Nobody has any points yet. Say such as `coffee++`."
    for number in range(11):
        for _ in range(11 - number):
            hear(bot, f"thing{number}++", by="eve")
    hear(bot, "<@bo>--")
    top = ask(bot, "karma").splitlines()
    assert top[0] == "1. thing0: 11 points"
    assert top[-1] == "10. thing9: 2 points"
    assert len(top) == 10
    assert ask(bot, "karma <@bo>") == "[@bo](dragoman:user/bo): -1 point"
    assert ask(bot, "karma Thing10") == "thing10: 1 point"
    assert ask(bot, "karma nothing at all") == "nothing at all: 0 points"


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("aé_.-+ (,!\n<@U1>`"), max_size=30))
def test_what_the_router_hears_is_what_counts(text: str) -> None:
    """The two patterns differ only in what they take along at both ends."""
    (trigger,) = [each.trigger for each in skill.manifest().handlers if isinstance(each.trigger, HearTrigger)]
    assert trigger.pattern == HEARD
    assert (Pattern(HEARD).search(text) is not None) == (POINT.search(text) is not None)
