"""The skills' commands in the app manifest."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from dragoman import Skill, SkillManifest
from dragoman_slack.slash_commands import BUILT_IN, not_offered, slash_commands


def dice() -> SkillManifest:
    skill = Skill("dice")

    @skill.command("throw")
    def roll(dice: str, times: Annotated[int, Field(ge=1)] = 1) -> str:
        """Roll dice, or coins."""
        return ""

    return skill.manifest()


def named(*names: str) -> SkillManifest:
    """A skill with a command of each name."""
    skill = Skill("many")
    for name in names:

        def handler() -> str:
            return ""

        handler.__name__ = name
        skill.command(name=name)(handler)
    return skill.manifest()


def test_a_command_and_its_alias_are_slash_commands() -> None:
    assert slash_commands([dice()]) == [
        {
            "command": "/roll",
            "description": "Roll dice, or coins.",
            "should_escape": True,
            "usage_hint": "<dice> [times]",
        },
        {
            "command": "/throw",
            "description": "Roll dice, or coins.",
            "should_escape": True,
            "usage_hint": "<dice> [times]",
        },
    ]


def test_sub_commands_share_one_that_hints_at_all_of_them() -> None:
    skill = Skill("deploy", summary="Puts things live.")

    @skill.command(name="deploy start")
    def start(service: Literal["web", "api"]) -> str:
        return ""

    @skill.command(name="deploy status")
    def status() -> str:
        return ""

    [command] = slash_commands([skill.manifest()])
    assert command == {
        "command": "/deploy",
        "description": "Puts things live.",
        "should_escape": True,
        "usage_hint": "start <web|api> | status",
    }


def test_a_command_without_words_about_it_still_has_a_description_and_no_empty_hint() -> None:
    assert slash_commands([named("ping")]) == [
        {"command": "/ping", "description": "The skill many", "should_escape": True}
    ]


def test_slacks_own_commands_are_left_out_and_said() -> None:
    manifests = [named("remind", "topic", "poll", "karma", "help")]
    assert [command["command"] for command in slash_commands(manifests)] == ["/help", "/karma", "/poll"]
    assert not_offered(manifests) == {"remind": "Slack has its own", "topic": "Slack has its own"}
    assert {"remind", "invite", "topic", "status", "who", "me"} <= BUILT_IN


@pytest.mark.parametrize("name", ["würfeln", "what?", "x" * 32])
def test_names_that_slack_does_not_take_are_left_out_and_said(name: str) -> None:
    assert slash_commands([named(name)]) == []
    assert "Slack takes a-z" in not_offered([named(name)])[name]
    assert slash_commands([named("x" * 31)])


def test_there_are_at_most_fifty_and_aliases_give_way() -> None:
    many = named(*(f"c{n:02}" for n in range(49)))
    offered = slash_commands([dice(), many])
    assert len(offered) == 50
    assert {"command", "description", "should_escape"} <= offered[0].keys()
    assert "/throw" not in {command["command"] for command in offered}
    assert not_offered([dice(), many]) == {"throw": "Slack takes 50 commands"}


def test_long_texts_fit() -> None:
    skill = Skill("long", summary="x" * 3000)

    @skill.command()
    def go(what: Annotated[str, Field(description="y")]) -> str:
        return ""

    manifest = skill.manifest()
    many = tuple(
        handler.parameters[0].model_copy(update={"name": f"parameter_{n}" * 5})
        for handler in manifest.handlers
        for n in range(50)
    )
    handlers = tuple(handler.model_copy(update={"parameters": many}) for handler in manifest.handlers)
    [command] = slash_commands([manifest.model_copy(update={"handlers": handlers})])
    assert len(command["description"]) == 2000
    assert 900 < len(command["usage_hint"]) <= 1000
    assert command["usage_hint"].endswith("…")
