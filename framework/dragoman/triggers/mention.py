"""``@skill.mention()``: whatever is said to the bot that no command and no pattern takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

from ..arguments import parse
from ..cooldown import Cooldown
from ..event import Message
from ..priority import Priority
from .trigger import Candidate, Declared, Index, Occasion, Place, Trigger

__all__ = ["MentionIndex", "MentionTrigger"]


class MentionTrigger(Trigger):
    """Said to the bot, and nothing else takes it."""

    kind: Literal["mention"] = "mention"

    @classmethod
    def declare(cls, *, allow: Sequence[str] = (), cooldown: Cooldown | None = None) -> Declared:
        """Run the function for what is said to the bot that is no command, and that no pattern hears.

        A parameter ``text: str`` gets what was said. Where there is such a handler, the bot no longer says
        that it does not know something.
        """
        return Declared(cls(), tuple(allow), cooldown)

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index:
        return MentionIndex()


class MentionIndex(Index):
    def __init__(self) -> None:
        self._places: list[Place] = []

    def add(self, place: Place, trigger: MentionTrigger) -> None:
        self._places.append(place)

    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        if occasion.taken or occasion.commanded or not occasion.addressed or not isinstance(occasion.event, Message):
            return
        for place in self._places:
            parameters = place.handler.parameters
            yield Candidate(
                place,
                partial(
                    parse, place.handler.name, parameters, occasion.request if parameters else "", now=occasion.now
                ),
                Priority.COMMAND,
            )
