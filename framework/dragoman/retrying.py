"""When a run that failed is tried again, and when it is given up. Times are unix seconds."""

import random
from collections.abc import Callable
from typing import Final

from .skill import Skill
from .task import Task

__all__ = ["BACK_OFF", "LONGEST_BACK_OFF", "came_at", "next_attempt", "too_late", "wait_before"]

#: Seconds before the first retry, at most; doubled for each further one.
BACK_OFF: Final = 1.0
#: No retry waits longer.
LONGEST_BACK_OFF: Final = 300.0


def wait_before(failures: int, draw: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many earlier failures: any time up to twice the last, so that many do not come at once.

    Args:
        draw: a number from 0 to 1.
    """
    # Beyond the cap the power is not needed, and would be too large for a float.
    return draw() * min(BACK_OFF * 2.0 ** min(failures, 64), LONGEST_BACK_OFF)


def came_at(task: Task) -> float:
    """When the event of a run came in; when it happened, if no hop has said so."""
    return task.event.hops[0][1] if task.event.hops else task.event.occurred


def too_late(skill: Skill, since: float, at: float) -> bool:
    """Whether no attempt may begin any more at this time.

    Args:
        since: when the event came in, or when an operator has put the run back.
    """
    return skill.give_up_after is not None and at > since + skill.give_up_after


def next_attempt(
    skill: Skill, failures: int, since: float, now: float, draw: Callable[[], float] = random.random
) -> float | None:
    """When to try again after another failure; ``None``: not any more.

    Args:
        failures: how often it had failed before this time.
        since: see `too_late`.
    """
    if failures >= skill.retries:
        return None
    at = now + wait_before(failures, draw)
    return None if too_late(skill, since, at) else at
