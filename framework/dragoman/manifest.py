"""A skill described as data: what router, gateway and help know of it without having its code."""

import hashlib
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny

from . import wire
from .cooldown import Cooldown
from .model import Frozen
from .parameter import Parameter
from .triggers import CommandTrigger, Trigger, read_trigger

__all__ = ["HandlerManifest", "Policy", "SkillManifest", "SkillName"]

# A skill's name is part of a queue's name and of a task's name: no dots.
SkillName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


#: What becomes of messages that come while a skill that wants them in order is busy with one before.
Policy = Literal["all", "latest", "drop_while_busy"]


class HandlerManifest(Frozen):
    """One handler: its name within the skill, what triggers it, and what to say of it.

    Attributes:
        allow: the roles that may use it; empty for everybody.
        cooldown: how often it may be used; ``None`` for any number of times.
    """

    name: str
    trigger: Annotated[SerializeAsAny[Trigger], BeforeValidator(read_trigger)]
    summary: str = ""
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    allow: tuple[str, ...] = ()
    cooldown: Cooldown | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of a command: its name, then its aliases."""
        return self.trigger.names if isinstance(self.trigger, CommandTrigger) else ()


class SkillManifest(Frozen):
    """A skill as published in the catalogue.

    Attributes:
        pool: the name of the pool of workers that serves it; see `dragoman.skill.Skill`.
        retries: how many times a failed run is tried again.
        time_limit: seconds that a run may take.
        hard_time_limit: seconds after which it is ended; ``None`` if that is soon after ``time_limit``.
        give_up_after: seconds after its event came in which an attempt may begin; ``None`` for any.
        order: ``conversation`` if the messages of one conversation run one after another.
        policy: which of those that wait for their turn run: `Policy`, or a newer Dragoman's, which is as ``all``.
        origin: the distribution and version that it comes from, for people.
    """

    v: Literal[1] = 1
    name: SkillName
    summary: str = ""
    pool: str = "default"
    retries: int = 2
    time_limit: float = 60.0
    hard_time_limit: float | None = None
    give_up_after: float | None = None
    order: str | None = None
    policy: str = "all"
    origin: str = ""
    handlers: tuple[HandlerManifest, ...] = ()

    def digest(self) -> str:
        """Changes when anything in the manifest does."""
        return hashlib.sha256(wire.encode(self)).hexdigest()[:16]

    def commands(self) -> tuple[HandlerManifest, ...]:
        """The handlers that are commands."""
        return tuple(handler for handler in self.handlers if handler.names)
