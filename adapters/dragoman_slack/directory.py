"""Who and where is meant: look-ups of people and channels, with what is worth remembering between them.

============ =================================================================================================
asked for    calls
============ =================================================================================================
a person     ``users.info``; the user groups: see `dragoman_slack.groups`
a channel    ``conversations.info``
``#name``    ``conversations.list``, all pages, kept; read again after `FRESH` seconds, or `STALE` for a name
             that is not in it
``@PERSON``  ``conversations.open``, once for each person
============ =================================================================================================

For a whole organisation the names of all its workspaces' channels are one list: of two channels of the same name, the
one in the workspace that Slack names first is meant.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from dragoman import ChannelInfo, DeliveryError, Person

from .api import Api
from .groups import GROUPED, Groups
from .payload import PayloadError, mapping, optional, required
from .people import read_person, with_groups
from .teams import Teams

__all__ = ["GROUPED", "Directory"]

#: Seconds. What is unknown is asked for again sooner, since somebody may just have made it; not at once,
#: since ``conversations.list`` may be called 20 times a minute (https://docs.slack.dev/apis/web-api/rate-limits).
FRESH: Final = 600.0
STALE: Final = 30.0
#: The most that Slack gives in a page (https://docs.slack.dev/reference/methods/conversations.list).
PAGE: Final = 999
MOST_PAGES: Final = 200
MOST_DIRECT: Final = 10_000

#: Refusals that mean that there is no such person, or none that may be talked to.
#: https://docs.slack.dev/reference/methods/users.info#errors and conversations.open#errors
NOBODY: Final = frozenset({"user_not_found", "user_not_visible", "users_not_found"})
SILENT: Final = NOBODY | {"user_disabled", "cannot_dm_bot", "channel_not_found", "invalid_user_combination"}
#: https://docs.slack.dev/reference/methods/conversations.info#errors
NOWHERE: Final = frozenset({"channel_not_found", "not_in_channel"})


class Directory:
    """The look-ups of one account.

    Args:
        clock: seconds that never go back.

    Attributes:
        teams: the workspaces, if it is for a whole organisation.
        groups: the user groups.
    """

    def __init__(self, account: str, api: Api, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._listing = asyncio.Lock()
        self._channels: dict[str, str] = {}
        self._channels_at = -math.inf
        self.teams = Teams(api, clock)
        self.groups = Groups(account, api, self.teams, clock)
        self._direct: dict[str, str] = {}

    async def person(self, person: str, tenant: str) -> Person | None:
        """Somebody with all that Slack tells; `None` if there is no such.

        Raises:
            DeliveryError: Slack cannot be asked now, or the scope ``users:read`` is missing.
        """
        if not person:
            return None
        try:
            answer = await self._api.call("users.info", {"user": person, "include_locale": True})
        except DeliveryError as error:
            if error.code in NOBODY:
                return None
            raise
        try:
            found = read_person(mapping(answer, "user", ""), "user", tenant)
        except PayloadError as error:
            raise DeliveryError(f"users.info: {error}", code="bad_response") from None
        return await self.grouped(found)

    async def grouped(self, person: Person) -> Person:
        """The person with their user groups as roles; without, where Slack has none or does not tell us.

        Raises:
            DeliveryError: Slack cannot be asked now.
        """
        if not person.roles:
            return person  # nobody without a place here is in a group of ours
        return with_groups(person, await self.groups.of(person.id))

    async def channel(self, channel: str, tenant: str) -> ChannelInfo | None:
        """A channel by id, ``#name`` or ``@PERSON``; `None` if there is no such (that we can see).

        Raises:
            DeliveryError: Slack cannot be asked now, or a scope is missing.
        """
        if channel.startswith("#"):
            name = channel[1:].lower()
            id = await self._named(name)
        elif channel.startswith("@"):
            name, id = "", await self._opened(channel[1:])
        else:
            return await self._by_id(channel, tenant)
        return ChannelInfo(id=id, tenant=tenant, name=name) if id is not None else None

    async def _by_id(self, channel: str, tenant: str) -> ChannelInfo | None:
        if not channel:
            return None
        try:
            answer = await self._api.call("conversations.info", {"channel": channel})
        except DeliveryError as error:
            if error.code in NOWHERE:
                return None
            raise
        found = _checked(answer, "conversations.info")
        # A direct conversation has no name: https://docs.slack.dev/reference/objects/conversation-object
        return ChannelInfo(id=found["id"], tenant=tenant, name=found["name"])

    async def _named(self, name: str) -> str | None:
        if not name:
            return None
        async with self._listing:
            age = self._clock() - self._channels_at
            if age > FRESH or (age > STALE and name not in self._channels):
                self._channels = await self._list()
                self._channels_at = self._clock()
            return self._channels.get(name)

    async def _list(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for team in await self.teams.arguments():
            found = {**await self._list_of(team), **found}
        return found

    async def _list_of(self, team: Mapping[str, str]) -> dict[str, str]:
        arguments: dict[str, Any] = {
            "types": "public_channel,private_channel",
            "exclude_archived": True,
            "limit": PAGE,
            **team,
        }
        found: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            answer = await self._api.call("conversations.list", arguments)
            for each in answer.get("channels") or ():
                known = _checked({"channel": each}, "conversations.list")
                found[known["name"]] = known["id"]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
            arguments["cursor"] = cursor
        return found

    async def _opened(self, person: str) -> str | None:
        if not person or person in self._direct:
            return self._direct.get(person)
        try:
            answer = await self._api.call("conversations.open", {"users": person})
        except DeliveryError as error:
            if error.code in SILENT:
                return None
            raise
        id = _checked(answer, "conversations.open")["id"]
        if len(self._direct) < MOST_DIRECT:
            self._direct[person] = id
        return id


def _checked(answer: Mapping[str, Any], method: str) -> dict[str, str]:
    """Id and name of the conversation in an answer."""
    try:
        found = mapping(answer, "channel", "")
        return {"id": required(found, "id", "channel"), "name": optional(found, "name", "channel")}
    except PayloadError as error:
        raise DeliveryError(f"{method}: {error}", code="bad_response") from None
