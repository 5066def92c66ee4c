"""Which handlers an event is for: a pure function of the event and the catalogue.

Everything is verified here, before a task is sent: what is claimed twice, what cannot be matched, what a
person may not do and what does not fit is a clear error with the culprits' names, or an answer to the person.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from .access import Access
from .clock import zone
from .cooldown import Cooldown
from .errors import ArgumentsError, CatalogueError
from .event import Event, Message
from .manifest import SkillManifest
from .priority import Priority
from .triggers import KINDS, Candidate, Index, Occasion, Place

__all__ = ["Match", "Matched", "Refused", "Routes", "verify"]

#: Nobody is restricted.
FREE: Final = Access()


@dataclass(frozen=True, slots=True)
class Match:
    """One handler that an event is for.

    Attributes:
        command: the command as it was said, if it was one.
        cooldown: how often the handler may be used, if it is limited.
        ordered: whether it waits for what was said before in its conversation.
        policy: what becomes of it if it has to wait: see `dragoman.manifest.Policy`.
    """

    skill: str
    handler: str
    arguments: dict[str, Any]
    priority: Priority
    command: str = ""
    cooldown: Cooldown | None = None
    ordered: bool = False
    policy: str = "all"


class Refused(NamedTuple):
    """A handler that an event was for and that does not run; for those who ask why.

    Attributes:
        place: such as ``dice.roll``; empty: it is about the whole event.
        why: ``rule``, ``arguments``, ``cooldown``, ``draining`` or ``dropped``.
        detail: in words: which rule, what did not fit, for how many seconds.
    """

    place: str
    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Matched:
    """What to do about an event: run handlers, and perhaps say something to the person at once.

    Attributes:
        refused: which handlers it was for that do not run.
    """

    matches: tuple[Match, ...] = ()
    answer: str | None = None
    refused: tuple[Refused, ...] = field(default=(), compare=False)


@dataclass(slots=True)
class Routes:
    """A catalogue, compiled. ``problems`` names what had to be left out; the elder of two claims is kept.

    Args:
        prefixes: what makes a message a command without the bot's name in front.
        access: who may do what.
        timezone: of people who have not said theirs.
    """

    manifests: Sequence[SkillManifest]
    prefixes: Sequence[str] = ("!",)
    access: Access = FREE
    timezone: str = "UTC"
    problems: list[str] = field(default_factory=list, init=False)
    _indexes: list[Index] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        indexes = {kind: index for kind, trigger in KINDS.items() if (index := trigger.index(self.prefixes))}
        for skill in self.manifests:
            for handler in skill.handlers:
                place = Place(skill, handler)
                index = indexes.get(handler.trigger.kind)
                if index is None:
                    self.problems.append(f"{place} has a trigger of a newer Dragoman: {handler.trigger.kind!r}")
                    continue
                try:
                    index.add(place, handler.trigger)
                except CatalogueError as error:
                    self.problems.append(str(error))
        self._indexes = list(indexes.values())

    def match(self, event: Event) -> Matched:
        """Find the handlers of an event, with their arguments parsed and verified."""
        person = event.person
        occasion = Occasion(
            event=event,
            now=datetime.fromtimestamp(
                event.occurred or time.time(), zone(person.timezone if person else None, self.timezone)
            ),
            request=event.request.strip() if isinstance(event, Message) else "",
            addressed=event.addressed,
        )
        matches: list[Match] = []
        refused: list[Refused] = []
        answer: str | None = None
        by_program = person is not None and person.bot
        for index in self._indexes:
            if by_program and not index.hears_bots:
                continue
            for candidate in index.find(occasion):
                found = self._admit(candidate, event, refused)
                if isinstance(found, Match):
                    matches.append(found)
                else:
                    answer = found or answer
                if found is not None and candidate.takes:
                    occasion.taken = True
                    occasion.commanded |= candidate.asked
        if answer is None and not occasion.taken and not by_program:
            answer = next((said for index in self._indexes if (said := index.otherwise(occasion)) is not None), None)
        return Matched(tuple(matches), answer, tuple(refused))

    def _admit(self, candidate: Candidate, event: Event, refused: list[Refused]) -> Match | str | None:
        """The match; or what to say to the person; or ``None`` if there is nothing to run and nothing to say."""
        skill, handler = candidate.place
        decision = self.access.decide(event.person, event, skill.name, handler)
        if not decision.allowed:
            refused.append(Refused(str(candidate.place), "rule", decision.reason))
            return decision.say if candidate.asked else None
        try:
            arguments = candidate.arguments()
        except ArgumentsError as error:
            refused.append(Refused(str(candidate.place), "arguments", str(error)))
            # What was only overheard and does not fit: nobody asked for anything.
            return f"{error}\n\nUsage: `{error.usage}`" if candidate.asked else None
        return Match(
            skill=skill.name,
            handler=handler.name,
            arguments=arguments,
            priority=candidate.priority,
            command=candidate.command,
            cooldown=handler.cooldown,
            ordered=skill.order == "conversation",
            policy=skill.policy,
        )


def verify(manifests: Sequence[SkillManifest]) -> None:
    """Raise CatalogueError if skills cannot be served together; for the start of a worker and ``check``."""
    if problems := Routes(manifests).problems:
        raise CatalogueError("; ".join(problems))
