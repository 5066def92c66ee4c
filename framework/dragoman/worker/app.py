"""The Celery app, built by a function and passed in: nothing is global to the module."""

import time
from collections.abc import Collection, Mapping
from typing import Any

from billiard.exceptions import SoftTimeLimitExceeded
from celery import Celery, signals
from celery import Task as CeleryTask

from .. import redaction, tracing, wire
from ..action import Action
from ..address import Address
from ..environment import Environment, make_context
from ..errors import SkillError
from ..exchange.broker import Broker
from ..exchange.topology import Topology
from ..metrics import Metrics
from ..run import find_handler, run, run_async
from ..skill import Skill
from ..store.processes import Process
from ..task import Task, task_name
from .process import WorkerProcess

__all__ = ["SkillTask", "build_app"]


# Under `celery -A dragoman.celery worker` it is Celery that sets up the logs.
@signals.after_setup_logger.connect  # type: ignore[untyped-decorator]  # Celery has no types
@signals.after_setup_task_logger.connect  # type: ignore[untyped-decorator]  # likewise
def _log_without_secrets(logger: Any, **_: Any) -> None:
    redaction.install([logger])


class SkillTask(CeleryTask):  # type: ignore[misc]  # Celery has no types
    """A skill as a Celery task: one for each skill; which handler to run is data."""

    Request = "dragoman.worker.request:Request"
    Strategy = "dragoman.worker.request:strategy"
    abstract = True
    acks_late = True
    ignore_result = True
    typing = False
    skill: Skill

    def run(self, task: Mapping[str, Any]) -> list[bytes]:
        """Run one handler; what it said that has not left yet."""
        process: WorkerProcess = self.app.dragoman
        given = getattr(self.request, "dragoman", None) or {}
        found = Task.model_validate(task)
        traceparent = given.get("traceparent") or found.event.traceparent
        if traceparent != found.event.traceparent:
            found = found.model_copy(update={"event": found.event.model_copy(update={"traceparent": traceparent})})
        found = found.model_copy(
            update={
                "attempt": given.get("attempt", 1),
                "hops": (*found.hops, ("worker", given.get("taken", time.time()))),
            }
        )
        handler = find_handler(self.skill, found)
        context = make_context(self.skill, found, process.services, process.environment, time.time)

        def call() -> tuple[Action, ...]:
            if handler.coroutine:
                coroutine = run_async(handler, found, context)
                return process.run_coroutine(coroutine, self.skill.time_limit, self.skill.ends_after)
            return run(handler, found, context)

        with tracing.within(traceparent):
            try:
                return [_encoded(action) for action in process.environment.around(context, call)]
            except Exception as error:
                # Here, where its class is known: the parent of a pool may get another one in its place.
                given["final"] = not _retried(self.skill, error)
                raise


def build_app(
    skills: Mapping[str, Skill],
    *,
    broker: Broker,
    topology: Topology,
    store_url: str,
    queues: Collection[str] | None = None,
    role: str = "worker",
    cap: int | None = None,
    environment: Environment | None = None,
    metrics: Metrics | None = None,
    breaker: tuple[int, float, Address | None] = (20, 60.0, None),
    max_memory: int | None = None,
) -> Celery:
    """The Celery app of a worker.

    Args:
        skills: by name: what this worker can run.
        queues: the skills whose queues it consumes from; all of them if left out.
        role: the name of the pool; workers of different pools do not disturb each other on Redis.
        cap: tasks of one skill in flight at once; half of the slots if left out.
        environment: what the settings say that handlers can see.
        metrics: what the parent process counts.
        breaker: failed attempts in a row that pause a skill, for how many seconds at first, and who is told.
        max_memory: bytes of a process of the pool, which is replaced after a run that left it larger.
    """
    app = Celery("dragoman", set_as_current=False, broker=broker.url)
    app.dragoman = WorkerProcess(
        skills, store_url, broker, topology, Process(role), environment or Environment(), metrics
    )
    app.conf.update(
        broker_transport=broker.transport,
        broker_use_ssl=broker.ssl or False,
        broker_transport_options=broker.transport_options(role),
        broker_connection_retry_on_startup=True,
        broker_heartbeat=30,
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        event_serializer="json",
        task_queues=[topology.skill_queue(name) for name in sorted(queues or skills)],
        task_create_missing_queues=False,
        task_default_queue=topology.skill_queue(min(queues or skills, default="none")).name,
        control_exchange=f"{topology.namespace}.control",
        event_exchange=f"{topology.namespace}.tasks",
        event_queue_prefix=f"{topology.namespace}.tasks",
        task_ignore_result=True,
        worker_consumer="dragoman.worker.consumer:Consumer",
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_enable_prefetch_count_reduction=False,
        # A run that is under way when the connection breaks goes on; the ledger keeps it from running twice.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        enable_utc=True,
        dragoman_cap=cap,
        dragoman_breaker=breaker,
        # https://docs.celeryq.dev/en/stable/userguide/configuration.html#worker-max-memory-per-child (in KiB)
        worker_max_memory_per_child=max_memory and max(1, max_memory // 1024),
    )
    for name, skill in skills.items():
        task = type(
            f"SkillTask_{name}",
            (SkillTask,),
            {
                "name": task_name(name),
                "skill": skill,
                "soft_time_limit": skill.time_limit,
                "time_limit": skill.ends_after,
                "__module__": __name__,
            },
        )
        app.register_task(task())
    return app


def _retried(skill: Skill, error: Exception) -> bool:
    """Whether the skill's policy has another attempt for such an error."""
    if isinstance(error, SoftTimeLimitExceeded):
        return issubclass(TimeoutError, skill.retry_on)
    return isinstance(error, skill.retry_on)


def _encoded(action: Action) -> bytes:
    """Where a handler says too much, it fails as it would for any other mistake of its own."""
    body = wire.encode(action)
    if len(body) > wire.MAX_BYTES:
        raise SkillError(
            f"an answer of {len(body)} bytes is more than {wire.MAX_BYTES}: say it in several, or attach a file"
        )
    return body
