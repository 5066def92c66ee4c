"""Commands as Discord's application commands."""

import json
import os
import re
from collections.abc import Callable
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from dragoman import Channel, Context, Skill, SkillManifest, User
from dragoman_discord.slash_commands import not_offered, parameter_names, slash_commands


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


def manifest(*handlers: Callable[..., Any], name: str = "things", names: dict[str, str] | None = None) -> SkillManifest:
    """A skill with those handlers as commands; ``names`` by function."""
    skill = Skill(name)
    for handler in handlers:
        skill.command(name=(names or {}).get(handler.__name__))(handler)
    return skill.manifest()


def named(*words: str) -> SkillManifest:
    """A skill with commands of these names."""
    skill = Skill("many")
    for number, word in enumerate(words):

        def one(ctx: Context) -> str:
            """Do it."""
            return ""

        one.__name__ = f"h{number}"
        skill.command(name=word)(one)
    return skill.manifest()


def options(handler: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    [command] = slash_commands([manifest(handler)])
    return {option["name"]: option for option in command.get("options", [])}


def test_a_command_has_its_name_and_what_its_docstring_says() -> None:
    def roll(ctx: Context) -> str:
        """Roll some dice.

        As many as you like.
        """
        return ""

    assert slash_commands([manifest(roll)]) == [{"name": "roll", "type": 1, "description": "Roll some dice."}]


def test_every_kind_of_parameter_has_its_type() -> None:
    def act(
        ctx: Context,
        word: str,
        count: int,
        factor: float,
        sure: bool,
        size: Literal["s", "l"],
        day: date,
        length: timedelta,
        who: User,
        where: Channel,
        many: list[int],
    ) -> str:
        return ""

    found = options(act)
    assert {name: option["type"] for name, option in found.items()} == {
        "word": 3,
        "count": 4,
        "factor": 10,
        "sure": 5,
        "size": 3,
        "day": 3,
        "length": 3,
        "who": 6,
        "where": 7,
        "many": 3,
    }
    assert all(option["required"] for option in found.values())
    assert all(1 <= len(option["description"]) <= 100 for option in found.values())


def test_bounds_choices_and_labels_are_discords() -> None:
    def act(
        ctx: Context,
        count: Annotated[int, Field(ge=1, le=20)] = 1,
        half: Annotated[float, Field(gt=0.5, lt=3)] = 1.0,
        size: Size = Size.SMALL,
        kind: Literal["a", "b"] = "a",
    ) -> str:
        return ""

    found = options(act)
    assert (found["count"]["min_value"], found["count"]["max_value"]) == (1, 20)
    assert (found["half"]["min_value"], found["half"]["max_value"]) == (0.5, 3)
    assert [choice["value"] for choice in found["size"]["choices"]] == ["s", "l"]
    assert found["kind"]["choices"] == [{"name": "a", "value": "a"}, {"name": "b", "value": "b"}]


def test_what_is_required_comes_first() -> None:
    def act(ctx: Context, one: str = "x", *, two: int) -> str:
        return ""

    assert list(options(act)) == ["two", "one"]


def test_too_many_choices_are_typed() -> None:
    def act(ctx: Context, pick: str) -> str:
        return ""

    [skill] = [manifest(act)]
    [handler] = skill.handlers
    parameter = handler.parameters[0].model_copy(update={"kind": "choice", "choices": tuple(map(str, range(26)))})
    skill = skill.model_copy(update={"handlers": (handler.model_copy(update={"parameters": (parameter,)}),)})
    [command] = slash_commands([skill])
    assert "choices" not in command["options"][0]


def test_words_are_sub_commands_and_groups() -> None:
    [command] = slash_commands([named("deploy start", "deploy stop", "deploy app add")])
    assert (command["name"], [option["name"] for option in command["options"]]) == ("deploy", ["app", "start", "stop"])
    group, start, _ = command["options"]
    assert (group["type"], start["type"]) == (2, 1)
    assert group["options"] == [{"name": "add", "type": 1, "description": "Do it."}]


def test_what_discord_cannot_have_is_left_out_and_said() -> None:
    left_out = not_offered([named("deploy", "deploy start", "c++", "x" * 33, "fine", "übung", "नमस्ते")])
    assert left_out.keys() == {"deploy", "c++", "x" * 33}
    assert "by itself" in left_out["deploy"]


def test_more_than_discord_takes_are_left_out_and_said() -> None:
    many = named(*(f"c{number}" for number in range(101)), *(f"sub s{number}" for number in range(26)))
    left_out = not_offered([many])
    assert left_out.keys() == {"c100", *(f"sub s{number}" for number in range(26))}
    few = named(*(f"sub s{number}" for number in range(26)))
    assert not_offered([few]) == {"sub s25": "Discord takes 25 sub-commands of sub"}


def test_aliases_are_offered_and_push_out_no_name() -> None:
    skill = Skill("x")

    @skill.command("r", "c99")
    def roll(ctx: Context) -> str:
        return ""

    found = [command["name"] for command in slash_commands([skill.manifest(), named(*(f"c{n}" for n in range(99)))])]
    assert len(found) == 100
    assert "roll" in found
    assert "r" not in found


def test_a_parameter_in_capitals_is_found_again() -> None:
    def act(ctx: Context, howMany: int) -> str:
        return ""

    skills = [manifest(act)]
    assert list(options(act)) == ["howmany"]
    assert parameter_names(skills) == {("act", "howmany"): "howMany"}


def test_a_command_that_is_too_long_as_a_whole_is_shortened() -> None:
    skill = Skill("x", summary="s" * 300)
    for number in range(25):

        def one(ctx: Context) -> str:
            return ""

        one.__doc__ = "d" * 200
        one.__name__ = f"h{number}"
        skill.command(name=f"{'a' * 32} {'b' * 20}{number} {'c' * 20}")(one)
    [command] = slash_commands([skill.manifest()])
    assert len(json.dumps(command)) < 8000
    assert len(command["description"]) == 100


SPEC = Path(os.environ.get("DRAGOMAN_API_SPECS", "")) / "discord-openapi.json"
NAME = re.compile(r"[-_'\w]{1,32}")

WORD = st.text(st.characters(categories=["L", "N", "P", "S", "M"]), min_size=1, max_size=40).map(str.casefold)


@given(st.lists(st.lists(WORD, min_size=1, max_size=3).map(" ".join), max_size=30, unique=True))
def test_whatever_commands_are_called_what_is_offered_is_valid(words: list[str]) -> None:
    skill = Skill("x")
    for number, name in enumerate(words):

        def one(ctx: Context, word: str = "") -> str:
            return ""

        one.__name__ = f"h{number}"
        try:
            skill.command(name=name)(one)
        except Exception:
            return
    manifests = [skill.manifest()]
    found = slash_commands(manifests)
    offered = sum(1 for command in found for _ in leaves(command))
    assert offered + len(not_offered(manifests)) == len(words)
    for command in found:
        valid(command)


def leaves(command: dict[str, Any]) -> list[dict[str, Any]]:
    below = [option for option in command.get("options", []) if option["type"] in (1, 2) and "required" not in option]
    return [leaf for option in below for leaf in leaves(option)] if below else [command]


def valid(command: dict[str, Any]) -> None:
    assert NAME.fullmatch(command["name"]) or any("\u0900" <= char <= "\u0e5b" for char in command["name"])
    assert command["name"] == command["name"].lower()
    assert 1 <= len(command["description"]) <= 100
    assert len(command.get("options", [])) <= 25
    for option in command.get("options", []):
        valid(option)


@pytest.mark.skipif(not SPEC.exists(), reason="DRAGOMAN_API_SPECS does not name its folder")
def test_the_bundled_skills_commands_are_as_discords_document_says() -> None:
    from jsonschema import Draft202012Validator

    from dragoman_dice import skill as dice
    from dragoman_help import skill as help
    from dragoman_karma import skill as karma
    from dragoman_poll import skill as poll
    from dragoman_remind import skill as remind

    spec = json.loads(SPEC.read_text())
    schema = {"$ref": "#/components/schemas/ApplicationCommandCreateRequest", "components": spec["components"]}
    found = slash_commands([skill.manifest() for skill in (dice, help, karma, poll, remind)])
    assert {"roll", "help"} <= {command["name"] for command in found}
    for command in found:
        Draft202012Validator(schema).validate(command)
