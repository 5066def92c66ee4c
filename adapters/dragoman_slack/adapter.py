"""The Slack adapter: sockets and calls. What they carry is made in ``normalise`` and ``render``."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import click

from dragoman import (
    AccountError,
    ActionBase,
    Adapter,
    Conversation,
    Delete,
    DeliveryError,
    Edit,
    React,
    Receive,
    Send,
    Sent,
    Typing,
    hookimpl,
)

from .api import BAD_TOKEN, Api, account_error
from .app_manifest import bot_scopes
from .identity import Identity
from .normalise import normalise
from .payload import PayloadError
from .render import METADATA, calls, lookup
from .settings import SlackSettings
from .socket_mode import Socket, delays

__all__ = ["SlackAdapter", "SlackSettings"]

log = logging.getLogger(__name__)

#: How many conversations are remembered whose kind their id does not tell.
MOST_KINDS: Final = 10_000
#: How many messages are remembered as taken: what mentions the bot comes twice, as ``message`` and ``app_mention``.
MOST_TAKEN: Final = 5_000
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
        self._kinds: dict[str, Conversation] = {}
        #: By what Slack tells messages apart; the oldest first. True: it is in the ledger.
        self._taken: dict[tuple[object, ...], asyncio.Future[bool]] = {}

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
        missing = sorted(set(bot_scopes()) - scopes) if scopes is not None else []
        if missing:
            raise AccountError(
                f"account {self.account!r}: {text} lacks the scopes {', '.join(missing)}: add them on the app's page "
                "(`dragoman slack manifest` has them) and install it again",
                account=self.account,
            )
        return text

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
        """One envelope: ``{"envelope_id": ..., "type": "events_api", "payload": {...}}``.

        What is not an event of ours, or broken, is acknowledged: Slack would only send the same again.
        """
        envelope_id = envelope.get("envelope_id")
        if not isinstance(envelope_id, str):
            log.warning("%s: Slack sent an envelope without an envelope_id; ignored", self.account)
            return
        if envelope.get("type") == "events_api" and not await self._take(envelope.get("payload"), identity, receive):
            return
        try:
            await socket.acknowledge(envelope_id)
        except (ConnectionError, RuntimeError) as error:
            log.info("%s: not acknowledged (%s); Slack will send it again", self.account, error)

    async def _take(self, payload: object, identity: Identity, receive: Receive) -> bool:
        """Whether Slack may be told that we have it."""
        mark = _mark(payload)
        if mark is not None:
            twin = self._taken.get(mark)
            if twin is not None:
                return await asyncio.shield(twin)
            self._taken[mark] = asyncio.get_running_loop().create_future()
        taken = False
        try:
            taken = await self._receive(payload, identity, receive)
        finally:
            if mark is not None:
                self._taken[mark].set_result(taken)
                if not taken:
                    del self._taken[mark]
                elif len(self._taken) > MOST_TAKEN:
                    del self._taken[next(iter(self._taken))]
        return taken

    async def _receive(self, payload: object, identity: Identity, receive: Receive) -> bool:
        try:
            if not isinstance(payload, Mapping):
                raise PayloadError("payload", "is missing")
            event = normalise(payload, identity, self.account, self._kinds)
        except PayloadError as error:
            log.warning("%s: ignored: %s", self.account, error)
            return True
        if event is None:
            return True
        if event.conversation == "group" and len(self._kinds) < MOST_KINDS:
            self._kinds[event.address.channel] = "group"
        try:
            await receive(event)
        except Exception:
            log.exception("%s: %s was not taken; Slack will send it again", self.account, event.key)
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


def _mark(payload: object) -> tuple[object, ...] | None:
    """What is the same in the two events that Slack sends of one message; ``None`` for all else."""
    event = payload.get("event") if isinstance(payload, Mapping) else None
    if not isinstance(event, Mapping) or event.get("type") not in ("message", "app_mention") or event.get("subtype"):
        return None
    assert isinstance(payload, Mapping)
    mark = (payload.get("team_id"), event.get("channel"), event.get("ts"))
    return mark if all(isinstance(part, str) for part in mark) else None
