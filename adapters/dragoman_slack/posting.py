"""Performing actions: the calls that `dragoman_slack.render` makes of them, and what was done of them before."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from dragoman import ActionBase, AdapterServices, Delete, DeliveryError, Edit, React, Send, Sent, Typing

from .api import BAD_TOKEN, Api
from .identity import Identity
from .render import METADATA, SHARE, TICKET, Call, calls, lookup
from .replies import NOT_HERE, Replies
from .uploads import Kept, Uploads

__all__ = ["Posting"]

log = logging.getLogger(__name__)

#: How many pages of a conversation's history are searched for what was sent already.
MOST_PAGES: Final = 25
#: Refusals that mean that it is as it should be.
ALREADY: Final = frozenset({"already_reacted", "no_reaction"})


class Posting:
    """What one account does on Slack.

    Args:
        unfurl: whether Slack shows previews of links.
        services: what the gateway keeps for the adapter; asked at each use, since it is set late.
        identify: tells who we are.
    """

    def __init__(
        self,
        account: str,
        api: Api,
        *,
        unfurl: bool,
        services: Callable[[], AdapterServices],
        identify: Callable[[], Awaitable[Identity]],
    ) -> None:
        self._account = account
        self._api = api
        self._unfurl = unfurl
        self._identify = identify
        self._uploads = Uploads(account, api, services)
        self.replies = Replies(account, api, services)

    async def perform(self, action: ActionBase) -> Sent:
        """See `Adapter.perform`. The ids are of all parts of a sent or edited text, in order, and of its files.

        Files are uploaded first, which nobody sees: where one is refused, nothing was said.
        """
        todo = calls(action, unfurl=self._unfurl)
        share = next((call for call in todo if call.method == SHARE), None)
        kept, posted = await self._done(action, todo, share)
        if share is not None and share.part not in posted and not kept.ids:
            kept = await self._uploads.upload(action, share.files)
        ids: list[str] = []
        for call in todo:
            if call.method == TICKET:
                continue
            if call.part in posted:
                ids.append(posted[call.part])
                continue
            try:
                ts = await self._call(action, call, kept)
            except DeliveryError as error:
                if error.code not in NOT_HERE or ids or not isinstance(action, Send):
                    raise
                if not await self.replies.answer(action, unfurl=self._unfurl):
                    raise
                log.debug("%s: %s; answered through its response_url", self._account, error)
                return Sent()
            if ts and isinstance(action, Send | Edit | Delete):
                ids.append(ts)
        return Sent(ids=tuple(ids))

    async def _call(self, action: ActionBase, call: Call, kept: Kept) -> str:
        """Make one call; the ts of its message."""
        if call.method == SHARE:

            async def seen() -> str:
                return (await self._posted(action, call.part, kept.ids)).get(call.part, "")

            return await self._uploads.share(action, call, kept, seen)
        try:
            answer = await self._api.call(call.method, call.arguments)
        except DeliveryError as error:
            if not _harmless(action, error):
                raise
            log.debug("%s: %s", self._account, error)
            answer = call.arguments
        return str(answer.get("ts", ""))

    async def _done(self, action: ActionBase, todo: Sequence[Call], share: Call | None) -> tuple[Kept, dict[int, str]]:
        """What may have been done already of an action: what was uploaded, and which parts stand where (part -> ts).

        An edit that fits is the same done twice, and so is a reaction: only posting must look first.
        """
        if not action.again or not any(call.part for call in todo):
            return Kept(), {}
        kept = await self._uploads.kept(action) if share is not None else Kept()
        try:
            return kept, await self._posted(action, share.part if share is not None else 0, kept.ids)
        except DeliveryError as error:
            # Where the bot is not it can neither look nor have posted.
            if error.code in NOT_HERE and await self.replies.known(action):
                return kept, {}
            raise

    async def _posted(self, action: ActionBase, share: int, files: Sequence[str]) -> dict[int, str]:
        """What of an action stands in the conversation; ``share`` is the part with these files."""
        identity = await self._identify()
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
                if message.get("bot_id") != identity.bot_id and message.get("user") != identity.bot_user_id:
                    continue
                if part := _part(message, action.key) or (share if _has(message, files) else 0):
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


def _has(message: Mapping[str, Any], files: Sequence[str]) -> bool:
    """Whether one of these files is in a message."""
    return any(file.get("id") in files for file in message.get("files") or ())


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
