"""What the gateway sends, on its way to the inbox: noted, completed, normalised."""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from dragoman import Deleted, DeliveryError, EventBase, SlashCommand

from .client import Shard
from .directory import Directory
from .identity import Identity
from .inbox import Inbox
from .interactions import Interactions
from .missed import Missed
from .normalise import DIRECT, READERS, normalise
from .offers import Offers
from .payload import PayloadError
from .places import Places
from .posted import Posted
from .progress import Progress

__all__ = ["Intake"]

log = logging.getLogger(__name__)

Work = Coroutine[Any, Any, None]


class Intake:
    """The dispatches of one account, for as long as it runs."""

    def __init__(
        self,
        account: str,
        identity: Identity,
        places: Places,
        directory: Directory,
        posted: Posted,
        interactions: Interactions,
        offers: Offers,
        inbox: Inbox,
    ) -> None:
        self._account = account
        self._identity = identity
        self._places = places
        self._directory = directory
        self._posted = posted
        self._interactions = interactions
        self._offers = offers
        self._inbox = inbox
        #: By channel; one that nobody waits in is gone.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def take(self, shard: Shard, payload: Mapping[str, Any], missed: Missed) -> Iterator[Work]:
        """Note what a dispatch tells; what is to be done about it, each in a task of its own, started in order."""
        kind, data, number = payload.get("t"), payload.get("d"), payload.get("s")
        if kind == "RESUMED":
            # It is documented without data: https://docs.discord.com/developers/events/gateway-events#resumed
            data = {}
        if not isinstance(kind, str) or not isinstance(data, Mapping):
            log.warning("%s: ignored: a dispatch without a type or data", self._account)
            return
        progress = shard.progress
        progress.begin(number, time.time())
        read = kind in READERS
        self._places.tell(kind, data)
        match kind:
            case "READY":
                shard.ready = bool(shard.session)
                if shard.missed is not None:
                    # Direct messages come on the first shard: https://docs.discord.com/developers/events/gateway#sharding
                    missed.expect(data, shard.missed, direct=shard.id == 0)
                    shard.missed = None
                    if shard.id == 0 and (after := missed.owed(DIRECT)) is not None:
                        yield self._catch_up(DIRECT, after, missed)
            case "RESUMED":
                shard.ready = True
                # Nobody will tell of these guilds: what another process left to be read is asked for.
                for guild in [guild for guild in missed.unread if shard.holds(guild)]:
                    if (after := missed.owed(guild)) is not None:
                        yield self._catch_up(guild, after, missed)
            case "GUILD_CREATE":
                if (after := missed.owed(data.get("id"))) is not None:
                    yield self._catch_up(str(data["id"]), after, missed)
            case "MESSAGE_CREATE" if self._ours(data):
                self._posted.add(_text(data.get("id")), _text(data.get("nonce")))
                read = False
            case "MESSAGE_CREATE" if not data.get("guild_id"):
                missed.talk(_text(data.get("channel_id")))
        if read:
            # A command cannot wait, and comes in no history.
            gate = missed.gate(_text(data.get("guild_id")) or DIRECT) if kind != "INTERACTION_CREATE" else None
            yield self._handled(payload, shard.session, progress, gate)
        else:
            progress.end(number)

    async def _handled(
        self, payload: Mapping[str, Any], session: str, progress: Progress, gate: asyncio.Event | None
    ) -> None:
        """Handle a dispatch, behind what comes before it; when that is done, its session has come as far."""
        try:
            if payload.get("t") == "INTERACTION_CREATE":
                taken = await self.handle(payload, session)
            else:
                async with self._turn(payload["d"]):
                    if gate is not None:
                        await gate.wait()
                    # It begins before the next one has its turn; when it ends does not matter to that.
                    taking = asyncio.create_task(self._hand_over(await self._events(payload, session), payload["d"]))
                taken = await taking
        except Exception:
            # It would fail again: what comes after it shall not come again and again for its sake.
            log.exception("%s: a dispatch of type %s could not be handled", self._account, payload.get("t"))
            taken = True
        if taken:
            progress.end(payload.get("s"))

    def _turn(self, data: Mapping[str, Any]) -> asyncio.Lock:
        """What happens in a channel waits here in its order: who need not wait any more may not be overtaken."""
        return self._turns.setdefault(_text(data.get("channel_id")) or _text(data.get("guild_id")), asyncio.Lock())

    async def handle(self, payload: Mapping[str, Any], session: str = "") -> bool:
        """Hand over the events in a payload of which we read that kind; returns when they have been taken.

        False: too many wait, so that some were not kept.
        """
        return await self._hand_over(await self._events(payload, session), payload["d"])

    async def _events(self, payload: Mapping[str, Any], session: str) -> Sequence[EventBase]:
        data = payload["d"]
        guild = _text(data.get("guild_id"))
        if guild.isdecimal():
            await self._directory.learn(guild)
        channel = _text(data.get("channel_id"))
        if channel.isdecimal() and data.get("guild_id") and self._places.get(channel) is None:
            try:
                # Such as a thread that was archived when we came. Its address is its parent's.
                await self._directory.place(channel)
            except DeliveryError as error:
                log.info("%s: the channel %s is not known: %s", self._account, channel, error)
        try:
            events = normalise(payload, self._identity, self._account, self._places, session=session, now=time.time())
        except PayloadError as error:
            log.warning("%s: ignored: %s", self._account, error)
            return ()
        return tuple(events)

    async def _hand_over(self, events: Sequence[EventBase], data: Mapping[str, Any]) -> bool:
        taken = True
        for event in events:
            if isinstance(event, Deleted) and event.id in self._posted:
                continue
            taken &= await self._inbox.take(self._used(event, data) if isinstance(event, SlashCommand) else event)
        return taken

    def _used(self, event: SlashCommand, data: Mapping[str, Any]) -> EventBase:
        """A command: from now on its answer is waited for."""
        self._interactions.begin(event.key, data, _text(data.get("application_id")) or self._identity.application_id)
        if event.person is not None:
            self._directory.speaks(event.person)
        options = {self._offers.parameter(event.name, name): text for name, text in (event.options or {}).items()}
        return event.model_copy(update={"options": options})

    async def _catch_up(self, guild: str, after: str | None, missed: Missed) -> None:
        while after is not None:
            if guild != DIRECT:
                await self._directory.learn(guild)
            read = guild == DIRECT or guild in self._places.told
            try:
                async for payload in missed.payloads(guild, after):
                    if not self._ours(payload["d"]):
                        read &= await self.handle(payload)
            except DeliveryError:
                read = False
            except Exception:  # what is said now must not wait for ever
                log.exception("%s: what was missed in %s cannot be read", self._account, guild)
                read = False
            after = missed.read(guild, all=read)

    def _ours(self, message: Mapping[str, Any]) -> bool:
        author = message.get("author")
        return isinstance(author, Mapping) and author.get("id") == self._identity.user_id


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
