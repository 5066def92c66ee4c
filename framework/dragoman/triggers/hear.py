"""``@skill.hear(pattern)``: a pattern somewhere in what anybody says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

from ..arguments import convert
from ..cooldown import Cooldown
from ..errors import CatalogueError, SkillError
from ..event import Message
from ..parameter import Parameter
from ..patterns import Pattern, PatternSet
from ..priority import Priority
from .trigger import Candidate, Declared, Index, Occasion, Place, Trigger

__all__ = ["HearIndex", "HearTrigger"]


class HearTrigger(Trigger):
    """A pattern somewhere in what anybody says; Python's syntax and meaning, see `dragoman.patterns`."""

    kind: Literal["hear"] = "hear"
    pattern: str
    ignore_case: bool = True

    @classmethod
    def declare(
        cls, pattern: str, *, ignore_case: bool = True, allow: Sequence[str] = (), cooldown: Cooldown | None = None
    ) -> Declared:
        """Run the function when anybody's message has the pattern in it; named groups become parameters.

        Args:
            allow: the roles that it listens to; everybody if left out.
            cooldown: how often it may run; nobody is told when it does not.
        """
        if callable(pattern):
            raise SkillError("write @skill.hear(...) with a pattern")
        Pattern(pattern, ignore_case=ignore_case)  # raises if it is none
        return Declared(cls(pattern=pattern, ignore_case=ignore_case), tuple(allow), cooldown)

    def check(self, where: str, parameters: Sequence[Parameter]) -> None:
        groups = Pattern(self.pattern, ignore_case=self.ignore_case).names
        for parameter in parameters:
            if parameter.required and parameter.name not in groups:
                raise SkillError(f"{where}: the pattern {self.pattern!r} has no group (?P<{parameter.name}>...)")

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index:
        return HearIndex()


class HearIndex(Index):
    """All patterns in one automaton: the time depends on the text and not on how many there are."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._patterns: list[Pattern] = []
        self._set: PatternSet | None = None

    def add(self, place: Place, trigger: HearTrigger) -> None:
        try:
            self._patterns.append(Pattern(trigger.pattern, ignore_case=trigger.ignore_case))
        except CatalogueError as error:
            raise CatalogueError(f"{place} cannot be heard: {error}") from None
        self._places.append(place)
        self._set = None

    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        if occasion.commanded or not self._places or not isinstance(occasion.event, Message):
            return
        if self._set is None:
            self._set = PatternSet(self._patterns)
        for number, groups in self._set.search(occasion.event.content.plain):
            place = self._places[number]
            yield Candidate(
                place,
                partial(convert, place.handler.name, place.handler.parameters, groups, now=occasion.now),
                Priority.OVERHEARD,
            )
