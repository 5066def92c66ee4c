"""Answers to slash commands, in time.

Discord wants to hear within 3 seconds of an interaction, and takes answers to it for 15 minutes
(https://docs.discord.com/developers/interactions/receiving-and-responding#followup-messages). So:

* The first thing that is said within `patience` seconds is the response (type 4).
* Else Discord is told that it will come (type 5, "is thinking"); the first thing that is said then edits that, and
  what follows is a follow-up.
* After the 15 minutes, or if Discord does not know the interaction (any more), it is said in the channel.

What is known of an interaction, its token above all, is kept by the gateway before the event is handed over
(`AdapterServices.keep_credentials`), so that another process can answer. That one does not know how far the answer has
come, and asks Discord for the response: there is none yet, it says that the bot is thinking, or it is an answer.
Tokens are in no log and in no error.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from dragoman import AdapterServices, DeliveryError, FileRef

from .attachments import attached
from .payload import spoken_at
from .render import Call, response

__all__ = ["Interaction", "Interactions"]

log = logging.getLogger(__name__)

#: Seconds that Discord takes answers; a little less, since clocks differ.
VALID: Final = 14 * 60 + 45.0
#: Seconds in which it wants the first.
SOON: Final = 3.0

#: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-interaction-callback-type
MESSAGE, DEFERRED = 4, 5
#: Discord does not know the interaction or its token (any more); it has had an answer to it.
#: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
#: 10008: somebody has deleted "is thinking" (https://github.com/discord/discord-api-docs/issues/3087).
UNKNOWN: Final = frozenset({"10062", "10015", "10008", "50027", "http_401", "http_404"})
ANSWERED: Final = "40060"
#: There is no response yet; there was one, and it was deleted.
NO_RESPONSE, DELETED = "10015", "10008"
#: https://docs.discord.com/developers/resources/message#message-object-message-flags: "is thinking".
LOADING: Final = 1 << 7
ORIGINAL: Final = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
#: How many interactions are remembered.
MOST: Final = 10_000

Caller = Callable[[Call], Awaitable[Any]]


@dataclass(slots=True)
class Interaction:
    """One use of a command.

    Attributes:
        state: ``new``; ``deferred``: Discord has been told to wait; ``answered``; ``gone``: nothing more can be said;
            ``unknown``: another process may have said something.
        until: when its token ends, by the monotonic clock.
    """

    id: str
    token: str = field(repr=False)
    application: str
    place: str
    until: float
    state: Literal["new", "deferred", "answered", "gone", "unknown"] = "new"
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


class Interactions:
    """The interactions of one account that can still be answered, by the keys of their events.

    Args:
        call: makes a call of the REST API; raises `DeliveryError`.
        patience: seconds to wait for the first thing that is said.
        services: what keeps them for the next process; without, they are only remembered here.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        call: Caller,
        patience: float,
        services: Callable[[], AdapterServices | None] = lambda: None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = call
        self._patience = patience
        self._services = services
        self._clock = clock
        self._known: dict[str, Interaction] = {}
        self._unkept: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, key: str, data: Mapping[str, Any], application: str) -> None:
        """An interaction (``d`` of ``INTERACTION_CREATE``) has come, whose event has that key."""
        id, token, place = (str(data.get(name) or "") for name in ("id", "token", "channel_id"))
        if not token or key in self._known:
            return
        self._add(key, Interaction(id, token, application, place, self._clock() + VALID))
        self._unkept.add(key)

    async def keep(self, key: str, *, again: bool = False) -> None:
        """Have it kept, if the event with that key is an interaction's. Called before the event is handed over.

        While the store is away the event may be handed over all the same: see `keep_rest`.
        """
        services, known = self._services(), self._known.get(key)
        if key not in self._unkept or known is None or services is None:
            return
        until = time.time() + known.until - self._clock()
        secret = {"id": known.id, "token": known.token, "application": known.application, "place": known.place}
        try:
            await services.keep_credentials(key, {**secret, "until": until}, until)
        except Exception as error:  # whatever the store raises
            log.log(
                logging.DEBUG if again else logging.WARNING,
                "the interaction %s could not be kept for a restart yet (%s)",
                known.id,
                type(error).__name__,
            )
            return
        self._unkept.discard(key)

    async def keep_rest(self) -> None:
        """Have those kept that could not be, as long as they can be answered. Called when the store is there."""
        for key in list(self._unkept):
            if key in self._known and self._known[key].until > self._clock():
                await self.keep(key, again=True)
            else:
                self._unkept.discard(key)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The keys of those that have no answer yet and can still get their first."""
        late = self._clock() + VALID - SOON
        return tuple(
            key for key, known in self._known.items() if known.state in ("new", "unknown") and known.until > late
        )

    async def expect(self, key: str) -> None:
        """Another process waited for the answer to this one: so do we. Raises as `recall` does."""
        await self.recall(key, None)

    def find(self, key: str, place: str) -> Interaction | None:
        """The interaction whose event has that key, if it was in that channel or thread and can be answered."""
        found = self._known.get(key)
        if found is None or found.place != place or found.state == "gone":
            return None
        return found if found.until > self._clock() else None

    async def recall(self, key: str, place: str | None) -> Interaction | None:
        """The same, also if it came to another process.

        Raises:
            DeliveryError: what was kept cannot be read now.
        """
        services = self._services()
        if key not in self._known and services is not None:
            try:
                kept = await services.credentials(key)
            except Exception as error:  # whatever the store raises
                raise DeliveryError(
                    f"what answers to a slash command need cannot be read ({type(error).__name__})",
                    code="store",
                    retry=True,
                ) from None
            if kept is not None and key not in self._known:
                id, token, application, where = (
                    str(kept.get(name) or "") for name in ("id", "token", "application", "place")
                )
                left = float(kept.get("until") or 0.0) - time.time()
                self._add(key, Interaction(id, token, application, where, self._clock() + left, "unknown"))
        return self.find(key, place) if place is not None else None

    async def say(
        self, interaction: Interaction, body: Mapping[str, Any], files: tuple[FileRef, ...] = ()
    ) -> str | None:
        """Say it as an answer; the message's id, or ``None`` if it must be said in the channel.

        Raises:
            DeliveryError: Discord refused.
        """
        body = response(body)
        async with interaction.lock:
            try:
                if interaction.state == "unknown":
                    await self._look(interaction)
                match interaction.state:
                    case "new":
                        return await self._respond(interaction, body, files)
                    case "deferred":
                        return await self._edit(interaction, body, files)
                    case "answered":
                        return await self._follow_up(interaction, body, files)
                    case _:
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
            if interaction.state not in ("new", "unknown"):
                return
            try:
                await self._call(_callback(interaction, {"type": DEFERRED}))
            except DeliveryError as error:
                if error.code == ANSWERED:
                    # Ours, an attempt of which we did not hear; or another process said something.
                    interaction.state = "unknown"
                elif not error.retry and interaction.state == "new":
                    log.warning("the interaction %s could not be deferred: %s", interaction.id, error)
                    interaction.state = "gone"
                else:
                    log.info("the interaction %s could not be deferred: %s", interaction.id, error)
                return
            interaction.state = "deferred"

    async def close(self) -> None:
        """Defer nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _add(self, key: str, interaction: Interaction) -> None:
        """Remember it, and see that it is deferred in time."""
        now = self._clock()
        for old in [key for key, known in self._known.items() if known.until <= now]:
            self._forget(old)
        while len(self._known) >= MOST:
            self._forget(next(iter(self._known)))
        self._known[key] = interaction
        task = asyncio.create_task(self._later(interaction))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget(self, key: str) -> None:
        del self._known[key]
        self._unkept.discard(key)

    async def _later(self, interaction: Interaction) -> None:
        await asyncio.sleep(_left(interaction, self._patience))
        if interaction.state == "new" or (interaction.state == "unknown" and _age(interaction) < SOON):
            await self.defer(interaction)

    async def _look(self, interaction: Interaction) -> Mapping[str, Any] | None:
        """See how far the answer has come; the response, if there is one.

        Raises:
            DeliveryError: Discord does not know the interaction, or cannot be asked now.
        """
        try:
            found = await self._call(Call("GET", ORIGINAL, _webhook(interaction)))
        except DeliveryError as error:
            if error.code == NO_RESPONSE:
                interaction.state = "new"
            elif error.code == DELETED:
                interaction.state = "answered"
            else:
                raise
            return None
        message = found if isinstance(found, Mapping) else {}
        flags = message.get("flags")
        interaction.state = "deferred" if isinstance(flags, int) and flags & LOADING else "answered"
        return message

    async def _respond(self, interaction: Interaction, body: Mapping[str, Any], files: tuple[FileRef, ...]) -> str:
        call = _callback(interaction, {"type": MESSAGE, "data": body}, files, with_response="true")
        try:
            answer = await self._call(call)
        except DeliveryError as error:
            if error.code != ANSWERED:
                raise
            # An attempt of ours of which we did not hear that it had succeeded, or another process.
            message = await self._look(interaction)
            if interaction.state == "deferred":
                return await self._edit(interaction, body, files)
            if message is not None and _says(message, body, files):
                return _id(message)
            return await self._follow_up(interaction, body, files)
        interaction.state = "answered"
        resource = answer.get("resource") if isinstance(answer, Mapping) else None
        made = resource.get("message") if isinstance(resource, Mapping) else None
        return _id(made if isinstance(made, Mapping) else await self._look(interaction))

    async def _edit(self, interaction: Interaction, body: Mapping[str, Any], files: tuple[FileRef, ...]) -> str:
        """https://docs.discord.com/developers/interactions/receiving-and-responding#edit-original-interaction-response"""
        answer = await self._call(Call("PATCH", ORIGINAL, _webhook(interaction), body, files=files))
        interaction.state = "answered"
        return _id(answer)

    async def _follow_up(self, interaction: Interaction, body: Mapping[str, Any], files: tuple[FileRef, ...]) -> str:
        """https://docs.discord.com/developers/interactions/receiving-and-responding#create-followup-message"""
        path = "/webhooks/{webhook_id}/{webhook_token}"
        call = Call("POST", path, _webhook(interaction), body, query={"wait": "true"}, files=files)
        return _id(await self._call(call))


