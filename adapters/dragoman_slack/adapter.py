"""The Slack adapter: sockets and calls. What they carry is made in ``normalise`` and ``render``."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import click

from dragoman import (
    AccountError,
    ActionBase,
    Adapter,
    Capabilities,
    ChannelInfo,
    Conversation,
    DeliveryError,
    EventBase,
    FileRef,
    Person,
    PersonChanged,
    Receive,
    Sent,
    hookimpl,
)
from dragoman.adapting import delays

from .api import Api, account_error
from .app_manifest import bot_scopes
from .can import CAPABILITIES
from .directory import Directory
from .downloads import download
from .groups import GROUP_EVENTS
from .identity import Identity
from .links import read_link
from .methods import OPTIONAL_SCOPES
from .missed import Missed
from .normalise import normalise, person_changed
from .payload import PayloadError
from .posting import Posting
from .render import calls
from .settings import SlackSettings
from .slash import read_slash
from .socket_mode import Socket
from .twins import Twins

__all__ = ["SlackAdapter", "SlackSettings"]

log = logging.getLogger(__name__)

#: How many conversations are remembered whose kind their id does not tell.
MOST_KINDS: Final = 10_000
#: How many people are looked up at once when a user group has changed; those beyond are seen to within some minutes,
#: as the directory forgets them. Slack waits three seconds: https://docs.slack.dev/apis/events-api/#responding
MOST_CONCERNED: Final = 100
LOOK_UPS: Final = 8


class SlackAdapter(Adapter):
    """One Slack app in one workspace (or organisation), over Socket Mode."""

    read_link = staticmethod(read_link)

    platform: ClassVar[str] = "slack"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    Settings = SlackSettings

    settings: SlackSettings

    def __init__(self, account: str, settings: SlackSettings) -> None:
        super().__init__(account, settings)
        self._api = Api(settings)
        self.pacing = settings.pacing
        self._identity: Identity | None = None
        self._directory = Directory(account, self._api)
        self._kinds: dict[str, Conversation] = {}
        self._missed = Missed(account, self._api, self._directory.teams, lambda: self.services, settings.catch_up)
        self._twins = Twins()
        self._posting = Posting(
            account, self._api, unfurl=settings.unfurl, services=lambda: self.services, identify=self._who
        )

    @classmethod
    @hookimpl
    def dragoman_commands(cls) -> Sequence[click.Command]:
        """``dragoman slack ...``"""
        from .commands import slack

        return [slack]

    async def check(self) -> str:
        """Verify both tokens; returns such as ``dragoman (U1) in Acme (T1)``.

        Raises:
            AccountError: a token does not work, scopes are missing, or Slack cannot be reached.
        """
        try:
            identity, scopes = await self._authenticate()
        except DeliveryError as error:
            raise AccountError(f"account {self.account!r}: {error}", account=self.account) from None
        try:
            await self._api.socket_url()
        except DeliveryError as error:
            raise account_error(self.account, "app_token", error) from None
        text = f"{identity.name} ({identity.bot_user_id}) in {identity.team} ({identity.tenant})"
        absent = set(bot_scopes()) - scopes if scopes is not None else set()
        missing = sorted(absent - OPTIONAL_SCOPES.keys())
        if missing:
            raise AccountError(
                f"account {self.account!r}: {text} lacks the scopes {', '.join(missing)}: add them on the app's page "
                "(`dragoman slack manifest` has them) and install it again",
                account=self.account,
            )
        return "; ".join([text, *(f"without the scope {scope}, {OPTIONAL_SCOPES[scope]}" for scope in sorted(absent))])

    async def run(self, receive: Receive, ready: Callable[[], None]) -> None:
        """See `Adapter.run`. Envelopes are handled concurrently, each acknowledged after ``receive``."""
        identity = await self._introduce()

        async def handle(envelope: Mapping[str, Any]) -> None:
            await self._handle(envelope, identity, socket, receive)

        async def take(payload: Mapping[str, Any]) -> bool:
            return await self._receive(payload, identity, receive)

        def hello() -> None:
            # Not before: what is said from now on comes by itself.
            socket.spawn(self._missed.keep(identity, take))
            ready()

        socket = Socket(
            self.account,
            self._api,
            handle,
            hello,
            connect_timeout=self.settings.timeout,
            back=self._missed.gap,
        )
        try:
            socket.spawn(socket.connect())
            await socket.failed
        finally:
            await socket.close()
            await self._missed.save()

    async def perform(self, action: ActionBase) -> Sent:
        """See `Adapter.perform` and `dragoman_slack.posting`. The ids are of all parts of a text, and of its files."""
        return await self._posting.perform(action)

    def download(self, file: FileRef) -> AsyncIterator[bytes]:
        """See `Adapter.download` and `dragoman_slack.downloads`."""
        return download(self._api, file)

    async def look_up_person(self, person: str, tenant: str) -> Person | None:
        """See `Adapter.look_up_person` and `dragoman_slack.people`."""
        return await self._directory.person(person, await self._tenant())

    async def look_up_channel(self, channel: str, tenant: str) -> ChannelInfo | None:
        """See `Adapter.look_up_channel`. Private channels are found that the bot is in."""
        return await self._directory.channel(channel, await self._tenant())

    def render(self, action: ActionBase) -> list[dict[str, Any]]:
        """See `Adapter.render`: ``{"method": ..., **arguments}`` for each call.

        Raises:
            DeliveryError: Slack has no such action, or its target is not resolved.
        """
        return [{"method": call.method, **call.arguments} for call in calls(action, unfurl=self.settings.unfurl)]

    async def close(self) -> None:
        """Close the session; a later call opens a new one."""
        await self._api.close()

    async def _authenticate(self) -> tuple[Identity, frozenset[str] | None]:
        """Who the bot token is, and its scopes. Raises `AccountError` if the token is no good."""
        try:
            answer, scopes = await self._api.granted()
        except DeliveryError as error:
            if error.retry:
                raise
            raise account_error(self.account, "bot_token", error) from None
        texts = {key: value for key, value in answer.items() if isinstance(value, str)}
        organisation = texts.get("enterprise_id", "") if answer.get("is_enterprise_install") is True else ""
        tenant = organisation or texts.get("team_id", "")
        user, bot = texts.get("user_id", ""), texts.get("bot_id", "")
        if not (tenant and user and bot):
            wrong = DeliveryError("it is not a bot's: it should start with xoxb-", code="not_allowed_token_type")
            raise account_error(self.account, "bot_token", wrong)
        identity = Identity(
            bot_user_id=user,
            bot_id=bot,
            tenant=tenant,
            app_id=texts.get("app_id", ""),
            name=texts.get("user", user),
            team=texts.get("team", tenant),
            organisation=bool(organisation),
        )
        self._identity = identity
        self._directory.teams.organisation = identity.organisation
        return identity, scopes

    async def _tenant(self) -> str:
        """The installation, of which there is one for each account."""
        return (await self._who()).tenant

    async def _who(self) -> Identity:
        """Who we are; asked once."""
        if self._identity is not None:
            return self._identity
        try:
            return (await self._authenticate())[0]
        except AccountError as error:
            raise DeliveryError(str(error), code="invalid_auth") from None

    async def _introduce(self) -> Identity:
        """`_authenticate`, however often it takes."""
        delay = delays()
        while True:
            try:
                identity, _ = await self._authenticate()
                return identity
            except DeliveryError as error:
                wait = delay()
                log.warning("%s: %s; again in %.1f s", self.account, error, wait)
                await asyncio.sleep(wait)

    async def _handle(self, envelope: Mapping[str, Any], identity: Identity, socket: Socket, receive: Receive) -> None:
        """One envelope: ``{"envelope_id": ..., "type": "events_api" or "slash_commands", "payload": {...}}``.

        What is not an event of ours, or broken, is acknowledged: Slack would only send the same again.
        A slash command that is not acknowledged does not come again: whoever used it is told that it failed.
        """
        envelope_id = envelope.get("envelope_id")
        if not isinstance(envelope_id, str):
            log.warning("%s: Slack sent an envelope without an envelope_id; ignored", self.account)
            return
        payload = envelope.get("payload")
        match envelope.get("type"):
            case "events_api":
                taken = await self._twins.once(payload, lambda: self._receive(payload, identity, receive))
            case "slash_commands":
                taken = await self._receive_slash(payload, receive)
            case _:
                taken = True
        if not taken:
            return
        try:
            await socket.acknowledge(envelope_id)
        except (ConnectionError, RuntimeError) as error:
            log.info("%s: not acknowledged (%s); Slack will send it again", self.account, error)

    async def _receive_slash(self, payload: object, receive: Receive) -> bool:
        """Whether Slack may be told that we have it."""
        try:
            if not isinstance(payload, Mapping):
                raise PayloadError("payload", "is missing")
            event = read_slash(payload, self.account, at=time.time(), kinds=self._kinds)
        except PayloadError as error:
            log.warning("%s: ignored: %s", self.account, error)
            return True
        await self._posting.replies.keep(event, payload)
        return await self._hand_over(event, receive, "whoever used it is told that it failed")

    async def _receive(self, payload: object, identity: Identity, receive: Receive) -> bool:
        try:
            if not isinstance(payload, Mapping):
                raise PayloadError("payload", "is missing")
            if isinstance(happened := payload.get("event"), Mapping) and happened.get("type") in GROUP_EVENTS:
                return await self._receive_group(payload, happened, identity, receive)
            event: EventBase | None = normalise(payload, identity, self.account, self._kinds)
        except PayloadError as error:
            log.warning("%s: ignored: %s", self.account, error)
            return True
        if event is None:
            return True
        if event.conversation == "group" and len(self._kinds) < MOST_KINDS:
            self._kinds[event.address.channel] = "group"
        if isinstance(event, PersonChanged) and event.person is not None:
            event = await self._complete(event, event.person)
        return await self._hand_over(event, receive, "Slack will send it again")

    async def _receive_group(
        self, payload: Mapping[str, Any], happened: Mapping[str, Any], identity: Identity, receive: Receive
    ) -> bool:
        """A user group, which is a role, has changed: so has everybody whom that concerns."""
        ids = self._directory.groups.changed(happened)
        if len(ids) > MOST_CONCERNED:
            log.info("%s: %d people are concerned by a user group: not all are looked up", self.account, len(ids))
        door = asyncio.Semaphore(LOOK_UPS)

        async def tell(id: str) -> bool:
            async with door:
                person = await self._directory.person(id, identity.tenant)
            if person is None or person.bot:
                return True
            event = person_changed(payload, identity, self.account, person)
            return event is None or await self._hand_over(event, receive, "Slack will send it again")

        results = await asyncio.gather(*map(tell, ids[:MOST_CONCERNED]), return_exceptions=True)
        for result in results:
            if isinstance(result, DeliveryError):
                log.warning("%s: a user group has changed, and Slack cannot be asked: %s", self.account, result)
            elif isinstance(result, BaseException):
                raise result
        return all(result is True for result in results)

    async def _complete(self, event: PersonChanged, person: Person) -> PersonChanged:
        """With the user groups, which are not in the event. Who loses a role must lose it also without them."""
        try:
            return event.model_copy(update={"person": await self._directory.grouped(person)})
        except DeliveryError as error:
            log.warning("%s: %s has no user groups for now: %s", self.account, person.id, error)
            return event

    async def _hand_over(self, event: EventBase, receive: Receive, otherwise: str) -> bool:
        try:
            await receive(event)
        except Exception:
            log.exception("%s: %s was not taken; %s", self.account, event.key, otherwise)
            self._missed.refused(event)
            return False
        self._missed.taken(event)
        return True
