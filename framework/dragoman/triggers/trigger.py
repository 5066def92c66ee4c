"""What every trigger has: data in the manifest, a check when it is declared, and an index to find it by.

A trigger is one file here and one line in the table of `dragoman.triggers`. Three parts make it:

* a `Trigger` model, which the manifest carries (so routers know it without the skill's code),
* its ``declare``, whose signature is what authors write: ``@skill.command(...)`` calls `Command.declare`,
* an `Index`, which the router makes for all handlers of that kind, and asks for each event.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..cooldown import Cooldown
from ..model import Frozen
from ..priority import Priority

if TYPE_CHECKING:
    from datetime import datetime

    from ..event import Event
    from ..manifest import HandlerManifest, SkillManifest
    from ..parameter import Parameter

__all__ = ["Candidate", "Declared", "Index", "Occasion", "Place", "Trigger"]


class Place(NamedTuple):
    """A handler and the skill that it is in."""

    skill: SkillManifest
    handler: HandlerManifest

    def __str__(self) -> str:
        return f"{self.skill.name}.{self.handler.name}"


@dataclass(slots=True)
class Occasion:
    """An event, as the indexes look at it.

    Attributes:
        now: when it happened, in the time zone of the person.
        request: what was said to the bot, without its name or prefix in front.
        addressed: whether it was said to the bot.
        commanded: whether a command has taken it.
        taken: whether a command or a pattern has taken it.
    """

    event: Event
    now: datetime
    request: str = ""
    addressed: bool = False
    commanded: bool = False
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A handler that an event may be for.

    Attributes:
        arguments: reads them; raises `ArgumentsError` if what was said does not fit.
        priority: how soon somebody expects an answer.
        command: the command as it was said, if it was one.
        takes: whether nothing else needs to be found for what was said.
    """

    place: Place
    arguments: Callable[[], dict[str, Any]]
    priority: Priority
    command: str = ""
    takes: bool = True

    @property
    def asked(self) -> bool:
        """Whether a person waits for an answer, so a mistake of theirs gets one."""
        return self.priority >= Priority.COMMAND


class Index(ABC):
    """All handlers with one kind of trigger. Made anew whenever the catalogue changes."""

    #: Whether events by other programs count. Programs that answer each other would never stop.
    hears_bots: ClassVar[bool] = False

    @abstractmethod
    def add(self, place: Place, trigger: Any) -> None:
        """Take in a handler.

        Raises:
            CatalogueError: it cannot be matched; the others still are.
        """

    @abstractmethod
    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        """The handlers that this event may be for."""

    def otherwise(self, occasion: Occasion) -> str | None:
        """What to say to a person who spoke to the bot when nothing was found."""
        return None


class Trigger(Frozen):
    """What makes a handler run, as data."""

    kind: str
    #: Whether the handler may have parameters beside its `Context`.
    typed: ClassVar[bool] = True

    def check(self, where: str, parameters: Sequence[Parameter]) -> None:
        """Verify that the handler's parameters can be filled; ``where`` names the handler.

        Raises:
            SkillError: they cannot.
        """

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index | None:
        """An empty index for triggers of this kind; ``None`` if this Dragoman cannot match them."""
        return None


class Declared(NamedTuple):
    """What a decorator of a skill says: the trigger, who may use it, and how often."""

    trigger: Trigger
    allow: tuple[str, ...] = ()
    cooldown: Cooldown | None = None
