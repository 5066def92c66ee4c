"""The place in each gateway session, kept so that the next process goes on where this one stopped.

For each shard there is a state, ``session/SHARD/COUNT``::

    {"application": "11", "intents": 46595, "session": "...", "sequence": 1337, "resume_url": "wss://...",
     "heard": 1700000000.0, "owed": {"GUILD": "AFTER"}, "direct": ["CHANNEL"], "waiting": ["KEY"]}

``sequence`` only counts what has been handed over, and whoever resumes from there is told the rest again
(https://docs.discord.com/developers/events/gateway#resuming): some things come twice, and their events have the same
keys then. If Discord says that the session is over, the histories are read from ``heard`` on. Slash commands that
wait for their first answer are in the same state, so that each is either told again or among them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from dragoman import AdapterServices
from dragoman.adapting import delays

from .client import Shard
from .interactions import Interactions
from .missed import Missed
from .progress import Progress

__all__ = ["INTERVAL", "Sessions"]

log = logging.getLogger(__name__)

#: Seconds between two savings, if something has changed.
INTERVAL: Final = 1.0


class Sessions:
    """The states of one account's shards.

    Args:
        services: what keeps them.
        application: whose sessions they are: those of another one are not resumed.
        intents: what is asked to be sent: a session keeps those that it began with.
    """

    def __init__(
        self,
        account: str,
        services: Callable[[], AdapterServices],
        shards: Sequence[Shard],
        missed: Missed,
        interactions: Interactions,
        *,
        application: str,
        intents: int,
    ) -> None:
        self._account = account
        self._services = services
        self._shards = shards
        self._missed = missed
        self._interactions = interactions
        self._application = application
        self._intents = intents
        self._saved: dict[int, Mapping[str, Any]] = {}
        self._failing = False
        self._begun = asyncio.Event()

    async def load(self) -> None:
        """Go on where the last process stopped; however often it takes to find out where that was.

        Without the store nothing can be handed over either, so there is no use in connecting before.
        """
        for shard in self._shards:
            state = await self._load(_name(shard))
            if state.get("application") == self._application:
                await self._take(shard, state)
            elif state:
                log.info("%s: the session of shard %d was another application's", self._account, shard.id)

    async def keep(self) -> None:
        """Save what has changed, about once in a second, and at once when a session has begun; until cancelled."""
        while True:
            await self.save()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._begun.wait()
            self._begun.clear()

    def begun(self) -> None:
        """A session has begun: a process that dies in its first second must not take it along."""
        self._begun.set()

    async def save(self) -> None:
        """Save what has changed. While that fails, it is said once."""
        if await self._save():
            await self._interactions.keep_rest()

    async def _save(self) -> bool:
        for shard in self._shards:
            state = self.state(shard)
            if state == self._saved.get(shard.id):
                continue
            try:
                await self._services().save_state(_name(shard), state)
            except Exception as error:  # whatever the store raises
                if not self._failing:
                    log.warning(
                        "%s: the place in the session cannot be saved (%s); it is tried again",
                        self._account,
                        type(error).__name__,
                    )
                self._failing = True
                return False
            self._saved[shard.id] = state
            self._failing = False
        return True

    def state(self, shard: Shard) -> dict[str, Any]:
        """What is to be kept of a shard now."""
        return {
            "application": self._application,
            "intents": self._intents,
            "session": shard.session,
            "sequence": shard.progress.reached,
            "resume_url": shard.resume_url,
            "heard": shard.complete,
            "owed": {guild: after for guild, after in self._missed.unread.items() if shard.holds(guild)},
            "direct": list(self._missed.direct) if shard.id == 0 else [],
            "waiting": [key for key in self._interactions.waiting if shard.holds(_tenant(key))],
        }

    async def _load(self, name: str) -> Mapping[str, Any]:
        delay = delays()
        while True:
            try:
                return await self._services().load_state(name) or {}
            except Exception as error:  # whatever the store raises
                if not self._failing:
                    log.warning(
                        "%s: the place in the session cannot be read (%s); it is tried again",
                        self._account,
                        type(error).__name__,
                    )
                self._failing = True
                await asyncio.sleep(delay())

    async def _take(self, shard: Shard, state: Mapping[str, Any]) -> None:
        self._failing = False
        session, sequence, heard = state.get("session"), state.get("sequence"), state.get("heard")
        shard.heard = float(heard) if isinstance(heard, int | float) else 0.0
        owed = state.get("owed")
        for guild, after in owed.items() if isinstance(owed, Mapping) else ():
            if str(after).isdecimal():
                self._missed.owe(str(guild), str(after))
        for channel in _texts(state.get("direct")):
            self._missed.talk(channel)
        for key in _texts(state.get("waiting")):
            await self._interactions.expect(key)
        same = state.get("intents") == self._intents
        if same and isinstance(session, str) and session and isinstance(sequence, int) and sequence > 0:
            shard.session, shard.sequence = session, sequence
            shard.resume_url = str(state.get("resume_url") or "")
            shard.progress = Progress(sequence)
        elif shard.heard:
            shard.missed = shard.heard


def _name(shard: Shard) -> str:
    return f"session/{shard.id}/{shard.count}"


def _tenant(key: str) -> str:
    """Where an event with that key happened: see `dragoman_discord.normalise`."""
    parts = key.split("/")
    return parts[3] if len(parts) > 3 else ""


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
