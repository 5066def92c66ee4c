"""What the bot has said already: so that an action that may have been performed is not performed twice.

A nonce makes Discord itself refuse a repetition, for a few minutes, and not for answers to slash commands: until then
what may have been posted is simply posted again. What was posted is remembered here, and later or after a restart it is
looked for among the bot's own messages. Their histories have no nonces
(https://github.com/Rapptz/discord.py/issues/2451), so it is known by what it says and what it answers; a message that
the ledger has as another action's is not taken for it.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from dragoman import ActionBase, AdapterServices, DeliveryError

from .api import Api
from .attachments import attached, described, same
from .render import PAGE, Call, event_of, lookup, nonce

__all__ = ["Posted"]

log = logging.getLogger(__name__)

MOST: Final = 20_000
#: How many pages of a conversation's history are searched.
MOST_PAGES: Final = 25
#: Seconds; Discord says "the past few minutes": https://docs.discord.com/developers/resources/message#create-message
FRESH: Final = 120.0
#: Without the permission to read the history, or in a place that is not there yet, there is only the nonce.
UNREADABLE: Final = frozenset({"10003", "50001", "50013"})


class Posted:
    """The messages of one account."""

    def __init__(self, account: str, api: Api, services: Callable[[], AdapterServices]) -> None:
        self._account = account
        self._api = api
        self._services = services
        self._by_nonce: OrderedDict[str, str] = OrderedDict()
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, id: object) -> bool:
        """Whether that message is known to be ours."""
        return id in self._ids

    def add(self, id: str, mark: str = "") -> None:
        """A message of ours, and its nonce."""
        if not id:
            return
        self._ids[id] = None
        if mark:
            self._by_nonce[mark] = id
        while len(self._ids) > MOST:
            self._ids.popitem(last=False)
        while len(self._by_nonce) > MOST:
            self._by_nonce.popitem(last=False)

    async def find(
        self, action: ActionBase, todo: Sequence[Call], us: str, *, with_nonce: bool = True
    ) -> dict[int, str]:
        """What of an action stands in the conversation already: part -> message id.

        Args:
            us: our own user id.
            with_nonce: it was posted with a nonce, if it was; while Discord knows that, only our memory is asked.

        Raises:
            DeliveryError: Discord cannot be asked now.
        """
        wanted = {call.part: call for call in todo if call.part}
        found = {part: id for part in wanted if (id := self._by_nonce.get(nonce(action.key, part)))}
        if len(found) == len(wanted) or (with_nonce and _fresh(action)):
            return found
        others = set(self._by_nonce.values()) - set(found.values())
        left = {part: call for part, call in wanted.items() if part not in found}
        alike = [
            message
            async for message in self._own(action, us)
            if str(message.get("id")) not in others and any(_alike(message, call, action) for call in left.values())
        ]
        ids = [str(message.get("id")) for message in alike]
        known = await self._services().said_by(action.address.channel, ids) if ids else {}
        for message in alike:
            id = str(message.get("id"))
            if known.get(id, action.key) != action.key:
                continue
            part = next((part for part, call in left.items() if _alike(message, call, action)), None)
            if part is not None:
                found[part] = id
                del left[part]
        return found

    async def edit(self, call: Call, *, again: bool) -> Call:
        """An edit that adds files, so that it keeps those that are there: Discord takes away what is not named
        (https://docs.discord.com/developers/reference#editing-message-attachments).

        Args:
            again: it may have been made before, so that a file that is there is not added.

        Raises:
            DeliveryError: there is no such message, or Discord cannot be asked now.
        """
        message = await self._api.call(Call("GET", call.path, call.ids))
        found = message.get("attachments") if isinstance(message, Mapping) else None
        there = [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
        left, new = list(there), []
        for file in call.files:
            known = next((each for each in left if same(file, each)), None) if again else None
            if known is None:
                new.append(file)
            else:
                left.remove(known)
        kept = [{"id": str(each.get("id"))} for each in there]
        body = call.body if isinstance(call.body, Mapping) else {}
        return replace(call, body={**body, "attachments": [*kept, *described(new)]}, files=tuple(new))

    async def _own(self, action: ActionBase, us: str) -> AsyncIterator[Mapping[str, Any]]:
        """Our messages there, the oldest first."""
        after = ""
        for _ in range(MOST_PAGES):
            call = lookup(action, after)
            try:
                page = await self._api.call(call)
            except DeliveryError as error:
                if error.code in UNREADABLE:
                    log.info("%s: what was said already cannot be read: %s", self._account, error)
                    return
                raise
            messages = [each for each in page if isinstance(each, Mapping)] if isinstance(page, list) else []
            messages.sort(key=lambda message: _number(message.get("id")))
            for message in messages:
                author = message.get("author")
                if isinstance(author, Mapping) and author.get("id") == us:
                    yield message
            if len(messages) < PAGE or "after" not in call.query:
                return
            after = str(messages[-1].get("id"))


def _fresh(action: ActionBase) -> bool:
    """Whether it was made so lately that Discord still knows its nonce, should it have been posted."""
    made = max((at for name, at in action.hops if name != "delivery"), default=0.0)
    return time.time() - made < FRESH


def _alike(message: Mapping[str, Any], call: Call, action: ActionBase) -> bool:
    """Whether a message without a nonce says the same, in answer to the same."""
    body = call.body if isinstance(call.body, Mapping) else {}
    if str(message.get("content", "")).strip() != str(body.get("content", "")).strip():
        return False
    if not attached(call.files, message.get("attachments")):
        return False
    _, event = event_of(action)
    interaction = _part(message, "interaction_metadata").get("id")
    if interaction is not None:
        return len(event) >= 6 and event[1] == "slash" and event[5] == interaction
    answers = _part(message, "message_reference").get("message_id")
    return bool(answers == _part(body, "message_reference").get("message_id"))


def _part(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, Mapping) else {}


def _number(id: object) -> int:
    return int(id) if isinstance(id, str) and id.isdecimal() else 0
