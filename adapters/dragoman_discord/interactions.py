"""Answers to slash commands, in time.

Discord wants to hear within 3 seconds of an interaction, and takes answers to it for 15 minutes
(https://docs.discord.com/developers/interactions/receiving-and-responding#followup-messages). So:

* The first thing that is said within `patience` seconds is the response (type 4).
* Else Discord is told that it will come (type 5, "is thinking"); the first thing that is said then edits that, and
  what follows is a follow-up.
* After the 15 minutes, or if Discord does not know the interaction (any more), it is said in the channel.

Tokens are only kept here, in memory: after a restart, answers go to the channel, and a response that was deferred
stays "thinking" until Discord gives up on it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from dragoman import DeliveryError

from .render import Call, response

__all__ = ["Interaction", "Interactions"]

log = logging.getLogger(__name__)

#: Seconds that Discord takes answers; a little less, since clocks differ.
VALID: Final = 14 * 60 + 45.0

#: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
MESSAGE, DEFERRED = 4, 5
#: Discord does not know the interaction or its token (any more); it has had an answer to it.
#: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
UNKNOWN: Final = frozenset({"10062", "10015", "50027", "http_401", "http_404"})
ANSWERED: Final = "40060"
#: How many interactions are remembered.
MOST: Final = 10_000

Caller = Callable[[Call], Awaitable[Any]]


@dataclass(slots=True)
class Interaction:
    """One use of a command.

    Attributes:
        state: ``new``; ``deferred``: Discord has been told to wait; ``answered``; ``gone``: nothing more can be said.
        until: when its token ends, by the monotonic clock.
    """

    id: str
    token: str
    application: str
    place: str
    until: float
    state: Literal["new", "deferred", "answered", "gone"] = "new"
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Interactions:
    """The interactions of one account that can still be answered, by the keys of their events.

    Args:
        call: makes a call of the REST API; raises `DeliveryError`.
        patience: seconds to wait for the first thing that is said.
        clock: seconds that never go back.
    """

    def __init__(self, call: Caller, patience: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._call = call
        self._patience = patience
        self._clock = clock
        self._known: dict[str, Interaction] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, key: str, data: Mapping[str, Any], application: str) -> None:
        """An interaction (``d`` of ``INTERACTION_CREATE``) has come, whose event has that key."""
        id, token, place = (str(data.get(name) or "") for name in ("id", "token", "channel_id"))
        if not token or key in self._known:
            return
        now = self._clock()
        for old in [key for key, known in self._known.items() if known.until <= now]:
            del self._known[old]
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[key] = interaction = Interaction(id, token, application, place, now + VALID)
        task = asyncio.create_task(self._later(interaction))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def find(self, key: str, place: str) -> Interaction | None:
        """The interaction whose event has that key, if it was in that channel or thread and can be answered."""
        found = self._known.get(key)
        if found is None or found.place != place or found.state == "gone":
            return None
        return found if found.until > self._clock() else None

    async def say(self, interaction: Interaction, body: Mapping[str, Any]) -> str | None:
        """Say it as an answer; the message's id, or ``None`` if it must be said in the channel.

        Raises:
            DeliveryError: Discord refused.
        """
        async with interaction.lock:
            try:
                match interaction.state:
                    case "new":
                        return await self._respond(interaction, response(body))
                    case "deferred":
                        return await self._edit(interaction, response(body))
                    case "answered":
                        return await self._follow_up(interaction, response(body))
                    case "gone":
                        return None
            except DeliveryError as error:
                if error.code not in UNKNOWN:
                    raise
                log.info("the interaction %s takes no answer any more: %s", interaction.id, error)
                interaction.state = "gone"
                return None

    async def defer(self, interaction: Interaction) -> None:
        """Tell Discord that the answer will come later, unless there has been one."""
        async with interaction.lock:
            if interaction.state != "new":
                return
            try:
                await self._call(_callback(interaction, {"type": DEFERRED}))
            except DeliveryError as error:
                if error.code == ANSWERED:
                    interaction.state = "deferred"
                else:
                    log.warning("the interaction %s could not be deferred: %s", interaction.id, error)
                    interaction.state = "new" if error.retry else "gone"
                return
            interaction.state = "deferred"

    async def close(self) -> None:
        """Defer nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _later(self, interaction: Interaction) -> None:
        await asyncio.sleep(self._patience)
        await self.defer(interaction)

    async def _respond(self, interaction: Interaction, body: Mapping[str, Any]) -> str:
        call = _callback(interaction, {"type": MESSAGE, "data": body}, with_response="true")
        try:
            answer = await self._call(call)
        except DeliveryError as error:
            if error.code != ANSWERED:
                raise
            # Ours: an attempt of which we did not hear that it had succeeded. Its message becomes this one.
            return await self._edit(interaction, body)
        interaction.state = "answered"
        resource = answer.get("resource") if isinstance(answer, Mapping) else None
        message = resource.get("message") if isinstance(resource, Mapping) else None
        if isinstance(message, Mapping):
            return _id(message)
        path = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
        return _id(await self._call(Call("GET", path, _webhook(interaction))))

    async def _edit(self, interaction: Interaction, body: Mapping[str, Any]) -> str:
        """https://docs.discord.com/developers/interactions/receiving-and-responding#edit-original-interaction-response"""
        path = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
        answer = await self._call(Call("PATCH", path, _webhook(interaction), body))
        interaction.state = "answered"
        return _id(answer)

    async def _follow_up(self, interaction: Interaction, body: Mapping[str, Any]) -> str:
        """https://docs.discord.com/developers/interactions/receiving-and-responding#create-followup-message"""
        path = "/webhooks/{webhook_id}/{webhook_token}"
        return _id(await self._call(Call("POST", path, _webhook(interaction), body, query={"wait": "true"})))


def _callback(interaction: Interaction, body: Mapping[str, Any], **query: str) -> Call:
    """https://docs.discord.com/developers/interactions/receiving-and-responding#create-interaction-response"""
    ids = {"webhook_id": interaction.id, "webhook_token": interaction.token}
    return Call("POST", "/interactions/{webhook_id}/{webhook_token}/callback", ids, body, query=query)


def _webhook(interaction: Interaction) -> dict[str, str]:
    return {"webhook_id": interaction.application, "webhook_token": interaction.token}


def _id(message: Any) -> str:
    found = message.get("id") if isinstance(message, Mapping) else None
    return found if isinstance(found, str) else ""
