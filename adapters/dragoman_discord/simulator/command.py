"""Application commands: what an app says of them, and what people may put into their options.

https://docs.discord.com/developers/interactions/application-commands
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from .channel import Channel
from .guild import Role
from .message import Attachment
from .people import User
from .refused import Problems

__all__ = ["CHAT_INPUT", "Command", "check", "fill", "stored"]

CHAT_INPUT: Final = 1
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
#: https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-naming
_NAME: Final = re.compile(r"[-_'\w]{1,32}")
_BIGGEST: Final = 2**53
MOST_OPTIONS: Final = 25


@dataclass(slots=True, eq=False)
class Command:
    """One command of an app; ``guild_id`` is `None` for a global one. ``data`` is what the app said."""

    id: str
    application_id: str
    guild_id: str | None
    version: str
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """Without the slash."""
        return str(self.data["name"])

    @property
    def type(self) -> int:
        """1 for a slash command."""
        return int(self.data.get("type") or CHAT_INPUT)

    @property
    def in_direct(self) -> bool:
        """Whether it can be used in direct messages with the bot."""
        contexts = self.data.get("contexts")
        return self.data.get("dm_permission") is not False and (contexts is None or 1 in contexts)

    def payload(self, *, localized: bool = True) -> dict[str, Any]:
        """https://docs.discord.com/developers/interactions/application-commands#application-command-object"""
        data = self.data
        permissions = data.get("default_member_permissions")
        body: dict[str, Any] = {
            "id": self.id,
            "application_id": self.application_id,
            "version": self.version,
            "default_member_permissions": None if permissions is None else str(permissions),
            "type": self.type,
            "name": self.name,
            "description": data.get("description") or "",
            "integration_types": data.get("integration_types") or [0],
            "nsfw": bool(data.get("nsfw")),
        }
        if localized:
            body["name_localizations"] = data.get("name_localizations")
            body["description_localizations"] = data.get("description_localizations")
        if self.guild_id is not None:
            body["guild_id"] = self.guild_id
        else:
            body["dm_permission"] = data.get("dm_permission") is not False
            body["contexts"] = data.get("contexts")
        if data.get("options"):
            body["options"] = [_shown(option, localized) for option in data["options"]]
        return body


def _shown(option: dict[str, Any], localized: bool) -> dict[str, Any]:
    """As Discord gives an option back: what is off, empty or null is left out."""
    shown = {name: value for name, value in option.items() if value not in (None, False, []) or name == "value"}
    if not localized:
        shown = {name: value for name, value in shown.items() if not name.endswith("_localizations")}
    if "options" in shown:
        shown["options"] = [_shown(each, localized) for each in shown["options"]]
    if "choices" in shown:
        shown["choices"] = [{name: each[name] for name in each if each[name] is not None} for each in shown["choices"]]
    return shown


def stored(data: dict[str, Any]) -> dict[str, Any]:
    """What is kept of what an app said."""
    names = (
        "name",
        "name_localizations",
        "description",
        "description_localizations",
        "options",
        "default_member_permissions",
        "dm_permission",
        "contexts",
        "integration_types",
        "nsfw",
        "type",
    )
    return {name: data[name] for name in names if name in data}


# What an app may say


