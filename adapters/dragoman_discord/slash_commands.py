"""The skills' commands as Discord's slash commands. Pure.

An application command (https://docs.discord.com/developers/interactions/application-commands#application-command-object):
``{"name": "roll", "type": 1, "description": ..., "options": [...]}``. ``deploy start`` is the sub-command ``start`` of
``deploy``; with three words, the second one is a sub-command group. A command that has sub-commands cannot be used
by itself.

=================== ========================================================================
parameter           option
=================== ========================================================================
text                STRING
integer             INTEGER, with its bounds
number              NUMBER, with its bounds
boolean             BOOLEAN
choice              STRING with choices; a STRING alone, if there are more than 25
user, channel       USER, CHANNEL
date and time kinds STRING, read as what people type
a list              STRING, read as what people type
=================== ========================================================================
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from dragoman import HandlerManifest, Parameter, SkillManifest, wanted

__all__ = ["not_offered", "parameter_names", "slash_commands"]

#: https://docs.discord.com/developers/interactions/application-commands#registering-a-command
MOST_COMMANDS: Final = 100
#: Of options, sub-commands and choices alike.
MOST: Final = 25
LONGEST_NAME: Final = 32
LONGEST_DESCRIPTION: Final = 100
LONGEST_CHOICE: Final = 100
#: All names, descriptions and values of one command together.
LONGEST_COMMAND: Final = 4000
#: JSON's whole numbers (https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-type).
LARGEST: Final = 2**53 - 1

CHAT_INPUT: Final = 1
SUB_COMMAND, SUB_COMMAND_GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, NUMBER = 1, 2, 3, 4, 5, 6, 7, 10
TYPES: Final[Mapping[str, int]] = {
    "integer": INTEGER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "user": USER,
    "channel": CHANNEL,
}


class Named(NamedTuple):
    """A handler by one of its names."""

    words: tuple[str, ...]
    skill: SkillManifest
    handler: HandlerManifest


def slash_commands(manifests: Sequence[SkillManifest]) -> list[dict[str, Any]]:
    """What to offer, in order of the names; without what `not_offered` names."""
    offered, _ = _sorted_out(manifests)
    families: dict[str, list[Named]] = {}
    for named in offered:
        families.setdefault(named.words[0], []).append(named)
    return [_command(word, families[word]) for word in sorted(families)]


def not_offered(manifests: Sequence[SkillManifest]) -> dict[str, str]:
    """Commands that Discord cannot have as slash commands, and why. They can be said to the bot."""
    return _sorted_out(manifests)[1]


def parameter_names(manifests: Sequence[SkillManifest]) -> dict[tuple[str, str], str]:
    """What an option is called in the handler, by command and option, where that differs (in capitals)."""
    offered, _ = _sorted_out(manifests)
    return {
        (" ".join(named.words), _name(parameter)): parameter.name
        for named in offered
        for parameter in named.handler.parameters
        if _name(parameter) != parameter.name
    }


def _sorted_out(manifests: Sequence[SkillManifest]) -> tuple[list[Named], dict[str, str]]:
    """What can be offered, and what not and why. Names come before aliases: those may not push out a name."""
    handlers = [(skill, handler) for skill in manifests for handler in skill.commands()]
    wished = [Named(tuple(handler.names[0].split(" ")), skill, handler) for skill, handler in handlers]
    wished += [
        Named(tuple(alias.split(" ")), skill, handler) for skill, handler in handlers for alias in handler.names[1:]
    ]
    taken: dict[tuple[str, ...], Named] = {}
    children: dict[tuple[str, ...], set[str]] = {}
    refused: dict[str, str] = {}
    # The longer ones first among the names: whoever has sub-commands cannot be used alone.
    parents = {named.words[:depth] for named in wished for depth in range(1, len(named.words))}
    for named in wished:
        called = " ".join(named.words)
        if called in refused or named.words in taken:
            continue
        why = _problem(named, parents)
        places = [
            ((), MOST_COMMANDS, "commands"),
            *((named.words[:n], MOST, "sub-commands") for n in range(1, len(named.words))),
        ]
        for depth, (above, most, what) in enumerate(places):
            there = children.get(above, set())
            if not why and named.words[depth] not in there and len(there) >= most:
                why = f"Discord takes {most} {what}" + (f" of {' '.join(above)}" if above else "")
        if why:
            refused[called] = why
            continue
        taken[named.words] = named
        for depth in range(len(named.words)):
            children.setdefault(named.words[:depth], set()).add(named.words[depth])
    return list(taken.values()), refused


def _problem(named: Named, parents: set[tuple[str, ...]]) -> str:
    if named.words in parents:
        return "Discord has no command with sub-commands that can be used by itself"
    for word in named.words:
        if not _is_name(word):
            return f"Discord takes letters, digits, - and _ in a name, at most {LONGEST_NAME} of them"
    required = [parameter for parameter in named.handler.parameters if parameter.required]
    if len(required) > MOST:
        return f"Discord takes {MOST} options"
    if any(not _is_name(_name(parameter)) for parameter in required):
        return f"Discord takes no option of more than {LONGEST_NAME} characters"
    return ""


def _is_name(name: str) -> bool:
    """https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-naming"""
    # \\w is letters and digits, and marks of the scripts that Discord allows; others it would refuse.
    return (
        0 < len(name) <= LONGEST_NAME
        and name == name.lower()
        and all(char in "-_'" or char.isalpha() or char.isnumeric() or _indic(char) for char in name)
    )


def _indic(char: str) -> bool:
    """Devanagari and Thai, with their marks."""
    return "\u0900" <= char <= "\u097f" or "\u0e01" <= char <= "\u0e5b"


def _name(parameter: Parameter) -> str:
    return parameter.name.lower()


def _command(word: str, family: Sequence[Named]) -> dict[str, Any]:
    first = family[0]
    command: dict[str, Any] = {"name": word, "type": CHAT_INPUT}
    if first.words == (word,):
        command |= _used(first)
    else:
        command["description"] = _fit(first.skill.summary or f"{word} of the skill {first.skill.name}")
        command["options"] = [_branch(name, below) for name, below in _below(family, 1)]
    if _size(command) > LONGEST_COMMAND:
        _shorten(command)
    return command


def _below(family: Sequence[Named], depth: int) -> list[tuple[str, list[Named]]]:
    found: dict[str, list[Named]] = {}
    for named in family:
        found.setdefault(named.words[depth], []).append(named)
    return sorted(found.items())


def _branch(name: str, family: Sequence[Named]) -> dict[str, Any]:
    """A sub-command, or a group of them."""
    if len(family[0].words) == 2:
        return {"name": name, "type": SUB_COMMAND, **_used(family[0])}
    return {
        "name": name,
        "type": SUB_COMMAND_GROUP,
        "description": _fit(family[0].skill.summary or " ".join(family[0].words[:2])),
        "options": [{"name": sub, "type": SUB_COMMAND, **_used(below[0])} for sub, below in _below(family, 2)],
    }


def _used(named: Named) -> dict[str, Any]:
    """What can be used: its description and options."""
    said = named.handler.summary or named.skill.summary or f"The skill {named.skill.name}"
    ordered = sorted(named.handler.parameters, key=lambda parameter: not parameter.required)
    unique = {_name(parameter): parameter for parameter in reversed(ordered) if _is_name(_name(parameter))}
    options = [_option(parameter) for parameter in ordered if unique.get(_name(parameter)) is parameter]
    found: dict[str, Any] = {"description": _fit(said)}
    return {**found, "options": options[:MOST]} if options else found


def _option(parameter: Parameter) -> dict[str, Any]:
    type = STRING if parameter.many else TYPES.get(parameter.kind, STRING)
    option: dict[str, Any] = {
        "name": _name(parameter),
        "type": type,
        "description": _fit(parameter.description or _sentence(wanted(parameter))),
        "required": parameter.required,
    }
    if type in (INTEGER, NUMBER):
        option |= _bounds(parameter, type)
    if parameter.kind == "choice" and not parameter.many and (choices := _choices(parameter)):
        option["choices"] = choices
    return option


def _bounds(parameter: Parameter, type: int) -> dict[str, Any]:
    """Discord's bounds include themselves; the router has the last word on a number that must be above or below."""
    # A bound that is a whole number is written as one, as Discord gives it back.
    least = parameter.ge if parameter.ge is not None else parameter.gt
    most = parameter.le if parameter.le is not None else parameter.lt
    found: dict[str, Any] = {}
    for name, value in (("min_value", least), ("max_value", most)):
        if value is not None and abs(value) <= LARGEST:
            found[name] = int(value) if type == INTEGER or value == int(value) else value
    return found


