"""Help, from the catalogue alone."""

from typing import Annotated

import pytest
from pydantic import Field

from dragoman import Context, Skill, SkillManifest
from dragoman_help import show, skill
from support.samples import MANIFEST, task

talk = Skill("talk")


@talk.command("hi")
def hello(name: Annotated[str, Field(description="whom to greet")] = "you", *, loud: bool = False) -> str:
    """Say hello.

    Loudly, if you like.
    """
    return ""


@talk.hear("x")
def overhear() -> None:
    """Answer to x."""


@talk.hear("y")
def quietly() -> None: ...


@talk.on("reaction")
def seen() -> None:
    """Never shown."""


def asked(command: str = "", *found: SkillManifest) -> str:
    catalogue = found or (talk.manifest(), skill.manifest(), MANIFEST)
    return show(Context(task(skill="help", handler="show"), catalogue=lambda: catalogue), command)


def test_everything_that_can_be_asked_is_listed_by_skill() -> None:
    assert asked() == (
        "**talk**\n\n- `hello [--loud] [name]`: Say hello.\n- when I hear you: Answer to x.\n\n"
        "**help**: What I can do\n\n- `help [command]`: List what I can do, or explain one command.\n\n"
        "**dice**: Roll dice\n\n- `roll [dice] [times] [--how high|low]`: Roll dice."
    )


@pytest.mark.parametrize("command", ["hello", "HI", " /hello", "!hi "])
def test_one_command_is_explained_by_any_of_its_names(command: str) -> None:
    assert asked(command) == (
        "`hello [--loud] [name]`\n\nSay hello.\n\nLoudly, if you like.\n\n"
        "- `name`: whom to greet (`you` if left out)\n\n- `loud`: boolean (`False` if left out)\n\nAlso: `hi`"
    )


def test_one_skill_is_listed_by_its_name() -> None:
    assert asked("Dice") == "**dice**: Roll dice\n\n- `roll [dice] [times] [--how high|low]`: Roll dice."


def test_an_unknown_command_is_told_and_not_repeated_in_full() -> None:
    assert asked("dance") == "I know no command `dance`. `help` lists them."
    assert len(asked("`" * 4_000 + "x" * 4_000)) < 100


def test_skills_without_anything_to_ask_for_are_left_out() -> None:
    assert asked("", SkillManifest(name="silent")) == "No skill is being served right now."