def check(problems: Problems, data: Any, path: str = "") -> None:
    """Whether Discord would take a command."""
    dot = f"{path}." if path else ""
    if not isinstance(data, dict):
        problems.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return
    kind = data.get("type") or CHAT_INPUT
    problems.choice(f"{dot}type", kind, (1, 2, 3, 4))
    _named(problems, dot, data, lower=kind == CHAT_INPUT)
    if kind != CHAT_INPUT:
        if data.get("description"):
            problems.add(
                f"{dot}description",
                "APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED",
                "Context menu commands cannot have description",
            )
        return
    problems.text(f"{dot}description", data.get("description"), 100, 1)
    _options(problems, f"{dot}options", data.get("options") or [], (SUBCOMMAND, GROUP))
    if _size(data) > 8000:
        problems.add(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def _named(problems: Problems, dot: str, data: dict[str, Any], *, lower: bool = True) -> None:
    name = problems.text(f"{dot}name", data.get("name"), 32, 1)
    good = not lower or (_NAME.fullmatch(unicodedata.normalize("NFC", name)) and name == name.lower())
    if name and len(name) <= 32 and not good:
        problems.add(f"{dot}name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _options(problems: Problems, path: str, options: Any, nested: tuple[int, ...]) -> None:
    if not isinstance(options, list):
        problems.add(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        return
    if len(options) > MOST_OPTIONS:
        problems.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {MOST_OPTIONS} in length.")
    seen: set[str] = set()
    optional = False
    for number, option in enumerate(options):
        dot = f"{path}.{number}."
        if not isinstance(option, dict):
            problems.add(f"{path}.{number}", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            continue
        kind = option.get("type")
        problems.choice(f"{dot}type", kind, tuple(range(1, 12)))
        _named(problems, dot, option)
        problems.text(f"{dot}description", option.get("description"), 100, 1)
        if option.get("name") in seen:
            problems.add(
                path, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", f"Option name {option['name']} already exists"
            )
        seen.add(str(option.get("name")))
        if kind in (SUBCOMMAND, GROUP):
            if kind not in nested:
                problems.add(f"{dot}type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command option invalid")
            _options(problems, f"{dot}options", option.get("options") or [], (SUBCOMMAND,) if kind == GROUP else ())
            continue
        if option.get("required") and optional:
            problems.add(
                path,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional = optional or not option.get("required")
        _range(problems, dot, option)
        _choices(problems, dot, option)


def _range(problems: Problems, dot: str, option: dict[str, Any]) -> None:
    kind = option.get("type")
    for name in ("min_value", "max_value"):
        value = option.get(name)
        if value is None:
            continue
        if kind not in (INTEGER, NUMBER) or isinstance(value, bool) or not isinstance(value, int | float):
            problems.add(f"{dot}{name}", "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif abs(value) > _BIGGEST:
            problems.add(f"{dot}{name}", "NUMBER_TYPE_MAX", f"{name} is too large.")
    for name, least in (("min_length", 0), ("max_length", 1)):
        value = option.get(name)
        if value is not None and (kind != STRING or not isinstance(value, int) or not least <= value <= 6000):
            problems.add(f"{dot}{name}", "NUMBER_TYPE_MAX", f"int value should be between {least} and 6000.")


def _choices(problems: Problems, dot: str, option: dict[str, Any]) -> None:
    choices = option.get("choices") or []
    if len(choices) > MOST_OPTIONS:
        problems.add(f"{dot}choices", "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {MOST_OPTIONS} in length.")
    if choices and option.get("autocomplete"):
        problems.add(
            f"{dot}choices",
            "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE",
            "Autocomplete options cannot have choices",
        )
    kinds: dict[Any, Any] = {STRING: str, INTEGER: int, NUMBER: (int, float)}
    for number, choice in enumerate(choices):
        problems.text(f"{dot}choices.{number}.name", choice.get("name"), 100, 1)
        if not isinstance(choice.get("value"), kinds.get(option.get("type"), ())):
            problems.add(
                f"{dot}choices.{number}.value", "STRING_TYPE_CONVERT", "Could not interpret as the option's type."
            )
        elif isinstance(choice["value"], str):
            problems.length(f"{dot}choices.{number}.value", choice["value"], 100, 1)


def _size(data: dict[str, Any]) -> int:
    """Characters of all names, descriptions and values."""
    own = len(str(data.get("name") or "")) + len(str(data.get("description") or ""))
    own += sum(len(str(choice.get("name"))) + len(str(choice.get("value"))) for choice in data.get("choices") or ())
    return own + sum(_size(option) for option in data.get("options") or () if isinstance(option, dict))


# What people may put in


def fill(options: list[dict[str, Any]], given: dict[str, Any], typing: str = "") -> list[dict[str, Any]]:
    """The options of an interaction, if Discord's client would let them be sent.

    Args:
        typing: the option that is being typed, for which completions are asked; others may still be missing.

    Raises:
        ValueError: it would not; says why.
    """
    known = {option["name"]: option for option in options}
    if unknown := given.keys() - known.keys():
        raise ValueError(f"there is no option {min(unknown)!r}; there are {', '.join(known) or 'none'}")
    if typing and not known.get(typing, {}).get("autocomplete"):
        raise ValueError(f"the option {typing!r} has no completions")
    missing = [name for name, option in known.items() if option.get("required") and given.get(name) is None]
    if missing and not typing:
        raise ValueError(f"the option {missing[0]!r} is required")
    filled = []
    for name, option in known.items():
        if name == typing:
            # As far as it was typed, whatever its type is.
            filled.append({"name": name, "type": option["type"], "value": given[name], "focused": True})
        elif given.get(name) is not None:
            filled.append({"name": name, "type": option["type"], "value": _value(option, given[name])})
    return filled


def _value(option: dict[str, Any], value: Any) -> Any:
    kind, name = option["type"], option["name"]
    classes: dict[int, Any] = {
        STRING: str,
        INTEGER: int,
        NUMBER: (int, float),
        BOOLEAN: bool,
        USER: User,
        CHANNEL: Channel,
        ROLE: Role,
        MENTIONABLE: (User, Role),
        ATTACHMENT: Attachment,
    }
    if not isinstance(value, classes[kind]) or (isinstance(value, bool) and kind != BOOLEAN):
        raise ValueError(f"the option {name!r} takes no {type(value).__name__}")
    if choices := option.get("choices"):
        # People choose by the name that they see; tests may say the value.
        by_name = {choice["name"]: choice["value"] for choice in choices}
        value = by_name.get(value, value) if isinstance(value, str) else value
        if value not in by_name.values():
            raise ValueError(f"the option {name!r} takes one of {', '.join(by_name)}")
    least, most = option.get("min_value"), option.get("max_value")
    if kind in (INTEGER, NUMBER) and ((least is not None and value < least) or (most is not None and value > most)):
        raise ValueError(f"the option {name!r} takes numbers from {least} to {most}")
    shortest, longest = option.get("min_length") or 0, option.get("max_length") or 6000
    if kind == STRING and not shortest <= len(value) <= longest:
        raise ValueError(f"the option {name!r} takes {shortest} to {longest} characters")
    return value.id if kind in (USER, CHANNEL, ROLE, MENTIONABLE, ATTACHMENT) else value
