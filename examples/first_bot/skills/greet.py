"""A first skill: one command, and one thing that it overhears."""

from typing import Annotated

from pydantic import Field

from dragoman import Context, Skill

skill = Skill("greet", summary="Be polite")


@skill.command("hi")
def hello(name: str = "world", times: Annotated[int, Field(ge=1, le=3)] = 1) -> str:
    """Say hello to somebody."""
    return " ".join([f"Hello, {name}!"] * times)


@skill.hear(r"\bgood (?P<part>morning|night)\b")
def wish(ctx: Context, part: str) -> None:
    """Wish it back."""
    ctx.react("wave")
    ctx.reply(f"Good {part} to you!")
