"""What a run asks of the platform: who somebody is, what a channel is called. The directory is asked first."""

import time
from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import quote

from .action import LookUp
from .address import NOWHERE
from .errors import SkillError
from .event import ChannelInfo, Person
from .services import Services
from .task import Task

__all__ = ["ask_channel", "ask_person"]

T = TypeVar("T")

#: Characters of a platform's id.
LONGEST_ID: Final = 256
#: Seconds that the platform is waited for, and between two looks into the directory.
LOOK_UP: Final = 5.0
LOOK: Final = 0.05


def ask_person(task: Task, services: Services, prefix: str, wanted: str) -> Person | None:
    """Somebody by id; ``None`` if nobody knows them. ``prefix``: of the keys of the run's actions.

    Raises:
        SkillError: it is no id.
    """
    if not _is_id(wanted):
        raise SkillError(f"ctx.look_up: {wanted[:60]!r} is no person's id")
    here = task.event.address
    asked = LookUp(
        # Not an ordinal: a retry, which finds them in the directory, must number its answers the same way.
        key=f"{prefix}|look up {quote(wanted, safe='', errors='replace')}",
        address=here,
        person=wanted,
        traceparent=task.event.traceparent,
    )
    return _ask(task, services, asked, lambda: services.person(here.account, here.tenant, wanted))


def ask_channel(task: Task, services: Services, prefix: str, wanted: str) -> ChannelInfo | None:
    """A channel by id, in the same way.

    Raises:
        SkillError: it is no id.
    """
    if not _is_id(wanted):
        raise SkillError(f"ctx.look_up_channel: {wanted[:60]!r} is no channel's id")
    here = task.event.address
    asked = LookUp(
        key=f"{prefix}|look up channel {quote(wanted, safe='', errors='replace')}",
        address=here,
        channel=wanted,
        traceparent=task.event.traceparent,
    )
    return _ask(task, services, asked, lambda: services.channel(here.account, here.tenant, wanted))


def _ask(task: Task, services: Services, asked: LookUp, find: Callable[[], T | None]) -> T | None:
    found = find()
    if found is not None or asked.address == NOWHERE:
        return found
    services.leave(task, [asked])
    until = time.monotonic() + LOOK_UP
    while found is None and time.monotonic() < until:
        ended = services.sent(asked.key) is not None
        found = find()
        if ended:
            break
        time.sleep(0 if found else LOOK)
    return found


def _is_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and "\0" not in text
