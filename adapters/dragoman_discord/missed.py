"""What was said while no session was held: read from the channels' histories.

A session that is resumed repeats what was missed. When Discord says that it is over, it does not; but the channels
say what their last message is (``last_message_id``), and their histories have the rest
(https://docs.discord.com/developers/resources/message#get-channel-messages). Of direct messages those are read in
which somebody has talked since we came first. Reactions, edits and deletions of that time are not to be had.

What is older than the account's ``catch_up`` is not read: its answer would surprise more than it helps. What is said
there meanwhile waits until that has been read, so that the order is kept. What is still to be read is part of the state
that outlives the process, until all of it has been handed over.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from dragoman import DeliveryError

from .api import Api
from .normalise import DIRECT
from .places import Places
from .render import EPOCH, PAGE, Call

__all__ = ["Missed"]

log = logging.getLogger(__name__)

#: Seconds that clocks may differ.
SLACK: Final = 30.0
#: How many direct messages are remembered.
MOST_DIRECT: Final = 200


class Missed:
    """Since when, for each guild whose channels are still to be asked about.

    Args:
        longest: seconds: how old a message may be that is read; 0: none is.
    """

    def __init__(
        self, account: str, api: Api, places: Places, longest: float, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._account = account
        self._longest = longest
        self._clock = clock
        self._api = api
        self._places = places
        #: What is to be read, or being read; and what has to be read after that.
        self._since: dict[str, str] = {}
        self._next: dict[str, str] = {}
        self._reading: set[str] = set()
        #: Closed until what was missed there has been handed over, or cannot be had for now.
        self._gates: dict[str, asyncio.Event] = {}
        self._direct: OrderedDict[str, None] = OrderedDict()

    def talk(self, channel: str) -> None:
        """There are direct messages there."""
        self._direct[channel] = None
        self._direct.move_to_end(channel)
        if len(self._direct) > MOST_DIRECT:
            self._direct.popitem(last=False)

    @property
    def direct(self) -> tuple[str, ...]:
        """The direct messages in which somebody has talked, the latest last."""
        return tuple(self._direct)

    @property
    def unread(self) -> Mapping[str, str]:
        """What is still to be read: guilds (or ``@me``), and after which id."""
        return self._since

    def gate(self, guild: str) -> asyncio.Event | None:
        """What is said there now waits for this, if what was said before is still to be read."""
        return self._gates.get(guild)

    def expect(self, ready: Mapping[str, Any], since: float, *, direct: bool) -> None:
        """A session has begun after a gap: these guilds will be told of (``d`` of ``READY``).

        Args:
            direct: whether direct messages come on it, of which nothing is told.
        """
        after = _id_at(since - SLACK)
        guilds = ready.get("guilds")
        for guild in guilds if isinstance(guilds, list) else ():
            if isinstance(guild, Mapping) and isinstance(guild.get("id"), str):
                self.owe(guild["id"], after)
        if direct:
            self.owe(DIRECT, after)

    def owe(self, guild: str, after: str) -> None:
        """What was said there after that id is to be read."""
        if not self._longest:
            return
        (self._next if guild in self._reading else self._since).setdefault(guild, after)
        self._gates.setdefault(guild, asyncio.Event())

    def owed(self, guild: object) -> str | None:
        """A guild is known now: after which id its messages are missing, if they are and nobody reads them yet."""
        if not isinstance(guild, str) or guild in self._reading or guild not in self._since:
            return None
        self._reading.add(guild)
        self._gates.setdefault(guild, asyncio.Event())
        return self._since[guild]

    def read(self, guild: str, *, all: bool) -> str | None:
        """It has been read and handed over; after which id there is more to be read.

        Args:
            all: else it is still owed, and read at the next opportunity.
        """
        self._reading.discard(guild)
        later = self._next.pop(guild, None)
        if all:
            del self._since[guild]
            if later is not None:
                self._since[guild] = later
                return self.owed(guild)
        if (gate := self._gates.pop(guild, None)) is not None:
            gate.set()
        return None

    def stopped(self) -> None:
        """Nobody reads any more: what was being read is owed again."""
        self._reading.clear()
        self._gates = {guild: asyncio.Event() for guild in self._since}

    async def payloads(self, guild: str, after: str) -> AsyncIterator[dict[str, Any]]:
        """What the gateway would have sent: ``MESSAGE_CREATE`` for each, the oldest of each channel first.

        Raises:
            DeliveryError: at the end: there is a channel that could not be read now.
        """
        after = max(after, _id_at(self._clock() - self._longest), key=int)
        where = {"guild_id": guild}
        if guild == DIRECT:
            channels, where = list(self._direct), {}
        else:
            places = [place for place in self._places if place.guild == guild and place.writable]
            channels = [place.id for place in places if place.last and int(place.last) > int(after)]
        failed: DeliveryError | None = None
        for channel in channels:
            try:
                async for message in self._messages(channel, after):
                    yield {"op": 0, "t": "MESSAGE_CREATE", "s": None, "d": {**message, **where}}
            except DeliveryError as error:
                log.warning("%s: what was said in %s meanwhile cannot be read: %s", self._account, channel, error)
                failed = error if error.retry else failed
        if failed is not None:
            raise failed

    async def _messages(self, channel: str, after: str) -> AsyncIterator[Mapping[str, Any]]:
        while True:
            query = {"limit": PAGE, "after": after}
            call = Call("GET", "/channels/{channel_id}/messages", {"channel_id": channel}, query=query)
            page = await self._api.call(call)
            found = [each for each in page if isinstance(each, Mapping)] if isinstance(page, list) else []
            found = [each for each in found if isinstance(each.get("id"), str) and each["id"].isdecimal()]
            found.sort(key=lambda message: int(message["id"]))
            for message in found:
                yield message
            if len(found) < PAGE or int(found[-1]["id"]) <= int(after):
                return
            after = found[-1]["id"]


def _id_at(moment: float) -> str:
    """The lowest id that a message of that time can have: https://docs.discord.com/developers/reference#snowflakes"""
    return str(max(0, int(moment * 1000) - EPOCH) << 22)
