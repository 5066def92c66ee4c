"""The Discord adapter: the gateway and calls. What they carry is made in ``normalise`` and ``render``."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, Final

from dragoman import (
    AccountError,
    ActionBase,
    Adapter,
    Capabilities,
    ChannelInfo,
    Delete,
    DeliveryError,
    Edit,
    EventBase,
    FileRef,
    Person,
    Receive,
    Send,
    Sent,
    SkillManifest,
    Typing,
)
from dragoman.adapting import delays

from .api import Api
from .can import CAPABILITIES
from .client import Client, Shard
from .directory import Directory
from .downloads import download
from .identity import Identity
from .inbox import Inbox
from .intake import Intake
from .interactions import Interaction, Interactions
from .links import read_link
from .missed import Missed
from .normalise import INTENTS
from .offers import Offers
from .places import Places
from .posted import Posted
from .render import Call, calls, event_of, nonce, place_of, start_thread
from .sessions import Sessions
from .settings import DiscordSettings
from .sync import Sync

__all__ = ["DiscordAdapter", "DiscordSettings"]

log = logging.getLogger(__name__)

#: What privileged intents are called on the app's page, and the application flags that say that they are on
#: (https://docs.discord.com/developers/resources/application#application-object-application-flags).
PRIVILEGED: Final[Mapping[str, tuple[str, int]]] = {
    "members": ("Server Members Intent", 1 << 14 | 1 << 15),
    "message_content": ("Message Content Intent", 1 << 18 | 1 << 19),
}
NO_CHANNEL, NO_MESSAGE, HAS_THREAD = "10003", "10008", "160004"
BAD_TOKEN: Final = "401"  # noqa: S105 - a code


class DiscordAdapter(Adapter):
    """One Discord bot, in all its guilds."""

    platform: ClassVar[str] = "discord"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    #: A session that is resumed repeats what was missed, but only for minutes.
    offers_once: ClassVar[bool] = True
    Settings = DiscordSettings
    read_link = staticmethod(read_link)

    settings: DiscordSettings

    def __init__(self, account: str, settings: DiscordSettings) -> None:
        super().__init__(account, settings)
        self._api = Api(account, settings, lambda file: self.services.open_file(file))
        self._identity: Identity | None = None
        self._places = Places()
        self._directory = Directory(account, self._api, self._places, settings.guild)
        self._posted = Posted(account, self._api, lambda: self.services)
        self._interactions = Interactions(self._api.call, settings.patience, lambda: self.services)
        self._offers = Offers(account, Sync(account, self._api.call, settings.guild), self._known, settings.commands)
        self._missed = Missed(account, self._api, self._places, settings.catch_up)
        self._shards: list[Shard] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def check(self) -> str:
        """Verify the token and the privileged intents; returns such as ``dragoman (1)``.

        Raises:
            AccountError: the token does not work, intents are off, or Discord cannot be reached.
        """
        try:
            identity = await self._who()
        except DeliveryError as error:
            raise AccountError(f"account {self.account!r}: {error}", account=self.account) from None
        off = [
            (setting, name)
            for setting, (name, bits) in PRIVILEGED.items()
            if getattr(self.settings, setting) and not identity.flags & bits
        ]
        if off:
            names, settings = (" and ".join(each) for each in zip(*((n, f"{s} = false") for s, n in off), strict=True))
            them = "them" if len(off) > 1 else "it"
            raise AccountError(
                f"account {self.account!r}: {identity.name} ({identity.user_id}) is without the {names}: turn "
                f"{them} on on the page 'Bot' of the app at https://discord.com/developers/applications, or set "
                f"{settings}",
                account=self.account,
            )
        text = f"{identity.name} ({identity.user_id})"
        if identity.endpoint and self.settings.commands:
            text += "; slash commands do not work: they go to the app's Interactions Endpoint URL, which must be empty"
        return text

    async def run(self, receive: Receive, ready: Callable[[], None]) -> None:
        """See `Adapter.run`. What comes in is handled concurrently, and handed over in order.

        The sessions are left open, for whoever is started next: see `dragoman_discord.sessions`.
        """
        identity, url, count = await self._introduce()

        async def hand_over(event: EventBase) -> None:
            await self._interactions.keep(event.key)
            await receive(event)

        inbox = Inbox(self.account, hand_over)
        intake = Intake(
            self.account, identity, self._places, self._directory, self._posted, self._interactions, self._offers, inbox
        )
        # Should we have failed and be started again, the sessions are still there.
        again = {shard.count for shard in self._shards} == {count}
        shards = self._shards if again else [Shard(id, count) for id in self.settings.shard_ids or range(count)]
        sessions = Sessions(
            self.account,
            lambda: self.services,
            shards,
            self._missed,
            self._interactions,
            application=identity.application_id,
            intents=self._intents(),
        )
        for shard in shards:
            shard.rewind()
        if not again:
            await sessions.load()
            self._shards = shards
        waiting = {shard.id for shard in shards}

        def take(shard: Shard, payload: Mapping[str, Any]) -> None:
            for work in intake.take(shard, payload, self._missed):
                self._spawn(work)
            if payload.get("t") == "READY":
                sessions.begun()
            if shard.ready and shard.id in waiting:
                waiting.discard(shard.id)
                if not waiting:
                    ready()

        client = Client(
            self.account,
            await self._api.http(),
            url,
            shards,
            take,
            intents=self._intents(),
            heartbeat_timeout=self.settings.heartbeat_timeout,
            identify_delay=self.settings.identify_delay,
        )
        # What was offered while Discord could not be reached.
        self._spawn(self._offers.keep())
        self._spawn(sessions.keep())
        try:
            await client.run()
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._missed.stopped()
            await inbox.close()
            await sessions.save()

    async def offer(self, manifests: Sequence[SkillManifest]) -> None:
        """Make the skills' commands slash commands. Called whenever the catalogue changes.

        What Discord refuses is said in the log; while it cannot be reached, it is tried again.
        """
        self._offers.want(manifests)
        if not await self._offers.make():
            self._spawn(self._offers.keep())

    async def perform(self, action: ActionBase) -> Sent:
        """See `Adapter.perform`. The ids of a sent or edited text are of all its parts, in order."""
        todo = self._calls(action)
        key, event = event_of(action)
        slash = len(event) > 1 and event[1] == "slash"
        interaction = await self._interactions.recall(key, place_of(action)) if slash else None
        if interaction is not None and isinstance(action, Typing):
            await self._interactions.defer(interaction)
            return Sent()
        texts = any(call.part for call in todo)
        posted: dict[int, str] = {}
        if action.again and texts:
            # What answers a slash command may have gone out without a nonce.
            us = (await self._known()).user_id
            posted = await self._posted.find(action, todo, us, with_nonce=not slash)
        ids: list[str] = []
        for call in todo:
            id = posted.get(call.part, "") if call.part else ""
            if not id:
                id = await self._do(action, call, interaction)
            if call.part:
                self._posted.add(id, nonce(action.key, call.part))
            if isinstance(action, Send | Edit | Delete):
                ids.append(id)
        return Sent(ids=tuple(ids))

    async def look_up_person(self, person: str, tenant: str) -> Person | None:
        """See `Adapter.look_up_person` and `dragoman_discord.people`."""
        return await self._directory.person(person, tenant)

    async def look_up_channel(self, channel: str, tenant: str) -> ChannelInfo | None:
        """See `Adapter.look_up_channel`."""
        return await self._directory.channel(channel, tenant)

    async def download(self, file: FileRef) -> AsyncIterator[bytes]:
        """See `Adapter.download` and `dragoman_discord.downloads`. No token is sent."""
        async for piece in download(file, self.settings):
            yield piece

    def render(self, action: ActionBase) -> list[dict[str, Any]]:
        """See `Adapter.render`: ``{"method": "POST", "path": ..., "json": ...}`` for each call.

        Raises:
            DeliveryError: Discord has no such action, or its target is not resolved.
        """
        return [call.shown() for call in self._calls(action)]

    async def close(self) -> None:
        """Close the session; a later call opens a new one."""
        await self._interactions.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._api.close()

    # -- who we are ----------------------------------------------------------------------------------

    async def _who(self) -> Identity:
        """Raises `AccountError` for a bad token, `DeliveryError` if Discord cannot be asked now."""
        self._identity = await self._api.identity()
        return self._identity

    async def _known(self) -> Identity:
        """The same; a bad token is a `DeliveryError`."""
        try:
            return self._identity or await self._who()
        except AccountError as error:
            raise DeliveryError(str(error), code=BAD_TOKEN) from None

    async def _introduce(self) -> tuple[Identity, str, int]:
        """Who we are, where the gateway is and how many shards there are; however often it takes to find out."""
        delay = delays()
        while True:
            try:
                identity = await self._who()
                url, count = self.settings.gateway_url, self.settings.shards
                if url is None or not count:
                    answer = await self._api.call(Call("GET", "/gateway/bot"))
                    url = url or str(answer["url"])
                    count = count or max(1, int(answer["shards"]))
                return identity, url, count
            except (DeliveryError, KeyError, TypeError, ValueError) as error:
                if isinstance(error, DeliveryError) and error.code == BAD_TOKEN:
                    raise AccountError(f"account {self.account!r}: {error}", account=self.account) from None
                wait = delay()
                log.warning("%s: %s; again in %.1f s", self.account, error, wait)
                await asyncio.sleep(wait)

    def _intents(self) -> int:
        left_out = {"members": not self.settings.members, "message_content": not self.settings.message_content}
        return sum(bit for name, bit in INTENTS.items() if not left_out.get(name))

    # -- what goes out -------------------------------------------------------------------------------

    def _calls(self, action: ActionBase) -> tuple[Call, ...]:
        emoji = self._places.guild(action.address.tenant).emoji
        return calls(action, unfurl=self.settings.unfurl, replies=self.settings.replies, emoji=emoji)

    async def _do(self, action: ActionBase, call: Call, interaction: Interaction | None) -> str:
        """Make one call; the id of the message that it made or changed, if it did."""
        if interaction is not None and isinstance(action, Send) and isinstance(call.body, Mapping):
            id = await self._interactions.say(interaction, call.body, call.files)
            if id is not None:
                return id
        try:
            if call.files and isinstance(action, Edit) and not call.part:
                call = await self._posted.edit(call, again=action.again)
            answer = await self._in_thread(action, call)
        except DeliveryError as error:
            if not _harmless(action, error):
                raise
            log.debug("%s: %s", self.account, error)
            answer = None
        made = _text(answer.get("id")) if isinstance(answer, Mapping) else ""
        return made or _text(call.ids.get("message_id"))

    async def _in_thread(self, action: ActionBase, call: Call) -> Any:
        """Make a call; where it posts into a thread that is not there yet, the thread is started first."""
        try:
            return await self._api.call(call)
        except DeliveryError as error:
            if not (isinstance(action, Send) and action.address.thread and error.code == NO_CHANNEL):
                raise
            try:
                thread = await self._api.call(start_thread(action))
                if isinstance(thread, Mapping):
                    self._places.add(thread)
            except DeliveryError as started:
                if started.code != HAS_THREAD:
                    raise error from None
            return await self._api.call(call)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: %r", self.account, error, exc_info=error)


def _harmless(action: ActionBase, error: DeliveryError) -> bool:
    """Whether a refusal leaves everything as it should be."""
    match action:
        case Delete():
            return action.again and error.code == NO_MESSAGE
        case Typing():
            # It only decorates. A bad token is another matter.
            return error.code != BAD_TOKEN
        case _:
            return False


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
