"""Celery's consumer, with three things changed: slots for each skill, runs in the ledger, nothing thrown away.

Celery logs and acknowledges a task that it does not know and a body that it cannot read; here they are
parked among the dead letters.
"""

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Final

from celery.worker import state
from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.consumer.control import Control
from celery.worker.consumer.delayed_delivery import DelayedDelivery
from celery.worker.consumer.tasks import Tasks

from ..exchange.message import Outgoing, dead_letter
from ..exchange.publisher import AsyncPublisher
from ..skill import LONGEST
from ..store.processes import BEAT, forget
from ..sweeper import beating
from .bookkeeper import Bookkeeper
from .process import WorkerProcess
from .request import Request
from .slots import Slots

__all__ = ["Consumer"]

log = logging.getLogger(__name__)

#: Waiting requests of one skill that make a worker stop fetching its queue.
HIGH = 64
#: Seconds before a queue that could not be consumed is tried again.
AGAIN = 1.0


class SkillTasks(Tasks):  # type: ignore[misc]  # Celery has no types
    """The step that starts consuming. Prefetch is counted for each queue, where the broker can do that."""

    def qos_global(self, c: Any) -> bool:
        return False

    def start(self, c: "Consumer") -> None:
        c.begin()
        super().start(c)
        for skill in c.slots.paused():
            # A new connection consumes from all queues again, but what waits here still waits.
            c.pause(skill)


# What Celery requires for these is its own step, which would begin as well: as often as not after ours, and then it is
# its consumer that consumes.


class SkillControl(Control):  # type: ignore[misc]  # likewise
    """The step that listens to Celery's tools."""

    requires = (SkillTasks,)


class SkillDelayedDelivery(DelayedDelivery):  # type: ignore[misc]  # likewise
    """The step for Celery's own delays on quorum queues."""

    requires = (SkillTasks,)


OURS: Final = {step.__base__.__name__: step for step in (SkillTasks, SkillControl, SkillDelayedDelivery)}


