"""Help: what you can ask of the bot, from the catalogue of all skills that are served now."""

from collections.abc import Sequence
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Final

from pydantic import Field

from dragoman import (
    Channel,
    CommandTrigger,
    Context,
    HandlerManifest,
    HearTrigger,
    MentionTrigger,
    Parameter,
    Skill,
    SkillManifest,
    User,
    format_duration,
    usage,
    wanted,
)

__all__ = ["skill"]

SCOPES: Final = {"person": "for each person", "channel": "in each channel", "bot": "for everybody together"}

skill = Skill("help", summary="What I can do")


@skill.command(name="help")
def show(ctx: Context, command: Annotated[str, Field(description="a command, or a skill")] = "") -> str:
    """List what I can do, or explain one command."""
    found = [(each, handler) for each in ctx.catalogue() for handler in each.handlers if ctx.may(each, handler)]
    asked = " ".join(command.casefold().split()).lstrip("!/")
    if not asked:
        return _list(found) or "There is nothing that you can ask me for right now."
    below = [(each, handler) for each, handler in found if any(name.startswith(f"{asked} ") for name in handler.names)]
    for _, handler in found:
        if asked in handler.names:
            return _explain(handler, [sub.names[0] for _, sub in below])
    if listed := _list([each for each in found if each[0].name == asked]) or _list(below):
        return listed
    near = get_close_matches(asked[:40], [name for _, handler in found for name in handler.names], n=1)
    hint = f" Did you mean `{near[0]}`?" if near else " `help` lists them."
    return f"I know no command `{asked[:40].replace('`', '')}`.{hint}"


def _list(found: Sequence[tuple[SkillManifest, HandlerManifest]]) -> str:
    skills: dict[str, list[str]] = {}
    for manifest, handler in found:
        if line := _line(handler):
            title = f"**{manifest.name}**: {manifest.summary}" if manifest.summary else f"**{manifest.name}**"
            skills.setdefault(title, []).append(line)
    return "\n\n".join("\n".join([title, "", *lines]) for title, lines in sorted(skills.items()))


def _line(handler: HandlerManifest) -> str:
    match handler.trigger:
        case CommandTrigger():
            what = f"`{usage(handler.names[0], handler.parameters)}`"
        case HearTrigger() if handler.summary:
            what = "when I hear you"
        case MentionTrigger() if handler.summary:
            what = "when you talk to me"
        case _:
            return ""
    return f"- {what}: {handler.summary}" if handler.summary else f"- {what}"


def _explain(handler: HandlerManifest, below: Sequence[str]) -> str:
    parts = [f"`{usage(handler.names[0], handler.parameters)}`", handler.summary, handler.description]
    parts.append("\n".join(f"- `{parameter.name}`: {_meaning(parameter)}" for parameter in handler.parameters))
    if len(handler.names) > 1:
        parts.append(f"You can also say `{'`, `'.join(handler.names[1:])}`.")
    if below:
        parts.append(f"There is also `{'`, `'.join(below)}`.")
    if handler.allow:
        parts.append(f"Only for {', '.join(handler.allow)}.")
    if limit := handler.cooldown:
        times = "once" if limit.times == 1 else f"{limit.times} times"
        parts.append(f"At most {times} in {format_duration(timedelta(seconds=limit.per))}, {SCOPES[limit.scope]}.")
    return "\n\n".join(part for part in parts if part)


def _meaning(parameter: Parameter) -> str:
    # "Some text" says nothing beside a description.
    told = parameter.kind == "text" and not parameter.expected and parameter.description
    kind = "" if told else wanted(parameter) + (", or several" if parameter.many else "")
    default = f" ({shown} if left out)" if (shown := _default(parameter)) else ""
    return "; ".join(part for part in (parameter.description, kind) if part) + default


def _default(parameter: Parameter) -> str:
    if parameter.required or parameter.default in (None, "", []):
        return ""
    if isinstance(parameter.default, list):
        return ", ".join(_written(parameter, item) for item in parameter.default)
    return _written(parameter, parameter.default)


def _written(parameter: Parameter, value: Any) -> str:
    """A value as people write it."""
    match parameter.kind:
        case "boolean":
            return "yes" if value else "no"
        case "duration":
            return f"`{format_duration(timedelta(seconds=value))}`"
        case "datetime":
            return f"`{value[:16].replace('T', ' ')}`"
        case "user" | "channel":
            return (User if parameter.kind == "user" else Channel)(**value).mention
        case _:
            return f"`{value}`"
