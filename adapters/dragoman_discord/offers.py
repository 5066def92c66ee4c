"""The skills' commands on offer as slash commands, and what of them is called otherwise on Discord."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from dragoman import DeliveryError, SkillManifest
from dragoman.adapting import delays

from .identity import Identity
from .slash_commands import not_offered, parameter_names, slash_commands
from .sync import Sync

__all__ = ["Offers"]

log = logging.getLogger(__name__)


class Offers:
    """What one account offers.

    Args:
        who: tells who we are; raises `DeliveryError`.
        wished: whether there shall be slash commands at all.
    """

    def __init__(self, account: str, sync: Sync, who: Callable[[], Awaitable[Identity]], wished: bool) -> None:
        self._account = account
        self._sync = sync
        self._who = who
        self._wished = wished
        self._commands: list[dict[str, Any]] | None = None
        self._parameters: Mapping[tuple[str, str], str] = {}

    def want(self, manifests: Sequence[SkillManifest]) -> None:
        """From now on these."""
        self._commands = slash_commands(manifests)
        self._parameters = parameter_names(manifests)
        for command, why in not_offered(manifests).items():
            log.info("%s: not a slash command: %s (%s); say it to the bot instead", self._account, command, why)

    def parameter(self, command: str, option: str) -> str:
        """What the handler calls an option of a command."""
        return self._parameters.get((command, option), option)

    async def make(self) -> bool:
        """Make it so; False if it can be tried again. What Discord refuses is said in the log."""
        if self._commands is None or not self._wished:
            return True
        try:
            await self._sync.make((await self._who()).application_id, self._commands)
        except DeliveryError as error:
            log.warning("%s: the slash commands could not be offered: %s", self._account, error)
            return not error.retry
        return True

    async def keep(self) -> None:
        """Make it so, however often it takes."""
        delay = delays(5.0)
        while True:
            if await self.make():
                return
            await asyncio.sleep(delay())
