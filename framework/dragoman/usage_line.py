"""The usage line of a command: how it is typed, in one line."""

from collections.abc import Sequence

from .parameter import Parameter

__all__ = ["is_flag", "usage"]


def usage(command: str, parameters: Sequence[Parameter]) -> str:
    """The usage line, such as ``roll [dice] [times]``."""
    positional = [parameter for parameter in parameters if not parameter.flag_only]
    words = [command]
    # What takes the rest of the line comes last: that is where people expect it.
    for parameter in sorted(parameters, key=lambda p: p.rest or (p.many and p is positional[-1]) if positional else 0):
        word = "|".join(parameter.choices) or parameter.name
        if parameter.many:
            word += "..."
        if parameter.flag_only:
            word = f"--{parameter.name}" if is_flag(parameter) else f"--{parameter.name} {word}"
        words.append((f"<{word}>" if not parameter.flag_only else word) if parameter.required else f"[{word}]")
    return " ".join(words)


def is_flag(parameter: Parameter) -> bool:
    """Whether its option needs no value."""
    return parameter.kind == "boolean" and parameter.flag_only and not parameter.many
