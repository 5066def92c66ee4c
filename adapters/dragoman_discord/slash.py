"""Slash commands that somebody used, as Dragoman's. Pure.

An interaction of type 2 (https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object)
has ``data``: ``{"name": "deploy", "type": 1, "options": [...], "resolved": {...}}``. An option is a value,
``{"name": "times", "type": 4, "value": 3}``, or, for a sub-command or a group of them, has options of its own.

What was chosen becomes text, as it would be typed: people and channels are mentions with their names, ``<@1|ann>``.
"""

from collections.abc import Mapping
from typing import Any, Final

from dragoman import Person

from .payload import PayloadError, items, mapping, optional, required, snowflake
from .people import called, read_user

__all__ = ["CHAT_INPUT", "COMMAND", "Used", "read_used", "user_of"]

#: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-interaction-type
COMMAND: Final = 2
#: https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-types
CHAT_INPUT: Final = 1
#: https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-type
SUB_COMMAND, SUB_COMMAND_GROUP, USER, CHANNEL, ROLE, MENTIONABLE = 1, 2, 6, 7, 8, 9

#: The name with its sub-commands, and the texts of the options by their names.
Used = tuple[str, dict[str, str]]


def user_of(interaction: Mapping[str, Any]) -> Person:
    """Who used it: a member in a guild, a user elsewhere; with their language.

    Raises:
        PayloadError: it does not say.
    """
    locale = optional(interaction, "locale", "d") or None
    member = interaction.get("member")
    if isinstance(member, Mapping):
        person = read_user(mapping(member, "user", "d.member"), "d.member.user", member)
    else:
        person = read_user(mapping(interaction, "user", "d"), "d.user")
    return person.model_copy(update={"locale": locale})


def read_used(data: Mapping[str, Any]) -> Used:
    """What was used, and how.

    Raises:
        PayloadError: a field that Discord documents is missing or of the wrong type.
    """
    words = [required(data, "name", "d.data").lower()]
    options = items(data, "options", "d.data")
    while len(options) == 1 and options[0].get("type") in (SUB_COMMAND, SUB_COMMAND_GROUP):
        words.append(required(options[0], "name", "d.data.options").lower())
        if len(words) > 3:
            raise PayloadError("d.data.options", "must not be more than three deep")
        options = items(options[0], "options", "d.data.options")
    resolved = data.get("resolved")
    known: Mapping[str, Any] = resolved if isinstance(resolved, Mapping) else {}
    texts = {required(option, "name", "d.data.options"): _text(option, known) for option in options}
    return " ".join(words), texts


def _text(option: Mapping[str, Any], resolved: Mapping[str, Any]) -> str:
    value = option.get("value")
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            # JSON has one kind of number: 3 may come as 3.0.
            return str(int(value)) if value.is_integer() else repr(value)
        case str():
            pass
        case _:
            raise PayloadError("d.data.options.value", "must be a text, a number or true or false")
    type = option.get("type")
    if type not in (USER, CHANNEL, ROLE, MENTIONABLE):
        return optional(option, "value", "d.data.options")
    id = snowflake(option, "value", "d.data.options")
    if type == CHANNEL:
        return f"<#{id}{_name(optional(_one(resolved, 'channels', id), 'name', 'd.data.resolved'))}>"
    if type == ROLE or (type == MENTIONABLE and _one(resolved, "roles", id)):
        return f"<@&{id}>"
    return f"<@{id}{_name(called(_one(resolved, 'users', id), 'd.data.resolved', _one(resolved, 'members', id)))}>"


def _one(resolved: Mapping[str, Any], kind: str, id: str) -> Mapping[str, Any]:
    found = resolved.get(kind)
    one = found.get(id) if isinstance(found, Mapping) else None
    return one if isinstance(one, Mapping) else {}


def _name(name: str) -> str:
    name = " ".join("".join(char for char in name if char not in "<>|").split())
    return f"|{name[:100]}" if name else ""
