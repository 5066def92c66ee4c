"""The Slack adapter: sockets and calls. What they carry is made in ``normalise`` and ``render``."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import click

from dragoman import (
    AccountError,
    ActionBase,
    Adapter,
    ChannelInfo,
    Conversation,
    Delete,
    DeliveryError,
    Edit,
    EventBase,
    Person,
    PersonChanged,
    React,
    Receive,
    Send,
    Sent,
    Typing,
    hookimpl,
)

from .api import BAD_TOKEN, Api, account_error
from .app_manifest import bot_scopes
from .directory import Directory
from .identity import Identity
from .methods import OPTIONAL_SCOPES
from .normalise import normalise
from .payload import PayloadError
from .render import METADATA, calls, lookup
from .settings import SlackSettings
from .slash import read_slash
from .socket_mode import Socket, delays
from .twins import Twins

__all__ = ["SlackAdapter", "SlackSettings"]

log = logging.getLogger(__name__)

#: How many conversations are remembered whose kind their id does not tell.
MOST_KINDS: Final = 10_000
#: How many pages of a conversation's history are searched for what was sent already.
MOST_PAGES: Final = 25
#: Refusals that mean that it is as it should be.
ALREADY: Final = frozenset({"already_reacted", "no_reaction"})


class SlackAdapter(Adapter):
    """One Slack app in one workspace (or organisation), over Socket Mode."""

    platform: ClassVar[str] = "slack"
    Settings = SlackSettings

    settings: SlackSettings

    def __init__(self, account: str, settings: SlackSettings) -> None:
        super().__init__(account, settings)
        self._api = Api(settings)
        self._identity: Identity | None = None
        self._directory = Directory(account, self._api)
        self._kinds: dict[str, Conversation] = {}
        self._twins = Twins()

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

        socket = Socket(self.account, self._api, handle, ready, connect_timeout=self.settings.timeout)
        try:
            socket.spawn(socket.connect())
            await socket.failed
        finally:
            await socket.close()

    async def perform(self, action: ActionBase) -> Sent:
        """See `Adapter.perform`. The ids of a sent or edited text are of all its parts, in order."""
        todo = calls(action, unfurl=self.settings.unfurl)
        # An edit that fits is the same done twice, and so is a reaction: only posting must look first.
        posted = await self._posted(action) if action.again and any(call.part for call in todo) else {}
        ids: list[str] = []
        for call in todo:
            if call.part in posted:
                ids.append(posted[call.part])
                continue
            try:
                answer = await self._api.call(call.method, call.arguments)
            except DeliveryError as error:
                if not _harmless(action, error):
                    raise
                log.debug("%s: %s", self.account, error)
                answer = call.arguments
            if isinstance(action, Send | Edit | Delete):
                ids.append(str(answer.get("ts", "")))
        return Sent(ids=tuple(ids))

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
        )
        self._identity = identity
        return identity, scopes

    async def _tenant(self) -> str:
        """The installation, of which there is one for each account."""
        if self._identity is not None:
            return self._identity.tenant
        try:
            return (await self._authenticate())[0].tenant
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
        return await self._hand_over(event, receive, "whoever used it is told that it failed")

    async def _receive(self, payload: object, identity: Identity, receive: Receive) -> bool:
        try:
            if not isinstance(payload, Mapping):
                raise PayloadError("payload", "is missing")
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
            return False
        return True

    async def _posted(self, action: ActionBase) -> dict[int, str]:
        """What of an action stands in the conversation already: part -> ts."""
        identity = self._identity or (await self._authenticate())[0]
        call = lookup(action)
        arguments = dict(call.arguments)
        found: dict[int, str] = {}
        for _ in range(MOST_PAGES):
            try:
                answer = await self._api.call(call.method, arguments)
            except DeliveryError as error:
                if error.code == "thread_not_found":
                    return {}
                raise
            for message in answer.get("messages") or ():
                part = _part(message, action.key)
                if part and identity.bot_id == message.get("bot_id"):
                    found.setdefault(part, str(message.get("ts")))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor or "oldest" not in arguments:
                break
            arguments["cursor"] = cursor
        return found


def _part(message: Mapping[str, Any], key: str) -> int:
    """Which part of that action a message is; 0 if none."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != METADATA or payload.get("key") != key:
        return 0
    return int(payload.get("part") or 0)


def _harmless(action: ActionBase, error: DeliveryError) -> bool:
    """Whether a refusal leaves everything as it should be."""
    match action:
        case React():
            return error.code in ALREADY
        case Delete():
            return action.again and error.code == "message_not_found"
        case Typing():
            # It only decorates: a workspace or app without it goes without. A bad token is another matter.
            return error.code not in BAD_TOKEN
        case _:
            return False
