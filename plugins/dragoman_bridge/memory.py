"""What the bridge remembers: which messages belong together, where threads go on, and who has put which emoji.

All of it expires. Everything is written before what is said leaves, and written the same way by a retry.

============================= ====================================================================================
in the original's channel
``said ID``                   `Said`: the message of that id, and its copies
``thread ID``                 where a thread goes on whose first message is not known: a handle for each channel
``emoji ID EMOJI``            who has put it on that message or a copy: true, or false after it was taken away
everywhere
``copy DIGEST``               of which original the message with that handle is a copy
============================= ====================================================================================
"""

from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from dragoman import Address, Context, Handle

__all__ = ["Memory", "Said"]

#: Characters of a key.
LONGEST: Final = 256


class Said(BaseModel):
    """A message and its copies.

    Attributes:
        place: the key of the channel where a person said it.
        address, id: the message itself.
        header: what stands in front of it in the copies.
        files: what is said of its files when there are no words, and what is said of them in any case.
        copies: by channel: the handles of what says it there, the words first.
        long: whether the words of a copy may be several messages.
        made_by: the key of the event that made these copies, if not the message itself; ``before`` are those that it
            replaced.
        deleted_by: the key of the event that deleted it; empty while it is there.
    """

    model_config = ConfigDict(frozen=True)

    place: str
    address: str
    id: str
    header: str
    files: tuple[str, str] = ("", "")
    copies: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    long: bool = False
    made_by: str = ""
    before: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    deleted_by: str = ""

    @property
    def message(self) -> Handle:
        """The handle of the original."""
        return Handle.of(Address.parse(self.address), self.id)

    @property
    def everywhere(self) -> dict[str, Handle]:
        """By channel: the original, and the words of its copies."""
        return {self.place: self.message, **{place: Handle.parse(made[0]) for place, made in self.copies.items()}}


class Memory:
    """What is kept in the skill's store, for a time."""

    def __init__(self, ctx: Context[Any], keep: timedelta) -> None:
        self._ctx = ctx
        self._keep = keep

    def original(self, id: str) -> Said | None:
        """What somebody said here (in the channel of the event), and is still there or was deleted by this event."""
        found = self._ctx.store.conversation.get(_key("said", id))
        said = None if found is None else Said.model_validate(found)
        return None if said is None or said.deleted_by not in ("", self._ctx.event.key) else said

    def find(self, id: str) -> tuple[Said, str] | None:
        """The original of any message here, itself or a copy of it, and the key of the channel that this is."""
        if (said := self.original(id)) is not None:
            return said, said.place
        handle = self._ctx.handle_of(id)
        copy = None if handle is None else self._ctx.store.get(_copy(handle))
        if copy is None:
            return None
        found = self._ctx.store.conversation_of(copy["address"]).get(_key("said", copy["id"]))
        said = None if found is None else Said.model_validate(found)
        return None if said is None or said.deleted_by else (said, copy["place"])

    def remember(self, said: Said) -> None:
        """Keep it, and of what its copies are copies."""
        self._ctx.store.conversation_of(said.address).set(
            _key("said", said.id), said.model_dump(mode="json"), expires=self._keep
        )
        for place, made in () if said.deleted_by else said.copies.items():
            for handle in made:
                copy = {"address": said.address, "id": said.id, "place": place}
                self._ctx.store.set(_copy(Handle.parse(handle)), copy, expires=self._keep)

    def thread(self, id: str) -> dict[str, str] | None:
        """Where a thread goes on that began with something unknown; ``None`` if this event is the first of it."""
        found = self._ctx.store.conversation.get(_key("thread", id))
        return None if found is None or found["event"] == self._ctx.event.key else found["handles"]

    def begin(self, id: str, handles: dict[str, str]) -> None:
        """That thread goes on below these."""
        value = {"event": self._ctx.event.key, "handles": handles}
        self._ctx.store.conversation.set(_key("thread", id), value, expires=self._keep)

    def reacted(self, said: Said, emoji: str, who: str, *, added: bool) -> dict[str, bool]:
        """Somebody has put an emoji on it, or taken it away; who has it there now, and who had."""

        def counted(people: dict[str, bool]) -> dict[str, bool]:
            if added or who in people:
                people[who] = added
            return people

        scope = self._ctx.store.conversation_of(said.address)
        people: dict[str, bool] = scope.update(_key("emoji", f"{said.id} {emoji}"), counted, {}, expires=self._keep)
        return people


def _key(what: str, id: str) -> str:
    return f"{what} {id}"[:LONGEST]


def _copy(handle: Handle) -> str:
    return f"copy {sha256(handle.key.encode()).hexdigest()[:40]}"