def _callback(interaction: Interaction, body: Mapping[str, Any], files: tuple[FileRef, ...] = (), **query: str) -> Call:
    """https://docs.discord.com/developers/interactions/receiving-and-responding#create-interaction-response"""
    ids = {"webhook_id": interaction.id, "webhook_token": interaction.token}
    return Call("POST", "/interactions/{webhook_id}/{webhook_token}/callback", ids, body, query=query, files=files)


def _webhook(interaction: Interaction) -> dict[str, str]:
    return {"webhook_id": interaction.application, "webhook_token": interaction.token}


def _age(interaction: Interaction) -> float:
    """Seconds since it was made, by Discord's clock."""
    return time.time() - spoken_at(interaction.id) if interaction.id.isdecimal() else 0.0


def _left(interaction: Interaction, patience: float) -> float:
    """Seconds of patience that are left: it may have come to another process before. Clocks that differ count not."""
    age = _age(interaction)
    return max(0.0, patience - age) if 0 < age < SOON else patience


def _says(message: Mapping[str, Any], body: Mapping[str, Any], files: tuple[FileRef, ...]) -> bool:
    """Whether a response says just this."""
    same = str(message.get("content") or "").strip() == str(body.get("content") or "").strip()
    return same and attached(files, message.get("attachments"))


def _id(message: Any) -> str:
    found = message.get("id") if isinstance(message, Mapping) else None
    return found if isinstance(found, str) else ""
