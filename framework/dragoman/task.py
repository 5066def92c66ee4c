"""What the router sends to a worker: one run of one handler for one event."""

import base64
import hashlib
from typing import Any, Final, Literal

from pydantic import Field

from .event import Event, Hop
from .manifest import SkillName
from .model import Frozen

__all__ = ["PREFIX", "Task", "run_id", "task_name"]

#: One Celery task name per skill; the handler's name is data.
PREFIX: Final = "dragoman.skill."


def task_name(skill: str) -> str:
    """The Celery task name of a skill."""
    return PREFIX + skill


def run_id(event_key: str, skill: str, handler: str) -> str:
    """The same for the same event and handler, however often it is delivered; 26 letters and digits."""
    digest = hashlib.sha256(f"{event_key}|{skill}.{handler}".encode()).digest()[:16]
    return base64.b32encode(digest).decode().rstrip("=").lower()


class Task(Frozen):
    """The argument of a skill's Celery task.

    Attributes:
        run: the id of the run (see `run_id`); also Celery's task id.
        arguments: the handler's parameters, parsed and verified by the router.
        asked: whether a person waits for its answer (a command), and so for an apology if it fails.
        line: what it runs in turn with; empty if it need not wait. See `dragoman.store.lines`.
        policy: what becomes of it if it has to wait.
        attempt: 1 for the first; set by the worker when it claims the run.
    """

    v: Literal[1] = 1
    run: str
    skill: SkillName
    handler: str
    event: Event
    arguments: dict[str, Any] = Field(default_factory=dict)
    asked: bool = False
    line: str = ""
    policy: str = "all"
    attempt: int = 1
    hops: tuple[Hop, ...] = ()

    @property
    def reference(self) -> str:
        """What a person is told when it fails, and what to look for in the log."""
        return self.run[:8].upper()