class Consumer(CeleryConsumer):  # type: ignore[misc]  # likewise
    """One for each worker, in its parent process."""

    class Blueprint(CeleryConsumer.Blueprint):  # type: ignore[misc]  # likewise
        default_steps: ClassVar = [
            OURS.get(step.partition(":")[2], step) for step in CeleryConsumer.Blueprint.default_steps
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.process: WorkerProcess = self.app.dragoman
        concurrency = self.controller.concurrency
        cap = self.app.conf.dragoman_cap or max(1, concurrency // 2)
        # What waits here is held by us, and RabbitMQ takes back what is held for 30 minutes.
        longest = max((skill.time_limit for skill in self.process.skills.values()), default=LONGEST)
        high = max(1, min(HIGH, int(LONGEST * cap / longest)))
        self.slots: Slots[Request] = Slots(
            concurrency,
            cap,
            high,
            start=Request.claim,
            pause=self.pause,
            resume=self.resume,
        )
        fetch = self.slots.cap + self.slots.high
        # Per queue where the broker counts each consumer's (RabbitMQ); else for the whole channel.
        self.per_queue = self.process.broker.prefetch_per_queue
        self.initial_prefetch_count = fetch if self.per_queue else fetch * max(1, len(self.process.skills))
        self._stopped = threading.Event()
        self._begun = False

    def begin(self) -> None:
        """Start the threads of the parent process: only now, since the pool has forked its children."""
        if self._begun:
            return
        self._begun = True
        self._thread = threading.get_ident()
        self.bookkeeper = Bookkeeper(self.process, self.hub.call_soon if self.hub else None)
        self._dead = AsyncPublisher(self.process.broker, "worker")
        self._dead.start()
        self._heart = beating(self.process.engine, self.process.owner, self._stopped, BEAT)

    def on_close(self) -> None:
        """The broker is gone. Celery drops what it has given to the pool and no process has begun yet, since it would
        come again: but the ledger has it as running here, and so it is given to the pool once more.
        """
        under_way = [request for request in tuple(state.reserved_requests) if request.given]
        super().on_close()
        if self.pool.uses_semaphore:  # threads drop nothing
            for request in under_way:
                if request.dropped:
                    request.give()

    def _update_prefetch_count(self, index: int = 0) -> None:
        """The prefetch count is of our making, not a multiple of the pool's size."""

    def soon(self, function: Callable[..., Any], *args: Any) -> None:
        """Call it in the consumer's thread: at once if this is it, or if there is no loop that could be woken."""
        if self.hub and threading.get_ident() != self._thread:
            self.hub.call_soon(function, *args)
        else:
            function(*args)

    def pause(self, skill: str) -> None:
        """Stop fetching a skill's queue. RabbitMQ does so by itself, by the prefetch count of each queue."""
        if not self.per_queue:
            self.soon(self._cancel, self.process.topology.skill_queue(skill).name)

    def resume(self, skill: str) -> None:
        if not self.per_queue:
            self.soon(self._consume, self.process.topology.skill_queue(skill).name)

    def _cancel(self, queue: str) -> None:
        # Where the connection is gone, the next one begins as `SkillTasks` says. Whoever calls this has more to do,
        # such as writing down how a run ended.
        with contextlib.suppress(*self.connection_errors):
            if self.task_consumer and self.task_consumer.consuming_from(queue):
                self.task_consumer.cancel_by_queue(queue)

    def _consume(self, queue: str) -> None:
        try:
            if self.task_consumer and not self.task_consumer.consuming_from(queue):
                self.task_consumer.add_queue(self.app.amqp.queues[queue])
                self.task_consumer.consume()
        except self.connection_errors:  # as above; and should the connection be there after all, soon again
            self.timer.call_after(AGAIN, self._consume, (queue,))

    # -- nothing is thrown away ----------------------------------------------------------------------

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        self._park(message, f"unknown task {message.headers.get('task')!r}: no skill of this worker has it")

    def on_unknown_message(self, body: Any, message: Any) -> None:
        self._park(message, "not a task message: it names no task")

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        self._park(message, str(exc))

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        self._park(message, f"cannot be read: {exc}")

    def _park(self, message: Any, reason: str) -> None:
        self.park(message, reason, lambda: self.soon(message.ack_log_error, log, self.connection_errors))

    def park(self, message: Any, reason: str, then: Callable[[], object]) -> None:
        """Put a message among the dead letters, then call ``then``; until that is confirmed it stays unacknowledged."""
        info = message.delivery_info or {}
        queue = f"{self.process.topology.namespace}.skill.{info.get('routing_key', '')}"
        log.error("parked a message of %s: %s", queue, reason)
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        body = dead_letter(
            body,
            reason,
            queue=queue,
            routing_key=str(info.get("routing_key", "")),
            headers=message.headers or {},
            properties=message.properties or {},
        )
        letter = Outgoing(
            exchange=self.process.topology.dead,
            routing_key=self.process.topology.dead_key(),
            body=body,
            queues=(self.process.topology.dead_queue(),),
        )
        future = self._dead.submit(letter)

        def confirmed(_: Any) -> None:
            if future.exception() is None:
                then()
            elif not self._stopped.is_set():
                timer = threading.Timer(1.0, self.park, (message, reason, then))
                timer.daemon = True
                timer.start()

        future.add_done_callback(confirmed)

    # -- stopping ------------------------------------------------------------------------------------

    def shutdown(self) -> None:
        super().shutdown()
        if self._stopped.is_set() or not self._begun:
            return
        self._stopped.set()
        self._heart.join()
        # What was claimed and did not run, or was said and not published, is handed back by the ledger.
        self.bookkeeper.close()
        self._dead.close()
        try:
            with self.process.engine.begin() as connection:
                forget(connection, self.process.owner)
        except Exception as error:
            log.warning("could not hand back unfinished runs: %s; they are taken over in a few seconds", error)
        self.process.close()
