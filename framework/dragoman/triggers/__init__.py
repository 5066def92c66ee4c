"""Triggers: what makes a handler run. One file for each, and one line in the table below.

To add one: write its file beside the others (see `dragoman.triggers.trigger` for the three parts), and its
line in `Declarations`. Skills can declare it, manifests carry it and routers match it from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, Protocol, TypeVar

from ..errors import SkillError
from .command import CommandTrigger
from .hear import HearTrigger
from .mention import MentionTrigger
from .on import OnTrigger
from .schedule import ScheduleTrigger
from .trigger import Candidate, Declared, Index, Occasion, Place, Trigger
from .undeliverable import UndeliverableTrigger
from .webhook import WebhookTrigger

if TYPE_CHECKING:
    from ..skill import Skill

__all__ = [
    "KINDS",
    "Candidate",
    "CommandTrigger",
    "Declarations",
    "HearTrigger",
    "Index",
    "MentionTrigger",
    "Occasion",
    "OnTrigger",
    "Place",
    "ScheduleTrigger",
    "Trigger",
    "UndeliverableTrigger",
    "UnknownTrigger",
    "WebhookTrigger",
    "read_trigger",
]

P = ParamSpec("P")
Function = TypeVar("Function", bound=Callable[..., Any])


class Decorator(Protocol):
    """Leaves the function as it is."""

    def __call__(self, function: Function, /) -> Function: ...


class Declares(Generic[P]):
    """A line of the table: ``skill.NAME(...)`` is the decorator that declares this trigger."""

    def __init__(self, trigger: type[Trigger], declare: Callable[P, Declared]) -> None:
        self.trigger = trigger
        self.declare = declare

    def __get__(self, skill: Skill, owner: type[Skill]) -> Callable[P, Decorator]:
        @wraps(self.declare)
        def declaring(*args: P.args, **kwargs: P.kwargs) -> Decorator:
            try:
                declared = self.declare(*args, **kwargs)
            except SkillError as error:
                raise SkillError(f"skill {skill.name!r}: {error}") from None

            def decorate(function: Function) -> Function:
                skill.add(function, declared)
                return function

            return decorate

        return declaring


class Declarations:
    """The table of triggers. What one takes is not offered to those below it."""

    on = Declares(OnTrigger, OnTrigger.declare)
    schedule = Declares(ScheduleTrigger, ScheduleTrigger.declare)
    webhook = Declares(WebhookTrigger, WebhookTrigger.declare)
    on_undeliverable = Declares(UndeliverableTrigger, UndeliverableTrigger.declare)
    command = Declares(CommandTrigger, CommandTrigger.declare)
    hear = Declares(HearTrigger, HearTrigger.declare)
    mention = Declares(MentionTrigger, MentionTrigger.declare)


#: The triggers of the table by their kind, in its order.
KINDS: Final[Mapping[str, type[Trigger]]] = {
    str(line.trigger.model_fields["kind"].default): line.trigger
    for line in vars(Declarations).values()
    if isinstance(line, Declares)
}


class UnknownTrigger(Trigger):
    """A trigger that a newer worker has published: the handler is not routed to, its neighbours are."""


def read_trigger(value: object) -> object:
    """The model of a manifest's trigger, by its kind."""
    if not isinstance(value, dict):
        return value
    return KINDS.get(str(value.get("kind")), UnknownTrigger).model_validate(value)
