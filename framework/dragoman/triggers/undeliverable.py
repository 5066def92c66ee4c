"""``@skill.on_undeliverable()``: the platform refused for good what this skill wanted to say or do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from ..event import Undeliverable
from ..priority import Priority
from .trigger import Candidate, Declared, Index, Occasion, Place, Trigger

__all__ = ["UndeliverableIndex", "UndeliverableTrigger"]


class UndeliverableTrigger(Trigger):
    """Refusals of the skill's own actions; see `Undeliverable` for what is known of one."""

    kind: Literal["on_undeliverable"] = "on_undeliverable"
    typed: ClassVar[bool] = False

    @classmethod
    def declare(cls) -> Declared:
        """Run the function when the platform has refused for good what this skill wanted to do.

        Once for each refused action; not for what such a function itself does, nor for optional reactions.
        """
        return Declared(cls())

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index:
        return UndeliverableIndex()


class UndeliverableIndex(Index):
    """The event says whose action it was."""

    #: What was refused may have been an answer to a program.
    hears_bots: ClassVar[bool] = True

    def __init__(self) -> None:
        self._places: dict[str, list[Place]] = {}

    def add(self, place: Place, trigger: Trigger) -> None:
        self._places.setdefault(place.skill.name, []).append(place)

    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        event = occasion.event
        if isinstance(event, Undeliverable):
            for place in self._places.get(event.skill, ()):
                yield Candidate(place, dict, Priority.SCHEDULED)
