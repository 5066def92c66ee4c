"""The bot of a test: what authors write their tests with."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from dragoman import (
    NOWHERE,
    Action,
    Context,
    Cooldown,
    Edit,
    Message,
    Person,
    React,
    Reaction,
    Skill,
    SkillError,
    Webhook,
    hookimpl,
)
from dragoman.plugin_set import PluginSet
from dragoman.testing import Bot

#: Of a pytest within this one.
QUIETLY = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:anyio")

talk = Skill("talk", retries=1)


@talk.command()
def hello(ctx: Context, name: str = "you") -> str:
    """Say hello."""
    return f"Hello {name}, **{ctx.person.name if ctx.person else 'nobody'}** says so."


@talk.command()
async def slowly(ctx: Context) -> str:
    seen = await asyncio.to_thread(ctx.store.update, "seen", lambda count: count + 1, 0)
    return f"seen {seen}"


@talk.command()
def count(ctx: Context) -> Iterator[str]:
    yield "one"
    yield "two"
    if ctx.attempt == 1:
        raise RuntimeError("half-way")
    yield "three"


@talk.command()
def breaks() -> None:
    raise ValueError("no such thing")


@talk.command(cooldown=Cooldown(times=1, per=60))
def rarely() -> str:
    return "here"


@talk.command(allow=("admin",))
def secretly() -> str:
    return "psst"


@talk.command()
def wake(ctx: Context, delay: timedelta) -> str:
    ctx.later(delay, ring, text="ring")
    return f"at {ctx.now() + delay:%H:%M}"


@talk.schedule()
def ring(ctx: Context, text: str) -> str:
    return f"{text} at {ctx.now():%H:%M}"


@talk.command()
def wake_wrongly(ctx: Context) -> None:
    ctx.later(timedelta(hours=1), ring, txt="ring")


@talk.on("message")
def remember(ctx: Context) -> None:
    if ctx.person is not None and ctx.person.bot:
        ctx.later(timedelta(hours=1), ring, text="a program said something")


@talk.schedule("30 10 * * *")
def daily(ctx: Context) -> None:
    ctx.send("test:#general", "half past ten")


@talk.command()
def ask(ctx: Context) -> None:
    handle = ctx.reply("yes or no?")
    ctx.react("one", on=handle)
    ctx.store.set("asked", str(handle))


@talk.on("reaction")
def voted(ctx: Context) -> None:
    asked = ctx.store.get("asked")
    if asked and ctx.about(asked):
        assert isinstance(ctx.event, Reaction)
        ctx.edit(asked, f"voted {ctx.event.emoji}")


@talk.hear(r"\bping\b")
def pong(ctx: Context) -> None:
    ctx.react("wave")


@talk.webhook("/build")
def built(ctx: Context) -> None:
    assert isinstance(ctx.event, Webhook)
    ctx.send("test:#ops", str(ctx.event.json_body()["status"]))


@pytest.fixture
def skills() -> list[Skill]:
    return [talk]


def test_what_the_bot_says_is_there_at_once(bot: Bot) -> None:
    (reply,) = bot.say("hello Bo", by="ann")
    assert reply.text == "Hello Bo, **Ann** says so."
    assert "Bo" in reply
    assert bot.replies == [reply]


def test_a_reply_explains_itself_when_an_assertion_fails(bot: Bot) -> None:
    bot.say("hello Bo")
    assert repr(bot.replies) == "[<Reply 'Hello Bo, **Ann** says so.' in 1:test/T1/general>]"


def test_a_reply_is_rendered_by_the_platforms_own_adapter(bot: Bot) -> None:
    (reply,) = bot.say("hello Bo", on="slack")
    (call,) = reply.rendered
    assert call["method"] == "chat.postMessage"
    assert "*Ann* says so" in str(call)


def test_an_async_handler_runs_too(bot: Bot) -> None:
    assert [bot.say("slowly")[0].text for _ in range(2)] == ["seen 1", "seen 2"]


async def test_a_test_may_be_async_and_handlers_may_still_wait(bot: Bot) -> None:
    assert bot.say("ask")[0].reactions == ["one"]


def test_mistakes_are_answered_as_in_production(bot: Bot) -> None:
    assert "Did you mean `hello`?" in bot.say("helo")[0]
    assert "Usage: `wake <delay>`" in bot.say("wake soon")[0]


def test_patterns_are_heard_without_the_bots_name(bot: Bot) -> None:
    assert bot.say("ping", to_bot=False) == []
    assert bot.reactions == ["wave"]


def test_somebody_votes_by_reaction(bot: Bot) -> None:
    bot.say("ask")
    bot.react("one", by="bo")
    assert bot.replies[-1].text == "voted one"


def test_a_slash_command_is_the_same_command(bot: Bot) -> None:
    assert "Hello Bo" in bot.slash("hello", "Bo")[0]
    assert "Hello Bo" in bot.slash("hello", options={"name": "Bo"})[0]


def test_time_passes_when_the_test_says_so(bot: Bot) -> None:
    bot.person("ann", timezone="Asia/Tokyo")
    assert bot.say("wake 2h")[0].text == "at 20:00"
    assert bot.tick(timedelta(hours=1)) == []
    assert [reply.text for reply in bot.tick(timedelta(hours=2))] == ["half past ten", "ring at 20:00"]


def test_nothing_is_said_twice_when_it_is_delivered_again(bot: Bot) -> None:
    bot.say("slowly")
    assert bot.redeliver() == []
    assert bot.say("slowly")[0].text == "seen 2"


def test_an_error_of_a_handler_is_an_error_of_the_test(bot: Bot) -> None:
    with pytest.raises(ValueError, match="no such thing"):
        bot.say("breaks")


def test_a_failure_that_is_expected_is_retried_and_then_the_person_is_told(bot: Bot) -> None:
    with bot.fails_with(ValueError, "no such") as seen:
        (reply,) = bot.say("breaks")
    assert seen.attempts == 2
    assert "Sorry, that did not work" in reply


def test_a_retry_says_only_what_had_not_left(bot: Bot) -> None:
    with bot.fails_with(RuntimeError):
        assert [reply.text for reply in bot.say("count")] == ["one", "two", "three"]


def test_a_failure_that_does_not_come_or_is_another_one_is_told(bot: Bot) -> None:
    with pytest.raises(AssertionError, match="no handler failed; ValueError was expected"), bot.fails_with(ValueError):
        bot.say("hello")
    with pytest.raises(AssertionError, match="not with KeyError"), bot.fails_with(KeyError):
        bot.say("breaks")


def test_cooldowns_hold_and_end(bot: Bot) -> None:
    assert bot.say("rarely")[0].text == "here"
    assert bot.say("rarely")[0].text != "here"
    assert bot.say("rarely", by="bo")[0].text == "here"
    bot.tick(timedelta(seconds=61))
    assert bot.say("rarely")[0].text == "here"


def test_roles_come_from_the_directory(bot: Bot) -> None:
    assert "psst" not in bot.say("secretly")[0]
    bot.person("ann", roles=("admin",))
    bot.tick(timedelta(minutes=1))
    assert bot.say("secretly")[0].text == "psst"


def test_a_webhook_reaches_its_handler(bot: Bot) -> None:
    (reply,) = bot.webhook(talk, "/build", data={"status": "green"})
    assert (reply.text, reply.address.channel) == ("green", "ops")
    with pytest.raises(AssertionError, match="has no webhook"):
        bot.webhook(talk, "/other")


def test_any_event_can_be_delivered(bot: Bot) -> None:
    from dragoman import Content

    event = Message(
        key="x", address=NOWHERE, conversation="direct", addressed=True, id="1", content=Content(), request="hello"
    )
    with pytest.raises(SkillError, match="nobody to reply to"):
        bot.deliver(event)


def test_a_test_takes_milliseconds(bot: Bot) -> None:
    """Not a measurement: a guard against a sleep or a broker getting in between."""
    began = time.perf_counter()
    for _ in range(20):
        bot.say("hello")
    assert time.perf_counter() - began < 10


def test_the_fixture_says_what_it_wants_in_a_project_without_settings(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(bot): ...")
    result = pytester.runpytest_inprocess(*QUIETLY)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no dragoman.toml in the root of the project*"])


def test_the_fixture_takes_the_skills_of_the_projects_own_settings(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", dragoman='[bot]\nskills = ["dice"]\n')
    pytester.makepyfile("def test_it(bot):\n    assert 'known' not in bot.say('roll 2d6')[0].text\n")
    result = pytester.runpytest_inprocess(*QUIETLY)
    result.assert_outcomes(passed=1)


def test_a_reply_that_is_not_there_says_what_happened_instead(bot: Bot) -> None:
    with pytest.raises(IndexError, match=r"has said nothing; nobody has said anything to it yet"):
        bot.replies[-1]
    bot.say("good day", to_bot=False)
    with pytest.raises(IndexError, match=r"nothing; .* was a message 'good day' by Ann, .* for talk\.remember"):
        bot.replies[-1]
    bot.say("hello Bo")
    with pytest.raises(IndexError, match=r"has said 1 things: \['Hello Bo, .*'hello Bo' by Ann, .* talk\.hello"):
        bot.replies[1]
    assert bot.replies.texts == ["Hello Bo, **Ann** says so."]


def test_the_settings_are_those_that_the_test_names(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from dragoman import Context, Skill
        from dragoman.settings import Settings

        greet = Skill("greet")

        @greet.command()
        def hi(ctx: Context) -> str:
            return ctx.settings["word"]

        @pytest.fixture
        def skills():
            return [greet]

        @pytest.fixture
        def bot_settings():
            return Settings.model_validate({"skills": {"greet": {"word": "moin"}}})

        def test_it(bot):
            assert bot.say("hi")[0].text == "moin"
        """
    )
    pytester.runpytest_inprocess(*QUIETLY).assert_outcomes(passed=1)


