"""Declaring a skill: what is wrong is said at once, by name."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from dragoman import (
    CatalogueError,
    CommandTrigger,
    Context,
    DragomanError,
    Event,
    HearTrigger,
    OnTrigger,
    Parameter,
    Skill,
    SkillError,
)
from dragoman.skill import LONGEST
from dragoman.triggers.on import EVENTS


def hello(name: str = "you") -> str:
    """Say hello.

    And more
    of it.
    """
    return name


async def hello_async() -> None: ...


async def hello_stream(ctx: Context) -> Any:
    yield "x"


def test_a_command_is_described_by_its_function() -> None:
    skill = Skill("greeter", summary="Greets", retries=1, time_limit=5)
    assert skill.command("hi", "hey")(hello) is hello
    (handler,) = skill.manifest().handlers
    assert handler.name == "hello"
    assert handler.trigger == CommandTrigger(names=("hello", "hi", "hey"))
    assert (handler.summary, handler.description) == ("Say hello.", "And more\nof it.")
    assert handler.parameters == (Parameter(name="name", required=False, default="you", rest=True),)
    assert (skill.manifest().retries, skill.manifest().time_limit) == (1, 5)


def test_a_command_may_have_another_name_than_its_function() -> None:
    skill = Skill("greeter")
    skill.command(name="hello-world")(hello)
    assert skill.handlers["hello"].trigger == CommandTrigger(names=("hello-world",))


def test_a_context_is_asked_for_by_annotation_and_is_no_parameter() -> None:
    skill = Skill("greeter")

    @skill.command()
    def greet(name: str, anything: Context) -> None: ...

    assert skill.handlers["greet"].context == "anything"
    assert [parameter.name for parameter in skill.handlers["greet"].parameters] == ["name"]


def test_the_other_triggers_are_described_too() -> None:
    skill = Skill("greeter")
    skill.hear("(?P<name>x)", ignore_case=False)(hello)
    skill.on("reaction")(hello_async)
    assert [handler.trigger for handler in skill.handlers.values()] == [
        HearTrigger(pattern="(?P<name>x)", ignore_case=False),
        OnTrigger(event="reaction"),
    ]


def test_on_takes_every_kind_of_event_that_there_is() -> None:
    members = get_args(get_args(Event)[0])
    own = {"slash", "schedule", "webhook", "undeliverable"}  # these have triggers of their own
    assert {member.model_fields["kind"].default for member in members} == set(EVENTS) | own


@pytest.mark.parametrize(
    ("functions", "pool", "expected"),
    [
        ([], None, "default"),
        ([hello], None, "default"),
        ([hello_async, hello_stream], None, "async"),
        ([hello, hello_async], None, "default"),
        ([hello_async], "slow", "slow"),
    ],
)
def test_the_pool_follows_from_the_handlers_unless_it_is_given(
    functions: list[Callable[..., Any]], pool: str | None, expected: str
) -> None:
    skill = Skill("greeter", pool=pool)
    for function in functions:
        skill.command()(function)
    assert skill.manifest().pool == expected


@pytest.mark.parametrize("name", ["", "Dice", "1dice", "dice.roll", "dice!", "würfel", "a" * 64, "dice\n"])
def test_a_skills_name_is_part_of_a_queues_name(name: str) -> None:
    with pytest.raises(SkillError, match="is not a skill's name"):
        Skill(name)


@pytest.mark.parametrize("limit", [0, -1, LONGEST + 1, float("nan"), float("inf")])
def test_a_time_limit_is_within_what_a_broker_bears(limit: float) -> None:
    with pytest.raises(SkillError, match="'dice': time_limit"):
        Skill("dice", time_limit=limit)


def test_retries_cannot_be_negative() -> None:
    with pytest.raises(SkillError, match="'dice': retries"):
        Skill("dice", retries=-1)


def test_a_policy_is_one_that_there_is_and_needs_an_order() -> None:
    with pytest.raises(SkillError, match="'dice': policy is one of all, latest, drop_while_busy, not 'newest'"):
        Skill("dice", order="conversation", policy="newest")  # type: ignore[arg-type]
    with pytest.raises(SkillError, match='policy = "latest" needs order = "conversation"'):
        Skill("dice", policy="latest")
    assert Skill("dice", order="conversation", policy="latest").manifest().policy == "latest"


@pytest.mark.parametrize("name", ["Roll", " roll", "a\tb", "a  b", "a b c d", ""])
def test_a_command_is_one_to_three_lower_case_words(name: str) -> None:
    with pytest.raises(SkillError, match=r"skill 'dice': the command .* must be one to 3 lower-case words"):
        Skill("dice").command(name)(hello)


def test_two_handlers_cannot_share_a_name() -> None:
    skill = Skill("dice")
    skill.command()(hello)
    with pytest.raises(SkillError, match="two handlers named 'hello'"):
        skill.hear("x")(hello)


def test_forgotten_parentheses_are_told_instead_of_losing_the_command() -> None:
    with pytest.raises(SkillError, match="parentheses"):
        Skill("dice").command(hello)  # type: ignore[arg-type]  # what people forget
    with pytest.raises(SkillError, match="with a pattern"):
        Skill("dice").hear(hello)  # type: ignore[arg-type]  # likewise
    with pytest.raises(SkillError, match="there are the events message"):
        Skill("dice").on(hello)  # type: ignore[arg-type]  # likewise


def test_an_unknown_event_is_told_with_those_that_there_are() -> None:
    with pytest.raises(SkillError, match=r"on\('mesage'\): there are the events message, edited"):
        Skill("dice").on("mesage")


def test_a_pattern_that_cannot_be_matched_is_refused_where_it_is_written() -> None:
    with pytest.raises(CatalogueError, match="look-around"):
        Skill("dice").hear("a(?=b)")


def test_a_parameter_without_a_group_is_refused() -> None:
    def pick(which: str) -> None: ...

    with pytest.raises(SkillError, match=r"dice\.pick: the pattern 'x' has no group \(\?P<which>"):
        Skill("dice").hear("x")(pick)


def test_a_handler_of_events_takes_only_a_context() -> None:
    with pytest.raises(SkillError, match="takes only a Context, not 'name'"):
        Skill("dice").on("reaction")(hello)


def test_one_context_is_enough() -> None:
    def twice(a: Context, b: Context) -> None: ...

    with pytest.raises(SkillError, match=r"dice\.twice: one Context is enough, not a and b"):
        Skill("dice").command()(twice)


def test_an_annotation_that_cannot_be_read_is_told_with_its_handler() -> None:
    def lost(a: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821  # what the test is about

    with pytest.raises(SkillError, match=r"dice\.lost: .*'Nowhere'"):
        Skill("dice").command()(lost)


def test_skill_errors_are_dragoman_errors() -> None:
    assert issubclass(SkillError, DragomanError)


def test_a_skill_is_a_plugin_that_provides_itself_and_equals_only_itself() -> None:
    skill = Skill("dice")
    assert skill.dragoman_skills() == [skill]
    assert skill != Skill("dice")
    assert len({skill, Skill("dice")}) == 2


def test_memory_is_said_in_words_or_in_bytes() -> None:
    assert Skill("dice", max_memory="200MB").memory() == 200_000_000
    assert Skill("dice", max_memory=50_000_000).memory() == 50_000_000
    assert Skill("dice").memory() is None


@pytest.mark.parametrize("size", ["much", "-5MB", "1kB", 0])
def test_memory_that_is_no_size_is_told(size: str | int) -> None:
    with pytest.raises(SkillError, match="skill 'dice': max_memory is a size"):
        Skill("dice", max_memory=size)


@pytest.mark.parametrize("number", [0, -1, 1001])
def test_runs_at_once_are_at_least_one(number: int) -> None:
    with pytest.raises(SkillError, match="skill 'dice': concurrency"):
        Skill("dice", concurrency=number)
