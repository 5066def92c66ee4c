"""Who and where is meant: look-ups of people and channels.

============ ============================================================================================
asked for    calls
============ ============================================================================================
a person     ``GET /guilds/ID/members/ID``; ``GET /users/ID`` in direct messages, and for who is not in the guild
a channel    ``GET /channels/ID``, unless the gateway has told of it
``#name``    none, once the gateway has told of the guilds; else ``GET /guilds/ID/channels``
``@PERSON``  ``POST /users/@me/channels``, once for each person
============ ============================================================================================

The gateway tells of a guild when a session begins, and not when one is resumed: then it is asked for, with
``GET /guilds/ID``, ``GET /guilds/ID/channels`` and ``GET /guilds/ID/threads/active``.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from dragoman import ChannelInfo, DeliveryError, Person

from .api import Api
from .normalise import DIRECT
from .payload import PayloadError, snowflake
from .people import read_member, read_user
from .places import Place, Places
from .render import Call

__all__ = ["Directory"]

log = logging.getLogger(__name__)

MOST: Final = 10_000
#: Seconds after which a guild that could not be asked for is asked for again.
LATER: Final = 60.0

#: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
NO_GUILD: Final = frozenset({"10004", "50001"})
NOBODY: Final = frozenset({"10007", "10013", "50035"})
SILENT: Final = frozenset({"10013", "50007", "50033", "50035"})
NOWHERE: Final = frozenset({"10003", "50001", "50035"})


class Directory:
    """The look-ups of one account.

    Args:
        guild: where names are looked for first, if the guild is not said.
    """

    def __init__(self, account: str, api: Api, places: Places, guild: str | None) -> None:
        self._account = account
        self._api = api
        self._places = places
        self._guild = guild
        self._locales: OrderedDict[str, str] = OrderedDict()
        self._direct: OrderedDict[str, str] = OrderedDict()
        self._learning: dict[str, asyncio.Future[None]] = {}
        self._later: dict[str, float] = {}
        self._listed: set[str] = set()

    def speaks(self, person: Person) -> None:
        """Remember somebody's language, which Discord only tells with an interaction."""
        if person.locale:
            _keep(self._locales, person.id, person.locale)

    async def person(self, person: str, tenant: str) -> Person | None:
        """Somebody with all that Discord tells; `None` if there is no such.

        Raises:
            DeliveryError: Discord cannot be asked now.
        """
        if not person.isdecimal():
            return None
        locale = self._locales.get(person)
        try:
            if tenant.isdecimal() and await self._know(tenant):
                path = "/guilds/{guild_id}/members/{user_id}"
                found = await self._ask(Call("GET", path, {"guild_id": tenant, "user_id": person}), NOBODY)
                if found is not None:
                    return read_member(found, "member", self._places.guild(tenant), locale)
            found = await self._ask(Call("GET", "/users/{user_id}", {"user_id": person}), NOBODY)
            return read_user(found, "user").model_copy(update={"locale": locale}) if found is not None else None
        except PayloadError as error:
            raise DeliveryError(str(error), code="bad_response") from None

    async def channel(self, channel: str, tenant: str) -> ChannelInfo | None:
        """A channel by id, ``#name`` or ``@PERSON``; `None` if there is no such (that we can see).

        Raises:
            DeliveryError: Discord cannot be asked now, or several guilds have a channel of that name.
        """
        if channel.startswith("#"):
            return await self._named(channel[1:].lower(), tenant)
        if channel.startswith("@"):
            id = await self._opened(channel[1:])
            return ChannelInfo(id=id, tenant=DIRECT) if id is not None else None
        if not channel.isdecimal():
            return None
        place = await self.place(channel)
        if place is None:
            return None
        return ChannelInfo(id=place.id, tenant=place.guild or DIRECT, name=place.name if place.guild else "")

    async def place(self, channel: str) -> Place | None:
        """The channel or thread with that id. Raises as `channel` does."""
        known = self._places.get(channel)
        if known is not None:
            return known
        found = await self._ask(Call("GET", "/channels/{channel_id}", {"channel_id": channel}), NOWHERE)
        return self._places.add(found) if found is not None else None

    async def learn(self, guild: str) -> None:
        """See that all of a guild is known; if it cannot be asked for now, that is said in the log."""
        if guild in self._places.told or self._later.get(guild, 0.0) > time.monotonic():
            return
        if guild in self._learning:
            # What follows waits as well, so that it stays behind.
            await asyncio.shield(self._learning[guild])
            return
        ended = self._learning[guild] = asyncio.get_running_loop().create_future()
        ids = {"guild_id": guild}
        try:
            found = await self._api.call(Call("GET", "/guilds/{guild_id}", ids))
            channels = await self._api.call(Call("GET", "/guilds/{guild_id}/channels", ids))
            threads = await self._api.call(Call("GET", "/guilds/{guild_id}/threads/active", ids))
            active = threads.get("threads") if isinstance(threads, Mapping) else None
            if isinstance(found, Mapping):
                self._places.tell("GUILD_CREATE", {**found, "id": guild, "channels": channels, "threads": active})
        except DeliveryError as error:
            log.info("%s: the guild %s cannot be asked for: %s", self._account, guild, error)
            self._later[guild] = time.monotonic() + LATER
        finally:
            del self._learning[guild]
            ended.set_result(None)

    async def _named(self, name: str, tenant: str) -> ChannelInfo | None:
        if tenant == DIRECT or not name:
            return None
        guilds = [tenant] if tenant.isdecimal() else await self._guilds()
        found = [place for guild in guilds for place in await self._channels(guild) if place.name.lower() == name]
        if len({place.guild for place in found}) > 1:
            preferred = [place for place in found if place.guild == self._guild]
            if not preferred:
                raise DeliveryError(
                    f"account {self._account} has #{name} in several guilds: give the channel's id, or set guild",
                    code="ambiguous_channel",
                )
            found = preferred
        if not found:
            return None
        # Names are not unique in a guild either: the oldest has it.
        place = min(found, key=lambda place: int(place.id))
        return ChannelInfo(id=place.id, tenant=place.guild, name=place.name)

    async def _guilds(self) -> list[str]:
        if self._places.complete and self._places.guilds:
            return list(self._places.guilds)
        answer = await self._api.call(Call("GET", "/users/@me/guilds"))
        return [id for guild in _objects(answer) if (id := guild.get("id")) and isinstance(id, str)]

    async def _channels(self, guild: str) -> Iterable[Place]:
        if guild not in self._places.told and guild not in self._listed:
            call = Call("GET", "/guilds/{guild_id}/channels", {"guild_id": guild})
            for channel in _objects(await self._ask(call, NO_GUILD)):
                self._places.add(channel, guild)
            self._listed.add(guild)
        return [place for place in self._places if place.guild == guild and place.writable and not place.thread]

    async def _know(self, guild: str) -> bool:
        """Whether there is such a guild; then its roles are known."""
        if not self._places.guild(guild).roles:
            found = await self._ask(Call("GET", "/guilds/{guild_id}", {"guild_id": guild}), NO_GUILD)
            if found is None:
                return False
            self._places.tell("GUILD_UPDATE", found)
        return True

    async def _opened(self, person: str) -> str | None:
        if not person.isdecimal():
            return None
        if person not in self._direct:
            found = await self._ask(Call("POST", "/users/@me/channels", body={"recipient_id": person}), SILENT)
            if found is None:
                return None
            try:
                _keep(self._direct, person, snowflake(found, "id", "channel"))
            except PayloadError as error:
                raise DeliveryError(str(error), code="bad_response") from None
        return self._direct[person]

    async def _ask(self, call: Call, none: frozenset[str]) -> Any:
        """The answer; `None` for those refusals."""
        try:
            answer = await self._api.call(call)
        except DeliveryError as error:
            if error.code in none:
                return None
            raise
        if not isinstance(answer, Mapping | list):
            raise DeliveryError(f"{call.method} {call.path}: no object", code="bad_response", retry=True)
        return answer


def _objects(answer: object) -> list[Mapping[str, Any]]:
    return [each for each in answer if isinstance(each, Mapping)] if isinstance(answer, list) else []


def _keep(known: OrderedDict[str, str], key: str, value: str) -> None:
    known[key] = value
    known.move_to_end(key)
    if len(known) > MOST:
        known.popitem(last=False)
