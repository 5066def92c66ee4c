"""Running a handler: what it returns and yields is the reply."""

import gc
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from dragoman import Action, Content, Context, Person, Scheduled, Send, Skill, SkillError
from dragoman.run import find_handler, run, run_async
from dragoman.skill import Handler
from support.samples import HERE, message, task
from support.services import FakeServices

skill = Skill("dice")


@skill.command()
def returns(text: str = "six") -> str:
    return text


@skill.command()
def returns_content() -> Content:
    return Content(text="six")


@skill.command()
def returns_nothing(ctx: Context) -> None:
    ctx.reply("said")


@skill.command()
def returns_blank() -> str:
    return " \n"


@skill.command()
def returns_number() -> int:
    return 6


@skill.command()
def yields() -> Iterator[str | None]:
    yield "one"
    yield None
    yield "two"


@skill.command()
def yields_number() -> Iterator[int]:
    yield 6


@skill.command()
def says_and_returns(ctx: Context) -> str:
    ctx.reply("first")
    ctx.react("wave")
    return "last"


@skill.command()
async def waits(ctx: Context) -> str:
    await ctx.reply("one")
    return "two"


@skill.command()
async def streams(ctx: Context) -> AsyncIterator[str]:
    yield "one"
    ctx.reply("two")
    yield "three"


@skill.command()
async def waits_for_number() -> int:
    return 6


@skill.command()
def breaks() -> Iterator[str]:
    yield "one"
    raise RuntimeError("no")


class Left(FakeServices):
    """Keeps what leaves, group by group."""

    @property
    def groups(self) -> list[list[str]]:
        return [texts(actions) for actions in self.left]


def texts(actions: Sequence[Action]) -> list[str]:
    return [action.content.text if isinstance(action, Send) else action.kind for action in actions]


def prepared(name: str, services: Left | None = None, **arguments: Any) -> tuple[Handler, Any, Context]:
    handler, given = skill.handlers[name], task(message(), handler=name, **arguments)
    return handler, given, Context(given, services or Left(), coroutine=handler.coroutine)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("returns", ["six"]),
        ("returns_content", ["six"]),
        ("returns_nothing", ["said"]),
        ("returns_blank", []),
        ("yields", ["one", "two"]),
        ("says_and_returns", ["first", "react", "last"]),
    ],
)
def test_what_a_handler_says_comes_out_in_order(name: str, said: list[str]) -> None:
    left = Left()
    rest = texts(run(*prepared(name, left)))
    assert [*(text for group in left.groups for text in group), *rest] == said


@pytest.mark.parametrize(("name", "said"), [("waits", ["one", "two"]), ("streams", ["one", "two", "three"])])
async def test_what_an_async_handler_says_comes_out_in_order(name: str, said: list[str]) -> None:
    left = Left()
    rest = texts(await run_async(*prepared(name, left)))
    assert [*(text for group in left.groups for text in group), *rest] == said


def test_what_is_yielded_leaves_at_once() -> None:
    left = Left()
    assert run(*prepared("yields", left)) == ()
    assert left.groups == [["one"], ["two"]]


async def test_what_is_yielded_by_an_async_generator_leaves_at_once() -> None:
    left = Left()
    assert await run_async(*prepared("streams", left)) == ()
    assert left.groups == [["one"], ["two", "three"]]


def test_what_had_been_yielded_has_left_when_the_handler_fails() -> None:
    left = Left()
    with pytest.raises(RuntimeError, match="no"):
        run(*prepared("breaks", left))
    assert left.groups == [["one"]]


@pytest.mark.parametrize("name", ["returns_number", "yields_number"])
def test_a_handler_that_returns_something_else_is_blamed(name: str) -> None:
    with pytest.raises(SkillError, match=rf"'{name}' returned int; return or yield a text"):
        run(*prepared(name))


async def test_an_async_handler_that_returns_something_else_is_blamed() -> None:
    with pytest.raises(SkillError, match="returned int"):
        await run_async(*prepared("waits_for_number"))
    gc.collect()


def test_arguments_reach_the_parameters_and_what_an_older_router_sent_is_left_out() -> None:
    assert texts(run(*prepared("returns", text="five", gone="x"))) == ["five"]


def test_a_handler_is_found_by_its_name() -> None:
    assert find_handler(skill, task(handler="waits")) is skill.handlers["waits"]


def test_a_handler_that_is_not_there_any_more_is_named_with_those_that_are() -> None:
    with pytest.raises(SkillError, match=r"'dice' has no handler 'gone' \(it has returns, .*another version"):
        find_handler(skill, task(handler="gone"))


def test_a_moment_is_in_the_time_zone_of_the_person_and_not_at_an_offset() -> None:
    clock = Skill("clock")

    @clock.command()
    def when(ctx: Context, at: datetime) -> str:
        return f"{at:%H:%M %Z} {at + timedelta(days=1):%H:%M %Z}"

    event = message().model_copy(update={"person": Person(id="U1", timezone="Europe/Berlin")})
    given = task(event, handler="when", at="2030-03-30T09:00:00+01:00")
    context = Context(given, FakeServices())
    assert texts(run(clock.handlers["when"], given, context)) == ["09:00 CET 09:00 CEST"]


def test_what_a_type_of_the_authors_own_refuses_is_the_persons_mistake_and_no_failure() -> None:
    def even(value: int) -> int:
        if value % 2:
            raise ValueError("an even number, please")
        return value

    pairs = Skill("pairs")

    @pairs.command()
    def pair(count: Annotated[int, AfterValidator(even)]) -> str:
        return "ok"

    for asked, said in ((True, True), (False, False)):
        given = task(message(), handler="pair", count=3).model_copy(update={"asked": asked})
        answers = texts(run(pairs.handlers["pair"], given, Context(given, FakeServices())))
        assert bool(answers) == said
        assert all("an even number, please" in text and "Usage: `pair <count>`" in text for text in answers)


def test_a_handler_that_does_not_take_what_it_was_asked_for_earlier_fails_and_is_not_lost() -> None:
    clock = Skill("clock")

    @clock.schedule()
    def ring(ctx: Context, count: int) -> None: ...

    event = Scheduled(key="t1", address=HERE, conversation="channel", skill="clock", handler="ring", due=1.0)
    given = task(event, skill="clock", handler="ring", text="from another version")
    with pytest.raises(SkillError, match=r"clock\.ring does not take what ctx\.later was given"):
        run(clock.handlers["ring"], given, Context(given, FakeServices()))


exits = Skill("exits")


@exits.command()
def leave() -> None:
    sys.exit(3)


@exits.command()
async def leave_slowly() -> None:
    sys.exit("bye")


async def test_a_handler_cannot_end_its_process_by_accident() -> None:
    for name, said in (("leave", "3"), ("leave_slowly", "'bye'")):
        handler, given = exits.handlers[name], task(message(), skill="exits", handler=name)
        context = Context(given, FakeServices(), coroutine=handler.coroutine)
        with pytest.raises(SkillError, match=rf"handler '{name}' called sys\.exit\({said}\); a handler ends by"):
            await run_async(handler, given, context) if handler.coroutine else run(handler, given, context)