def test_arguments_that_a_handler_does_not_take_later_are_told_at_once(bot: Bot) -> None:
    with pytest.raises(SkillError, match=r"ctx\.later: ring does not take these arguments: `text` is missing"):
        bot.say("wake_wrongly")


def test_what_a_program_has_caused_happens_later_too(bot: Bot) -> None:
    bot.say("beep", by=Person(id="B1", bot=True), to_bot=False)
    assert [reply.text for reply in bot.tick(timedelta(hours=1))] == ["a program said something at 10:00"]


def test_what_a_cooldown_has_refused_stays_refused_when_it_is_delivered_again(bot: Bot) -> None:
    bot.say("rarely")
    bot.say("rarely")
    bot.tick(timedelta(minutes=2))
    assert bot.redeliver() == []


def test_filters_see_addresses_and_targets_as_in_production(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Action] = []

    class Spy:
        @hookimpl
        def dragoman_action(self, action: Action) -> Action:
            seen.append(action)
            return action

    monkeypatch.setattr(bot, "_plugins", PluginSet([("test:spy", Spy())]))
    bot.tick(timedelta(hours=2))
    bot.say("ask")
    bot.react("one")
    assert [action.address.channel for action in seen] == ["general", "general", "general", "general"]
    assert [action.target.id for action in seen if isinstance(action, Edit | React)] == ["m3", "m3"]
