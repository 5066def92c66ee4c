"""Tea for everybody, wherever they are: nothing in here knows of a platform."""

from typing import Annotated, Literal

from pydantic import Field

from dragoman import Context, Reaction, Skill

skill = Skill("tea", summary="Tea for everybody")


@skill.command()
def brew(
    ctx: Context,
    cups: Annotated[int, Field(ge=1, le=9, description="how many cups")] = 1,
    kind: Literal["green", "black"] = "green",
) -> str:
    """Make tea: typed to the bot, or as a slash command with a form where the platform has one."""
    # Both platforms drink from the same pot: what a skill keeps is its own, not an account's.
    total = ctx.store.update("cups", lambda made: made + cups, 0)
    return f"**{cups}** {kind}, coming up. That makes {total} today."


@skill.hear(r"\btea\b")
def overhear(ctx: Context) -> None:
    """Show that tea was heard of."""
    ctx.react("tea")


@skill.on("reaction")
def cheers(ctx: Context) -> None:
    """Drink to a cup that is put on what the bot said."""
    event = ctx.event
    if isinstance(event, Reaction) and event.added and event.emoji == "tea" and (note := ctx.handle_of(event.id)):
        ctx.react("heart", on=note)
