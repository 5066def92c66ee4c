"""From a message on a skill's queue to its run in the ledger, and back.

Celery's own `Request` acknowledges, retries and reports by itself; ours leaves all of that to the
ledger. The way of one: received, given a slot, claimed (`Bookkeeper.claim`), run in the pool, written
down (`finish` or `fail`), acknowledged.
"""

import logging
import time
import traceback
from typing import TYPE_CHECKING, Any

from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery import signals
from celery.app import trace as celery_trace
from celery.exceptions import InvalidTaskError
from celery.worker import request as celery_request
from celery.worker import state
from kombu.serialization import loads as kombu_loads

from .. import wire
from ..store.ledger import Claim
from ..task import PREFIX

if TYPE_CHECKING:
    from .consumer import Consumer

__all__ = ["Request", "strategy", "trace", "trace_task"]

log = logging.getLogger(__name__)

ACCEPT = frozenset({wire.CONTENT_TYPE})


class Request(celery_request.Request):  # type: ignore[misc]  # Celery has no types
    """A task whose fate is kept in the ledger."""

    def __init__(self, *args: Any, consumer: "Consumer", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.consumer = consumer
        self.skill: str = self.name.removeprefix(PREFIX)
        self.attempt = 0
        self.failures = 0
        self.settled = False
        #: Whether the pool has got it.
        self.given = False

    # -- before it runs ------------------------------------------------------------------------------

    def claim(self) -> None:
        """It has a slot. Not before: what only waits here is nobody's run yet."""
        self.consumer.bookkeeper.claim(self.id, self._claimed)

    def _claimed(self, claim: Claim) -> None:
        if claim.attempt is not None:
            self.attempt, self.failures = claim.attempt, claim.failures
            self._request_dict["dragoman"] = {"attempt": claim.attempt, "taken": time.time()}
            self.give()
            return
        self.consumer.slots.release(self.skill)
        state.task_ready(self)
        if claim.state == "unknown":
            self.consumer.park(self._message, "no run of this id is in the ledger", self.acknowledge)
        else:
            # Delivered again: it is done, parked, or another worker has it (G3). Or its turn has not come: the end of
            # the run before it publishes it.
            self.acknowledge()

    def give(self) -> None:
        """To the pool. While it waited here, Celery may have forgotten it, with a connection that was lost."""
        self.given = True
        state.task_reserved(self)
        self.consumer.on_task_request(self)

    @property
    def dropped(self) -> bool:
        """It was given to the pool, which does not know it any more: nobody will say how it ended."""
        job = self._apply_result() if self._apply_result is not None else None
        return self.given and (job is None or job._job not in job._cache)

    def execute_using_pool(self, pool: Any, **_: Any) -> Any:
        if self.revoked():
            self._fail("revoked by an operator", final=True)
            self.consumer.slots.release(self.skill)
            raise celery_request.TaskRevokedError(self.id)
        processes = pool.uses_semaphore
        result = pool.apply_async(
            # A process finds the task by its name; a thread can be given the task itself.
            trace if processes else trace_task,
            args=(
                self._type if processes else self._task,
                self.id,
                self._request_dict,
                self._body,
                self._content_type,
                self._content_encoding,
            ),
            accept_callback=self.on_accepted,
            timeout_callback=self.on_timeout,
            callback=self.on_success,
            error_callback=self.on_failure,
            soft_timeout=self._task.soft_time_limit,
            timeout=self._task.time_limit,
            correlation_id=self.id,
        )
        self._apply_result = celery_request.maybe(celery_request.ref, result)
        return result

    # -- after it has run: called in the consumer's thread, or in the pool's -------------------------

    def on_success(self, failed__retval__runtime: tuple[int, Any, float], **_: Any) -> None:
        failed, value, runtime = failed__retval__runtime
        if failed:
            self.on_failure(value, return_ok=True)
            return
        state.task_ready(self, successful=True)
        self.consumer.slots.release(self.skill)
        try:
            skill = self.consumer.process.skills.get(self.skill)
            lined = skill is not None and skill.order is not None
            self.consumer.bookkeeper.finish(self.id, self.attempt, value, self.acknowledge, lined=lined)
            self.settled = True
        except Exception as error:  # the pool would only log it, and the run would stay under way for ever
            self._fail(f"its result cannot be written: {_sentence(error)}", final=True)
            return
        self.send_event("task-succeeded", result="", runtime=runtime)

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> None:
        if self.settled:
            return
        state.task_ready(self)
        error = exc_info.exception
        error = getattr(error, "exc", error)
        if state.should_terminate and isinstance(error, Terminated | WorkerLostError | SystemExit):
            return  # The worker is being stopped hard: its runs are handed back when it has ended.
        self.consumer.slots.release(self.skill)
        self._fail(_sentence(error), exc_info.traceback, final=isinstance(error, Terminated))
        if send_failed_event:
            self.send_event("task-failed", exception=_sentence(error), traceback=exc_info.traceback)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if soft:
            return  # The handler gets an exception, and fails with it.
        state.task_ready(self)
        if state.should_terminate or self.settled:
            return
        self.consumer.slots.release(self.skill)
        self._fail(_sentence(TimeLimitExceeded(timeout)))

    def _fail(self, error: str, trace: str = "", *, final: bool = False) -> None:
        self.settled = True
        reference = self.id[:8].upper()
        log.error(
            "%s failed in attempt %d (reference %s, run %s): %s%s",
            self.name,
            self.attempt,
            reference,
            self.id,
            error,
            "\n" + trace if trace else "",
        )
        payload = self._kwargs.get("task") if isinstance(self._kwargs, dict) else None
        self.consumer.bookkeeper.fail(self.id, payload, self.failures, error, self.acknowledge, final=final)


def strategy(task: Any, app: Any, consumer: "Consumer", **_: Any) -> Any:
    """Celery asks a task for the function that receives its messages."""
    eventer = consumer.event_dispatcher

    def receive(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any) -> None:
        try:
            request = Request(
                message,
                on_ack=ack,
                on_reject=reject,
                app=app,
                hostname=consumer.hostname,
                eventer=eventer,
                task=task,
                connection_errors=consumer.connection_errors,
                body=message.body,
                headers=message.headers,
                decoded=False,
                consumer=consumer,
            )
        except Exception as error:
            # Celery's own handling of a malformed body is to let the error stop the consumer.
            raise InvalidTaskError(f"not a task message: {error!r}") from error
        signals.task_received.send(sender=consumer, request=request)
        if eventer and eventer.enabled:
            request.send_event("task-received", name=request.name, args="", kwargs="")
        state.task_reserved(request)
        consumer.slots.offer(request.skill, request)

    return receive


def trace(
    name: str, uuid: str, request: dict[str, Any], body: Any, content_type: str, content_encoding: str
) -> tuple[int, Any, float]:
    """Run a task in a process of the pool, where Celery keeps the tasks that it can run.

    Celery's own function for this sends the parent a shortened *repr* of what the task returned.
    """
    tasks, _, _ = celery_trace._localized
    return trace_task(tasks[name], uuid, request, body, content_type, content_encoding)


def trace_task(
    task: Any, uuid: str, request: dict[str, Any], body: Any, content_type: str, content_encoding: str
) -> tuple[int, Any, float]:
    """Run a task through Celery's tracer: (whether it failed, what it returned or how it failed, seconds)."""
    args, kwargs, _ = kombu_loads(body, content_type, content_encoding, accept=ACCEPT)
    request.update(args=args, kwargs=kwargs, is_eager=False)
    value, failure, runtime, _ = celery_trace.trace_task(task, uuid, args, kwargs, request, app=task.app)
    return (1 if failure else 0), value, runtime


def _sentence(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(type(error), error)).strip()
