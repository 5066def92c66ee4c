"""Two versions of a skill side by side: a run of a handler that only the other one has is passed on to it."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from celery.worker import state

from ..store.homeless import PATIENCE, Homeless, PassedOn

if TYPE_CHECKING:
    from .consumer import Consumer
    from .request import Request

__all__ = ["Aside", "missing_handler", "nobody_has", "pass_on"]

log = logging.getLogger(__name__)

#: Seconds in which a worker leaves a skill's queue to the others: it takes the sweeper `EVERY` to publish what is due.
ASIDE: Final = 2.0


class Aside:
    """A worker that has passed on a run steps aside when it comes back; all in the consumer's thread.

    Valkey gives a message to the one who has waited longest, and all wait for the same time: the same worker could get
    the same run for minutes. As long as it steps aside, it then takes what comes, so what only it can do is
    delayed, not stopped.
    """

    def __init__(self, consumer: "Consumer", clock: Callable[[], float] = time.monotonic) -> None:
        self._consumer = consumer
        self._clock = clock
        self.skills: set[str] = set()
        self._not_before: dict[str, float] = {}

    def step(self, skill: str, wait: float) -> None:
        """After so many seconds leave the queue of this skill alone for a moment."""
        self._consumer.timer.call_after(wait, self._begin, (skill,))

    def _begin(self, skill: str) -> None:
        now = self._clock()
        if now < self._not_before.get(skill, 0.0):
            return
        self._not_before[skill] = now + 2 * ASIDE
        self.skills.add(skill)
        self._consumer.stop_taking(skill)
        self._consumer.timer.call_after(ASIDE, self._end, (skill,))

    def _end(self, skill: str) -> None:
        self.skills.discard(skill)
        self._consumer.take_from(skill)


def missing_handler(request: "Request") -> str:
    """The name of its handler, if this worker's version of the skill does not have it; empty if it does."""
    skill, handler = request.consumer.process.skills.get(request.skill), request.task_data().get("handler")
    return handler if skill is not None and isinstance(handler, str) and handler not in skill.handlers else ""


def pass_on(request: "Request", handler: str) -> None:
    """Have it published again later, for another worker; or claim it, if nobody has had its handler for long."""
    consumer = request.consumer

    def passed_on(found: PassedOn) -> None:
        if found.outcome == "claim":
            request.claim_now()
            return
        consumer.slots.release(request.skill)
        consumer.process.metrics.count_run(request.skill, "skipped")
        state.task_ready(request)
        if found.outcome != "done":
            consumer.aside.step(request.skill, found.wait)
            log.log(
                logging.WARNING if found.outcome == "first" else logging.DEBUG,
                "run %s is passed on: this worker's version of %s has no handler %r",
                request.id,
                request.skill,
                handler,
            )
        request.acknowledge()

    consumer.bookkeeper.pass_on(Homeless(request.id, request.skill, handler), passed_on)


def nobody_has(skill: str, handler: str) -> str:
    """Why such a run is parked."""
    return (
        f"for {PATIENCE:g} s no worker has had a handler {handler!r} of {skill}: start one with a version that has it, "
        "then replay this"
    )
