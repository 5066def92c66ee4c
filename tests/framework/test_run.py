"""Running a handler: what it returns and yields is the reply."""

import gc
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from dragoman import Action, Content, Context, Send, Skill, SkillError
from dragoman.run import find_handler, run, run_async
from dragoman.skill import Handler
from support.samples import message, task

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


class Left:
    """An outbox that keeps what leaves, group by group."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []

    def __call__(self, _: object, actions: Sequence[Action]) -> None:
        self.groups.append(texts(actions))


def texts(actions: Sequence[Action]) -> list[str]:
    return [action.content.text if isinstance(action, Send) else action.kind for action in actions]


def prepared(name: str, outbox: Left | None = None, **arguments: Any) -> tuple[Handler, Any, Context]:
    handler, given = skill.handlers[name], task(message(), handler=name, **arguments)
    return handler, given, Context(given, outbox=outbox, coroutine=handler.coroutine)


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
    assert texts(run(*prepared(name))) == said


@pytest.mark.parametrize(("name", "said"), [("waits", ["one", "two"]), ("streams", ["one", "two", "three"])])
async def test_what_an_async_handler_says_comes_out_in_order(name: str, said: list[str]) -> None:
    assert texts(await run_async(*prepared(name))) == said


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
