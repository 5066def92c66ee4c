"""Which message an action is about: by the key of what said it, found as the platform's id and place.

A gateway remembers what it has just sent, so that an edit right after it need not ask the ledger.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from sqlalchemy import Engine

from .action import Action, ActionBase, Delete, Edit, React, Send, Sent, Target
from .address import Address
from .errors import DeliveryError
from .store.engine import reading
from .store.enquiries import said_at
from .store.ledger import Known, look_up

__all__ = ["Targets"]

#: How many performed actions are remembered.
REMEMBERED: Final = 2000


class Targets:
    """What was made of actions, and where. ``key in targets``: it was performed here of late."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sent: OrderedDict[str, tuple[Sent, Address]] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._sent

    def remember(self, action: Action, sent: Sent) -> None:
        """It has been performed."""
        self._sent[action.key] = sent, action.address
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)

    async def resolved(self, action: Action) -> list[ActionBase]:
        """Targets by the platform's id, in the channel and thread where they were said.

        It is one action, but for the deletion of what made several messages (a long text, files): one for each of them.

        Raises:
            DeliveryError: the target has not been sent.
        """
        if isinstance(action, Send) and action.below is not None:
            return [await self._below(action, action.below)]
        if not isinstance(action, Edit | Delete | React) or action.target.key is None:
            return [action]
        key = action.target.key
        sent, address = await self._performed(key)
        if sent is None:
            raise DeliveryError(f"no action has the key {key}", code="target_not_found")
        if not sent.ids:
            raise DeliveryError(f"{key} made no message that could be changed", code="target_has_no_message")
        ids = sent.ids if isinstance(action, Delete) else sent.ids[:1]
        where = address or action.address
        return [action.model_copy(update={"target": Target(id=id), "address": where}) for id in ids]

    async def _below(self, action: Send, message: Target) -> Send:
        """In the thread of that message; where there is none to be found, in the channel: better there than nowhere."""
        thread = message.id
        if message.key is not None:
            sent, address = await self._performed(message.key)
            if address is not None and address.thread is not None:
                thread = address.thread
            elif sent is not None and sent.ids:
                thread = sent.ids[0]
        address = action.address.in_thread(thread) if thread is not None else action.address
        return action.model_copy(update={"address": address, "below": None})

    async def _performed(self, key: str) -> tuple[Sent | None, Address | None]:
        """What was made of an action, and where; ``None`` for one that is not known.

        Raises:
            DeliveryError: it has not been performed yet.
        """
        if key in self._sent:
            return self._sent[key]
        found, said = await asyncio.to_thread(self._known, key)
        if found is None:
            return None, None
        if found.state == "pending":
            raise DeliveryError(f"{key} has not been sent yet", code="target_not_sent", retry=True)
        return found.sent, said

    def _known(self, key: str) -> tuple[Known | None, Address | None]:
        with reading(self._engine) as connection:
            return look_up(connection, [key]).get(key), said_at(connection, key)
