"""What is to happen once, at a time: `Context.later` adds it, the scheduler lets it happen."""

import base64
import hashlib
from typing import Annotated, Protocol

from pydantic import Field

from .event import Scheduled
from .manifest import SkillName
from .model import Frozen

__all__ = ["Timer", "Timers", "timer_id"]


def timer_id(text: str) -> str:
    """The same for the same text: 26 letters and digits."""
    digest = hashlib.sha256(text.encode()).digest()[:16]
    return base64.b32encode(digest).decode().rstrip("=").lower()


class Timer(Frozen):
    """A handler of a skill, to be run once.

    Attributes:
        id: says which one it is; adding it twice is adding it once.
        due_at: when, in unix seconds.
        event: what the handler will be given. ``key``, ``due``, ``occurred`` and ``hops`` are filled in then.
    """

    id: Annotated[str, Field(min_length=1, max_length=64)]
    skill: SkillName
    handler: str
    due_at: float
    event: Scheduled


class Timers(Protocol):
    """Where timers are kept."""

    def add(self, timer: Timer) -> None:
        """Keep it until its time has come. One that was added before, even if it has happened, is not added again.

        Raises:
            SkillError: it is too large.
        """
        ...

    def cancel(self, skill: str, id: str) -> bool:
        """Forget it, if it is that skill's; whether it was still to come."""
        ...

    def pending(self, skill: str) -> list[Timer]:
        """Those of a skill that are still to come, the earliest first."""
        ...
