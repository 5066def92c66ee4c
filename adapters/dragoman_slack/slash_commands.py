"""The skills' commands as Slack's slash commands, for the app manifest. Pure.

``features.slash_commands`` (https://docs.slack.dev/reference/app-manifest#features): ``{"command": "/roll",
"description": ..., "usage_hint": ..., "should_escape": true}``. Slack has no sub-commands: those that begin
with the same word share one slash command, and the bot reads on in the text.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from dragoman import HandlerManifest, SkillManifest, usage

__all__ = ["BUILT_IN", "not_offered", "slash_commands"]

#: https://docs.slack.dev/reference/app-manifest#features: how much Slack takes, in characters; and how many.
LONGEST_COMMAND: Final = 32
LONGEST_DESCRIPTION: Final = 2000
LONGEST_HINT: Final = 1000
MOST_COMMANDS: Final = 50

#: Slack's own, which no app can have: https://slack.com/help/articles/201259356-Use-built-in-slash-commands.
#: Rather one too many than one too few: Slack refuses a whole manifest for one of them.
BUILT_IN: Final = frozenset(
    {
        *("active", "apps", "archive", "away", "call", "close", "collapse", "dm", "dnd", "expand", "feed", "feedback"),
        *("huddle", "invite", "invite_people", "join", "kick", "leave", "me", "msg", "mute", "open", "part", "prefs"),
        *("pro", "remind", "remove", "rename", "s", "search", "shortcuts", "shrug", "star", "status", "topic", "who"),
    }
)

#: The slash before it counts towards the longest.
WORD: Final = re.compile(rf"[a-z0-9_-]{{1,{LONGEST_COMMAND - 1}}}")

Named = tuple[str, SkillManifest, HandlerManifest]


def slash_commands(manifests: Sequence[SkillManifest]) -> list[dict[str, Any]]:
    """What to offer, in order of the names; without what `not_offered` names."""
    families = _families(manifests)
    left_out = not_offered(manifests)
    return [_command(word, family) for word, family in sorted(families.items()) if word not in left_out]


def not_offered(manifests: Sequence[SkillManifest]) -> dict[str, str]:
    """First words of commands that Slack cannot have as slash commands, and why. They can be said to the bot."""
    found: dict[str, str] = {}
    offered = 0
    for word in _families(manifests):
        if word in BUILT_IN:
            found[word] = "Slack has its own"
        elif not WORD.fullmatch(word):
            found[word] = f"Slack takes a-z, 0-9, - and _, at most {LONGEST_COMMAND - 1} of them"
        elif offered == MOST_COMMANDS:
            found[word] = f"Slack takes {MOST_COMMANDS} commands"
        else:
            offered += 1
    return found


def _families(manifests: Sequence[SkillManifest]) -> dict[str, list[Named]]:
    """By first word, everything that begins with it. Aliases come last: they may not push out a name."""
    handlers = [(skill, handler) for skill in manifests for handler in skill.commands()]
    named: list[Named] = [(handler.names[0], skill, handler) for skill, handler in handlers]
    named += [(alias, skill, handler) for skill, handler in handlers for alias in handler.names[1:]]
    found: dict[str, list[Named]] = {}
    for name, skill, handler in named:
        found.setdefault(name.split(" ", 1)[0], []).append((name, skill, handler))
    return found


def _command(word: str, family: Sequence[Named]) -> dict[str, Any]:
    name, skill, handler = family[0]
    alone = len({id(handler) for _, _, handler in family}) == 1 and name == word
    said = (handler.summary or skill.summary) if alone else (skill.summary or handler.summary)
    hints = dict.fromkeys(usage(name, handler.parameters).removeprefix(word).strip() for name, _, handler in family)
    found = {
        "command": f"/{word}",
        "description": _fit(said or f"The skill {skill.name}", LONGEST_DESCRIPTION),
        "should_escape": True,
    }
    if hint := _fit(" | ".join(filter(None, hints)), LONGEST_HINT):
        found["usage_hint"] = hint
    return found


def _fit(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"
