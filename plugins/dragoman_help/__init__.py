"""Help: what you can ask of the bot, from the catalogue of all skills that are served now."""

from dragoman import CommandTrigger, Context, HandlerManifest, HearTrigger, Skill, usage

__all__ = ["skill"]

skill = Skill("help", summary="What I can do")


@skill.command(name="help")
def show(ctx: Context, command: str = "") -> str:
    """List what I can do, or explain one command."""
    found = [(manifest, handler) for manifest in ctx.catalogue() for handler in manifest.handlers]
    wanted = command.strip().casefold().lstrip("!/")
    if wanted:
        for _, handler in found:
            if wanted in _names(handler):
                return _explain(handler)
        skills = {manifest.name for manifest, _ in found}
        if wanted not in skills:
            return f"I know no command `{wanted[:40].replace('`', '')}`. `help` lists them."
        found = [(manifest, handler) for manifest, handler in found if manifest.name == wanted]
    lines: list[str] = []
    for manifest in dict.fromkeys(manifest for manifest, _ in found):
        shown = [line for handler in manifest.handlers if (line := _line(handler))]
        if shown:
            summary = f": {manifest.summary}" if manifest.summary else ""
            lines += [f"**{manifest.name}**{summary}", "", *shown, ""]
    return "\n".join(lines).strip() or "No skill is being served right now."


def _names(handler: HandlerManifest) -> tuple[str, ...]:
    return handler.trigger.names if isinstance(handler.trigger, CommandTrigger) else ()


def _line(handler: HandlerManifest) -> str:
    if isinstance(handler.trigger, CommandTrigger):
        what = f"`{usage(handler.trigger.names[0], handler.parameters)}`"
    elif isinstance(handler.trigger, HearTrigger) and handler.summary:
        what = "when I hear you"
    else:
        return ""
    return f"- {what}: {handler.summary}" if handler.summary else f"- {what}"


def _explain(handler: HandlerManifest) -> str:
    names = _names(handler)
    lines = [f"`{usage(names[0], handler.parameters)}`", "", handler.summary]
    if handler.description:
        lines += ["", handler.description]
    for parameter in handler.parameters:
        default = "" if parameter.required or parameter.default is None else f" (`{parameter.default}` if left out)"
        lines += ["", f"- `{parameter.name}`: {parameter.description or parameter.kind}{default}"]
    if len(names) > 1:
        lines += ["", "Also: " + ", ".join(f"`{name}`" for name in names[1:])]
    return "\n".join(lines)
