"""From a message on a skill's queue to its run in the ledger, and back.

Celery's own `Request` acknowledges, retries and reports by itself; ours leaves all of that to the
ledger. The way of one: received, given a slot, claimed (`Bookkeeper.claim`), run in the pool, written
down (`finish` or `fail`), acknowledged.
"""

import contextlib
import logging
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery import signals
from celery.app import trace as celery_trace
from celery.exceptions import InvalidTaskError
from celery.worker import request as celery_request
from celery.worker import state
from kombu.serialization import loads as kombu_loads

from .. import tracing, wire
from ..exchange.foreign import unacceptable
from ..redaction import redact
from ..retrying import came_at, too_late
from ..store.ledger import Claim
from ..task import PREFIX, Task
from .homeless import missing_handler, nobody_has, pass_on

if TYPE_CHECKING:
    from .consumer import Consumer

__all__ = ["Request", "strategy", "trace", "trace_task"]

log = logging.getLogger(__name__)

ACCEPT = frozenset({wire.CONTENT_TYPE})
#: How a process says of an attempt that it failed, and that the skill has no other one for such an error.
FINAL: Final = 2


class Request(celery_request.Request):  # type: ignore[misc]  # Celery has no types
    """A task whose fate is kept in the ledger."""

    def __init__(self, *args: Any, consumer: "Consumer", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.consumer = consumer
        self.skill: str = self.name.removeprefix(PREFIX)
        self.attempt = 0
        self.failures = 0
        self.replayed_at: float | None = None
        self.settled = False
        self.given = False
        self.began = 0.0
        self.step = tracing.Step("")

    # -- before it runs ------------------------------------------------------------------------------

    def claim(self) -> None:
        """It has a slot. Not before: what only waits here is nobody's run yet."""
        if handler := missing_handler(self):
            pass_on(self, handler)
        else:
            self.claim_now()

    def claim_now(self) -> None:
        self.consumer.bookkeeper.claim(self.id, self._claimed)

    def _claimed(self, claim: Claim) -> None:
        if claim.attempt is not None:
            self.attempt, self.failures, self.replayed_at = claim.attempt, claim.failures, claim.replayed_at
            if handler := missing_handler(self):
                self._give_up(nobody_has(self.skill, handler))
            if self.settled or self._too_late():
                return
            self._begin()
            self.give()
            return
        self.consumer.slots.release(self.skill)
        self.consumer.process.metrics.count_run(self.skill, "skipped")
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

    def _too_late(self) -> bool:
        """It is ours, and too old to begin: it is parked instead."""
        skill = self.consumer.process.skills.get(self.skill)
        if skill is None or skill.give_up_after is None:
            return False
        try:
            task = Task.model_validate(self.task_data())
        except ValueError:
            return False  # the attempt will say what is wrong
        if not too_late(skill, self.replayed_at or came_at(task), time.time()):
            return False
        self._give_up(f"nobody could begin it within {skill.give_up_after:g} s (give_up_after)")
        return True

    def _give_up(self, error: str) -> None:
        """Park it without an attempt."""
        self.settled = True
        self.consumer.slots.release(self.skill)
        state.task_ready(self)
        self.consumer.bookkeeper.fail(self.id, self.task_data(), self.failures, error, self.acknowledge, begun=False)

    def _begin(self) -> None:
        """Its attempt begins: count how long it has waited, and tell the pool what the ledger has told."""
        self.began = time.time()
        task = self.task_data()
        hops, event = task.get("hops"), task.get("event")
        with contextlib.suppress(TypeError, ValueError, IndexError, KeyError):  # then the run will say what is wrong
            self.consumer.process.metrics.observe_wait(self.skill, self.began - float(hops[-1][1]))  # type: ignore[index]
        self.step = tracing.begin(
            "run",
            str(event.get("traceparent", "")) if isinstance(event, dict) else "",
            skill=self.skill,
            handler=str(task.get("handler", "")),
            run=self.id,
            attempt=self.attempt,
        )
        self._request_dict["dragoman"] = {
            "attempt": self.attempt,
            "taken": self.began,
            "traceparent": self.step.traceparent,
        }

    def task_data(self) -> dict[str, Any]:
        """The task as it came, perhaps unreadable."""
        task = self._kwargs.get("task") if isinstance(self._kwargs, dict) else None
        return task if isinstance(task, dict) else {}

    def _ended(self, outcome: str, error: str = "") -> None:
        metrics = self.consumer.process.metrics
        metrics.count_run(self.skill, outcome)
        if self.began:
            metrics.observe_run(self.skill, time.time() - self.began)
        self.step.end(error)

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
            self.on_failure(value, return_ok=True, final=failed == FINAL)
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
        self.consumer.steering.ended(self, None)
        self._ended("done")
        self.send_event("task-succeeded", result="", runtime=runtime)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False, final: bool = False
    ) -> None:
        if self.settled:
            return
        state.task_ready(self)
        error = exc_info.exception
        error = getattr(error, "exc", error)
        if state.should_terminate and isinstance(error, Terminated | WorkerLostError | SystemExit):
            return  # The worker is being stopped hard: its runs are handed back when it has ended.
        self.consumer.slots.release(self.skill)
        self._fail(_sentence(error), exc_info.traceback or "", final=final or isinstance(error, Terminated))
        if send_failed_event:
            self.send_event("task-failed", exception=_sentence(error), traceback=redact(str(exc_info.traceback or "")))

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if soft:
            return  # The handler gets an exception, and fails with it.
        state.task_ready(self)
        if state.should_terminate or self.settled:
            return
        self.consumer.slots.release(self.skill)
        skill = self.consumer.process.skills.get(self.skill)
        final = skill is not None and not issubclass(TimeoutError, skill.retry_on)
        self._fail(_sentence(TimeLimitExceeded(timeout)), final=final)

    def _fail(self, error: str, trace: str = "", *, final: bool = False) -> None:
        self.settled = True
        self.consumer.steering.ended(self, error)
        # What a handler's error says may be anybody's words: its class is enough here.
        self._ended("failed", error.partition(":")[0])
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
        self.consumer.bookkeeper.fail(
            self.id,
            self.task_data(),
            self.failures,
            error,
            self.acknowledge,
            final=final,
            trace=trace,
            since=self.replayed_at,
        )


