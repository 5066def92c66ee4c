"""``@skill.on(event)``: every event of one kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, Literal

from ..cooldown import Cooldown
from ..errors import SkillError
from ..priority import Priority
from .trigger import Candidate, Declared, Index, Occasion, Place, Trigger

__all__ = ["OnIndex", "OnTrigger"]

#: What can be waited for. Commands, schedules and webhooks have triggers of their own.
EVENTS: Final = ("message", "edited", "deleted", "reaction", "member_joined", "person_changed")


class OnTrigger(Trigger):
    """Events of one kind, such as ``reaction``; those by other programs as well."""

    kind: Literal["on"] = "on"
    typed: ClassVar[bool] = False
    event: str

    @classmethod
    def declare(cls, event: str, *, allow: Sequence[str] = (), cooldown: Cooldown | None = None) -> Declared:
        """Run the function for every event of a kind: message, edited, deleted, reaction, member_joined,
        person_changed."""
        if event not in EVENTS:
            raise SkillError(f"on({event!r}): there are the events {', '.join(EVENTS)}")
        return Declared(cls(event=event), tuple(allow), cooldown)

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index:
        return OnIndex()


class OnIndex(Index):
    hears_bots: ClassVar[bool] = True

    def __init__(self) -> None:
        self._places: dict[str, list[Place]] = {}

    def add(self, place: Place, trigger: OnTrigger) -> None:
        self._places.setdefault(trigger.event, []).append(place)

    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        for place in self._places.get(occasion.event.kind, ()):
            yield Candidate(place, dict, Priority.OVERHEARD, takes=False)
