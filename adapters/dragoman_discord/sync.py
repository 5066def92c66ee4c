"""Slash commands as Discord has them, made to be as they should.

Discord is asked what it has; only if that differs it is told, in one call, what there shall be
(https://docs.discord.com/developers/interactions/application-commands#bulk-overwrite-global-application-commands).
What is no slash command, such as a context menu's, stays as it is.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from dragoman import DeliveryError

from .render import Call
from .slash_commands import CHAT_INPUT

__all__ = ["Sync", "same"]

log = logging.getLogger(__name__)

#: What a command or option says where it says nothing.
DEFAULTS: Final[Mapping[str, Any]] = {"type": CHAT_INPUT, "required": False, "options": [], "choices": []}
#: What we say of them, and so what is compared.
COMPARED: Final = ("name", "type", "description", "required", "min_value", "max_value", "choices", "options")
#: What a command that is not ours is given back with.
KEPT: Final = (
    *("id", "name", "name_localizations", "description", "description_localizations", "options", "type", "handler"),
    *("default_member_permissions", "dm_permission", "contexts", "integration_types", "nsfw"),
)


class Sync:
    """The slash commands of one application, everywhere or in one guild.

    Args:
        call: makes a call of the REST API; raises `DeliveryError`.
        guild: the guild's id; ``None`` for everywhere.
    """

    def __init__(self, account: str, call: Callable[[Call], Awaitable[Any]], guild: str | None) -> None:
        self._account = account
        self._call = call
        self._guild = guild
        self._lock = asyncio.Lock()
        self._last: list[dict[str, Any]] | None = None

    async def make(self, application: str, commands: Sequence[dict[str, Any]]) -> bool:
        """Make them so; whether Discord had to be told.

        Raises:
            DeliveryError: Discord cannot be asked, or refuses.
        """
        async with self._lock:
            wanted = list(commands)
            if wanted == self._last:
                return False
            path, ids = "/applications/{application_id}/commands", {"application_id": application}
            if self._guild is not None:
                path, ids = (
                    "/applications/{application_id}/guilds/{guild_id}/commands",
                    {**ids, "guild_id": self._guild},
                )
            found = await self._call(Call("GET", path, ids, query={"with_localizations": "true"}))
            if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
                raise DeliveryError(f"GET {path}: Discord gave no list", code="bad_response", retry=True)
            theirs = [each for each in found if each.get("type", CHAT_INPUT) != CHAT_INPUT]
            ours = [each for each in found if each.get("type", CHAT_INPUT) == CHAT_INPUT]
            changed = not same(ours, wanted)
            if changed:
                kept = [{name: each[name] for name in KEPT if each.get(name) is not None} for each in theirs]
                await self._call(Call("PUT", path, ids, [*kept, *wanted]))
                log.info("%s: Discord has %d slash commands now", self._account, len(wanted))
            self._last = wanted
            return changed


def same(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are the same commands, in whatever order."""
    return _ordered(one) == _ordered(other)


def _ordered(commands: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted((_plain(command) for command in commands), key=lambda command: str(command.get("name")))


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not compared, and without what is as if it were not said."""
    found: dict[str, Any] = {}
    for name in COMPARED:
        value = item.get(name)
        if value is None or value == DEFAULTS.get(name):
            continue
        if name == "options":
            value = [_plain(option) for option in value]
        elif name == "choices":
            value = [{"name": choice.get("name"), "value": choice.get("value")} for choice in value]
        found[name] = value
    return found