def _choices(parameter: Parameter) -> list[dict[str, str]]:
    """None, if they do not fit: then it is typed."""
    labels = parameter.labels or parameter.choices
    fit = all(0 < len(text) <= LONGEST_CHOICE for text in (*parameter.choices, *labels))
    if len(parameter.choices) > MOST or not fit or len(set(labels)) < len(labels):
        return []
    return [{"name": label, "value": choice} for choice, label in zip(parameter.choices, labels, strict=False)]


def _sentence(text: str) -> str:
    return (text[:1].upper() + text[1:]).replace("`", "")


def _fit(text: str, limit: int = LONGEST_DESCRIPTION) -> str:
    line = " ".join(text.split()) or "…"
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def _size(command: Mapping[str, Any]) -> int:
    """https://docs.discord.com/developers/interactions/application-commands#slash-commands: what counts as long."""
    size = len(command["name"]) + len(command.get("description", ""))
    size += sum(len(choice["name"]) + len(str(choice["value"])) for choice in command.get("choices", ()))
    return size + sum(_size(option) for option in command.get("options", ()))


def _shorten(command: dict[str, Any]) -> None:
    """A command that is too long as a whole gets shorter descriptions."""
    for option in command.get("options", ()):
        option["description"] = _fit(option["description"], 30)
        _shorten(option)
