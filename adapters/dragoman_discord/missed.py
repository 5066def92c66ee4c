"""What was said while no session was held: read from the channels' histories.

A session that is resumed repeats what was missed. When Discord says that it is over, it does not; but the channels
say what their last message is (``last_message_id``), and their histories have the rest
(https://docs.discord.com/developers/resources/message#get-channel-messages). Of direct messages those are read in
which somebody has talked since we came. Reactions, edits and deletions of that
time are not to be had.
"""

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
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
#: Pages read of one channel.
MOST_PAGES: Final = 10


class Missed:
    """Since when, for each guild whose channels are still to be asked about."""

    def __init__(self, account: str, api: Api, places: Places) -> None:
        self._account = account
        self._api = api
        self._places = places
        self._since: dict[str, str] = {}
        self._direct: OrderedDict[str, None] = OrderedDict()

    def talk(self, channel: str) -> None:
        """There are direct messages there."""
        self._direct[channel] = None
        self._direct.move_to_end(channel)
        if len(self._direct) > MOST_DIRECT:
            self._direct.popitem(last=False)

    def expect(self, ready: Mapping[str, Any], since: float) -> None:
        """A session has begun after a gap: these guilds will be told of (``d`` of ``READY``), direct messages not."""
        after = str(max(0, int((since - SLACK) * 1000) - EPOCH) << 22)
        guilds = ready.get("guilds")
        for guild in guilds if isinstance(guilds, list) else ():
            if isinstance(guild, Mapping) and isinstance(guild.get("id"), str):
                self._since.setdefault(guild["id"], after)
        self._since.setdefault(DIRECT, after)

    def owed(self, guild: object) -> str | None:
        """A guild has been told of: after which id its messages are missing, if they are."""
        return self._since.pop(guild, None) if isinstance(guild, str) else None

    async def payloads(self, guild: str, after: str) -> AsyncIterator[dict[str, Any]]:
        """What the gateway would have sent: ``MESSAGE_CREATE`` for each, the oldest of each channel first."""
        if guild == DIRECT:
            for channel in list(self._direct):
                async for message in self._messages(channel, after):
                    yield {"op": 0, "t": "MESSAGE_CREATE", "s": 0, "d": dict(message)}
            return
        for place in [place for place in self._places if place.guild == guild and place.writable]:
            if not place.last or int(place.last) <= int(after):
                continue
            async for message in self._messages(place.id, after):
                yield {"op": 0, "t": "MESSAGE_CREATE", "s": 0, "d": {**message, "guild_id": guild}}

    async def _messages(self, channel: str, after: str) -> AsyncIterator[Mapping[str, Any]]:
        for _ in range(MOST_PAGES):
            query = {"limit": PAGE, "after": after}
            call = Call("GET", "/channels/{channel_id}/messages", {"channel_id": channel}, query=query)
            try:
                page = await self._api.call(call)
            except DeliveryError as error:
                log.warning("%s: what was said in %s meanwhile cannot be read: %s", self._account, channel, error)
                return
            found = [each for each in page if isinstance(each, Mapping)] if isinstance(page, list) else []
            found = [each for each in found if isinstance(each.get("id"), str) and each["id"].isdecimal()]
            found.sort(key=lambda message: int(message["id"]))
            for message in found:
                yield message
            if len(found) < PAGE:
                return
            after = found[-1]["id"]
