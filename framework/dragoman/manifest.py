"""A skill described as data: what router, gateway and help know of it without having its code."""

import hashlib
from typing import Annotated, Any, Literal

from pydantic import Field

from . import wire
from .model import Frozen

__all__ = [
    "CommandTrigger",
    "HandlerManifest",
    "HearTrigger",
    "OnTrigger",
    "Parameter",
    "ParameterKind",
    "SkillManifest",
    "SkillName",
    "Trigger",
]

# A skill's name is part of a queue's name and of a task's name: no dots.
SkillName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]

#: The closed set of what the router can parse and verify before a task is sent.
ParameterKind = Literal["text", "integer", "number", "boolean", "choice"]


class Parameter(Frozen):
    """One parameter of a command.

    Attributes:
        kind: how the router reads it.
        required: whether there is no default.
        default: what the handler gets when it is left out.
        choices: for the kind ``choice``, what may be said.
        ge, le: smallest and largest number, or ``None``.
        flag_only: keyword-only in the signature: said as ``--name value``.
        rest: the last text of a command takes the rest of the line.
    """

    name: str
    kind: ParameterKind = "text"
    required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()
    ge: float | None = None
    le: float | None = None
    flag_only: bool = False
    rest: bool = False
    description: str = ""


class CommandTrigger(Frozen):
    """The first word of what is said to the bot. ``names``: the name, then its aliases."""

    kind: Literal["command"] = "command"
    names: tuple[str, ...]


class HearTrigger(Frozen):
    """A pattern somewhere in what anybody says; Python's syntax and meaning, see `dragoman.patterns`."""

    kind: Literal["hear"] = "hear"
    pattern: str
    ignore_case: bool = True


class OnTrigger(Frozen):
    """Events of one kind, such as ``reaction``."""

    kind: Literal["on"] = "on"
    event: str


Trigger = Annotated[CommandTrigger | HearTrigger | OnTrigger, Field(discriminator="kind")]


class HandlerManifest(Frozen):
    """One handler: its name within the skill, what triggers it, and what to say of it."""

    name: str
    trigger: Trigger
    summary: str = ""
    description: str = ""
    parameters: tuple[Parameter, ...] = ()


class SkillManifest(Frozen):
    """A skill as published in the catalogue.

    Attributes:
        pool: the name of the pool of workers that serves it; see `dragoman.skill.Skill`.
        retries: how many times a failed run is tried again.
        time_limit: seconds that a run may take.
        origin: the distribution and version that it comes from, for people.
    """

    v: Literal[1] = 1
    name: SkillName
    summary: str = ""
    pool: str = "default"
    retries: int = 2
    time_limit: float = 60.0
    origin: str = ""
    handlers: tuple[HandlerManifest, ...] = ()

    def digest(self) -> str:
        """Changes when anything in the manifest does."""
        return hashlib.sha256(wire.encode(self)).hexdigest()[:16]

    def commands(self) -> tuple[HandlerManifest, ...]:
        """The handlers that are commands."""
        return tuple(h for h in self.handlers if isinstance(h.trigger, CommandTrigger))