def strategy(task: Any, app: Any, consumer: "Consumer", **_: Any) -> Any:
    """Celery asks a task for the function that receives its messages."""
    eventer = consumer.event_dispatcher

    def receive(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any) -> None:
        try:
            _verify(message)
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
            _verify_alone(request)
        except Exception as error:
            # Celery's own handling of a malformed body is to let the error stop the consumer.
            raise InvalidTaskError(f"not a task message: {error!r}") from error
        signals.task_received.send(sender=consumer, request=request)
        if eventer and eventer.enabled:
            request.send_event("task-received", name=request.name, args="", kwargs="")
        state.task_reserved(request)
        consumer.slots.offer(request.skill, request)

    return receive


def _verify(message: Any) -> None:
    """Raises ValueError for a message that is not to be read."""
    properties = {"content_type": message.content_type, "content_encoding": message.content_encoding}
    if reason := unacceptable(message.body, message.headers, properties):
        raise ValueError(reason)


def _verify_alone(request: Request) -> None:
    """Raises ValueError for one that asks for more: Celery would publish tasks of any name to any queue."""
    _, _, embed = request._payload
    if further := [name for name, value in (embed or {}).items() if value]:
        raise ValueError(f"it asks for further tasks ({', '.join(further)[:80]})")


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
    """Run a task through Celery's tracer: (whether it failed, what it returned or how it failed, seconds).

    It has failed if the first is 1, and must not be tried again if it is `FINAL`.
    """
    args, kwargs, _ = kombu_loads(body, content_type, content_encoding, accept=ACCEPT)
    request.update(args=args, kwargs=kwargs, is_eager=False)
    value, failure, runtime, _ = celery_trace.trace_task(task, uuid, args, kwargs, request, app=task.app)
    if not failure:
        return 0, value, runtime
    return (FINAL if (request.get("dragoman") or {}).get("final") else 1), value, runtime


def _sentence(error: BaseException) -> str:
    return redact("".join(traceback.format_exception_only(type(error), error)).strip())
