"""What was said while nobody was connected: read from the channels' histories.

Slack sends an event that was not acknowledged again at once, after one minute and after five, and then no more
(https://docs.slack.dev/apis/events-api/#retries). So at the start, after a gap between two connections, and after an
outage in which events could not be taken, the channels that the bot is in are asked what was said since then
(https://docs.slack.dev/reference/methods/conversations.history), and their threads
(https://docs.slack.dev/reference/methods/conversations.replies): those that hang on a message of the last hour before,
and those in which somebody has talked of late. What is read becomes the same events with the same keys as those of the
socket, so what had come already is not taken twice. Reactions, edits and deletions of that time are not to be had.

These methods take 50 calls a minute, in bursts more; of apps that are sold outside of Slack's Marketplace one a minute
and 15 messages each (https://docs.slack.dev/apis/web-api/rate-limits). So channels are read one after another, those
first in which somebody has talked of late.

The state ``missed`` is kept for the next process::

    {"seen": 1700000000.5, "threads": [["C1", "1699999000.000100"], ...], "channels": ["C1", ...]}

``seen`` is the time of the latest message that was taken; of the earliest that was not, if there is one.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from dragoman import AdapterServices, DeliveryError, EventBase, Message
from dragoman.adapting import delays

from .api import Api
from .identity import Identity
from .teams import Teams

__all__ = ["Missed"]

log = logging.getLogger(__name__)

#: Seconds between two savings, if something has changed.
INTERVAL: Final = 5.0
#: Seconds that messages may come out of order, and that clocks may differ.
SLACK: Final = 30.0
#: Seconds before, from which messages are looked at for threads that go on.
BEFORE: Final = 3600.0
#: At most so many objects in a page: https://docs.slack.dev/apis/web-api/pagination
PAGE: Final = 200
MOST_PAGES: Final = 10
#: How many threads and channels are remembered, the latest.
MOST: Final = 200
#: Calls that are made at once, and seconds between two of those that come after them: Tier 3 is 50 in a minute.
BURST: Final = 20
PACE: Final = 1.2
#: Slack's own notices that the bot came into a channel: what was said before that was not for it.
JOINED: Final = ("channel_join", "group_join")
TYPES: Final[Mapping[str, str]] = {"is_im": "im", "is_mpim": "mpim", "is_group": "group", "is_private": "group"}

#: Given a payload as the socket's; whether it was taken, or was none of ours.
Take = Callable[[Mapping[str, Any]], Awaitable[bool]]


class Missed:
    """What one account has seen, and reading what it has not.

    Args:
        longest: seconds: how old a message may be that is read; 0: none is.
    """

    def __init__(
        self,
        account: str,
        api: Api,
        teams: Teams,
        services: Callable[[], AdapterServices],
        longest: float,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._api = api
        self._teams = teams
        self._services = services
        self._longest = longest
        self._clock = clock
        self._seen = 0.0
        self._threads: dict[tuple[str, str], None] = {}
        self._channels: dict[str, None] = {}
        #: Since when something is to be read, and is being read.
        self._since: float | None = None
        self._reading: float | None = None
        self._saved: Mapping[str, Any] = {}
        self._wanted = asyncio.Event()
        self._calls = 0

    def taken(self, event: EventBase) -> None:
        """It is in the ledger."""
        if isinstance(event, Message):
            self._seen = max(self._seen, event.occurred)
            _remember(self._channels, event.address.channel)
            if event.address.thread:
                _remember(self._threads, (event.address.channel, event.address.thread))

    def refused(self, event: EventBase) -> None:
        """It could not be taken. Slack may send it again, or may not."""
        if isinstance(event, Message):
            self._owe(event.occurred)

    def gap(self) -> None:
        """Nothing came from Slack for a while: what was said since the latest message is to be read."""
        if self._seen:
            self._owe(self._seen)
            self._wanted.set()

    def _owe(self, since: float) -> None:
        if self._longest:
            self._since = since if self._since is None else min(self._since, since)

    async def keep(self, identity: Identity, take: Take) -> None:
        """Read what an earlier process has missed, and whatever is missed later; until cancelled."""
        if not self._longest:
            return
        await self._load()
        delay = delays()
        while True:
            # While the store is away nothing could be taken either.
            if await self.save() and self._since is not None:
                if await self._read(identity, take):
                    delay = delays()
                else:
                    await asyncio.sleep(delay())
                    continue
            self._wanted.clear()
            try:
                async with asyncio.timeout(INTERVAL):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def save(self) -> bool:
        """Save what has changed; whether the store could."""
        if not self._longest:
            return True
        since = min([each for each in (self._seen, self._since, self._reading) if each], default=0.0)
        state = {"seen": since, "threads": [list(each) for each in self._threads], "channels": list(self._channels)}
        # If something is to be read, the store is asked in any case: whether it is back.
        if self._since is None and (state == self._saved or not since):
            return True
        try:
            await self._services().save_state("missed", state)
        except Exception as error:  # whatever the store raises
            log.debug("%s: what has been seen cannot be saved (%s)", self._account, type(error).__name__)
            return False
        self._saved = state
        return True

    async def _load(self) -> None:
        delay = delays()
        while True:
            try:
                state = await self._services().load_state("missed") or {}
                break
            except Exception as error:  # whatever the store raises
                log.warning("%s: what has been seen cannot be read (%s)", self._account, type(error).__name__)
                await asyncio.sleep(delay())
        seen, threads, channels = (state.get(name) for name in ("seen", "threads", "channels"))
        for each in threads if isinstance(threads, list) else ():
            if isinstance(each, list) and len(each) == 2 and all(isinstance(part, str) for part in each):
                self._threads.setdefault((each[0], each[1]))
        for channel in channels if isinstance(channels, list) else ():
            if isinstance(channel, str):
                self._channels.setdefault(channel)
        if isinstance(seen, int | float) and seen > 0:
            self._seen = max(self._seen, float(seen))
            self._owe(float(seen))

    async def _read(self, identity: Identity, take: Take) -> bool:
        """Read and hand over; False: not all of it could be, now."""
        assert self._since is not None
        owed = self._reading = self._since
        self._since = None
        since = max(owed - SLACK, self._clock() - self._longest)
        self._calls = 0
        found, all = 0, True
        try:
            async for channel in self._places():
                for message in await self._messages(channel, since, identity):
                    found += 1
                    all &= await take(_payload(message, channel, identity))
        except DeliveryError as error:
            if not error.retry:
                log.error("%s: what was missed cannot be read: %s", self._account, error)
                self._reading = None
                return True
            log.warning("%s: what was missed cannot be read now: %s", self._account, error)
            all = False
        self._reading = None
        if not all:
            self._owe(owed)
        elif found:
            log.info("%s: %d messages were read that were said since the last one that came", self._account, found)
        return all

    async def _places(self) -> AsyncIterator[Mapping[str, Any]]:
        """The channels that the bot is in, those first in which somebody has talked of late."""
        found: dict[str, Mapping[str, Any]] = {}
        for team in await self._teams.arguments():
            given = {"types": "public_channel,private_channel,mpim,im", "exclude_archived": True, **team}
            async for page in self._pages("users.conversations", given):
                found.update({each["id"]: each for each in _objects(page.get("channels"), "id")})
        for id in reversed([*(id for id in reversed(found) if id not in self._channels), *self._channels]):
            if id in found:
                yield found[id]

    async def _messages(
        self, channel: Mapping[str, Any], since: float, identity: Identity
    ) -> Sequence[Mapping[str, Any]]:
        """What was said there since, threads too, the oldest first; nothing if it cannot be read for good."""
        id = channel["id"]
        found: dict[str, Mapping[str, Any]] = {}
        threads = {thread for place, thread in self._threads if place == id}
        joined = 0.0
        try:
            given = {"channel": id, "oldest": f"{since - BEFORE:.6f}"}
            async for page in self._pages("conversations.history", given):
                for message in _objects(page.get("messages"), "ts"):
                    found[message["ts"]] = message
                    if _time(message.get("latest_reply")) > since:
                        threads.add(message["ts"])
                    if message.get("subtype") in JOINED and message.get("user") == identity.bot_user_id:
                        joined = max(joined, _time(message["ts"]))
            for thread in sorted(threads):
                given = {"channel": id, "ts": thread, "oldest": f"{since:.6f}"}
                try:
                    async for page in self._pages("conversations.replies", given):
                        found.update({message["ts"]: message for message in _objects(page.get("messages"), "ts")})
                except DeliveryError as error:
                    if error.retry or error.code != "thread_not_found":
                        raise
                    self._threads.pop((id, thread), None)
        except DeliveryError as error:
            if error.retry:
                raise
            log.warning("%s: what was missed in %s cannot be read: %s", self._account, id, error)
        since = max(since, joined)
        return [found[ts] for ts in sorted(found, key=_time) if _time(ts) > since]

    async def _pages(self, method: str, given: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
        cursor = ""
        for _ in range(MOST_PAGES):
            self._calls += 1
            if self._calls > BURST:
                await asyncio.sleep(PACE)
            page = await self._api.call(method, {**given, "limit": PAGE, **({"cursor": cursor} if cursor else {})})
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return
        log.warning("%s: more than %d pages of %s: the rest is not read", self._account, MOST_PAGES, method)


def _payload(message: Mapping[str, Any], channel: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
    """What the socket would have brought: see `dragoman_slack.normalise`."""
    kind = next((kind for name, kind in TYPES.items() if channel.get(name) is True), "channel")
    event = {**message, "type": "message", "channel": channel["id"], "channel_type": kind}
    installed = {"team_id": identity.tenant, "is_enterprise_install": False}
    if identity.organisation:
        installed = {"enterprise_id": identity.tenant, "is_enterprise_install": True}
    return {
        "type": "event_callback",
        "team_id": identity.tenant,
        "event": {**event, "event_ts": message["ts"]},
        "authorizations": [installed],
    }


def _remember(known: dict[Any, None], what: Any) -> None:
    """The latest is last."""
    known.pop(what, None)
    known[what] = None
    while len(known) > MOST:
        del known[next(iter(known))]


def _objects(value: Any, key: str) -> list[Mapping[str, Any]]:
    """Those objects in a list that have that key."""
    found = value if isinstance(value, list) else []
    return [each for each in found if isinstance(each, Mapping) and isinstance(each.get(key), str)]


def _time(ts: Any) -> float:
    try:
        return float(ts)
    except (TypeError, ValueError):
        return 0.0
