"""Two versions of a skill side by side: a run of a handler that only the other one has is passed on to it."""

import logging
from typing import TYPE_CHECKING

from celery.worker import state

from ..store.homeless import PATIENCE, Homeless, PassedOn

if TYPE_CHECKING:
    from .request import Request

__all__ = ["missing_handler", "nobody_has", "pass_on"]

log = logging.getLogger(__name__)


def missing_handler(request: "Request") -> str:
    """The name of its handler, if this worker's version of the skill does not have it; empty if it does."""
    skill, handler = request.consumer.process.skills.get(request.skill), request.task_data().get("handler")
    return handler if skill is not None and isinstance(handler, str) and handler not in skill.handlers else ""


def pass_on(request: "Request", handler: str) -> None:
    """Have it published again later, for another worker; or claim it, if nobody has had its handler for long."""
    consumer = request.consumer

    def passed_on(outcome: PassedOn) -> None:
        if outcome == "claim":
            request.claim_now()
            return
        consumer.slots.release(request.skill)
        consumer.process.metrics.count_run(request.skill, "skipped")
        state.task_ready(request)
        if outcome != "done":
            log.log(
                logging.WARNING if outcome == "first" else logging.DEBUG,
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
