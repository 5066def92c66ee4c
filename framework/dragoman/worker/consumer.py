"""Celery's consumer, with three things changed: slots for each skill, runs in the ledger, nothing thrown away.

Celery logs and acknowledges a task that it does not know and a body that it cannot read; here they are
parked among the dead letters.
"""

import contextlib
import functools
import logging
import threading
from collections.abc import Callable
from typing import Any, ClassVar

from celery.worker import state
from celery.worker.consumer import Consumer as CeleryConsumer

from ..exchange.foreign import refuse_compressed
from ..exchange.message import Outgoing, dead_letter
from ..exchange.publisher import AsyncPublisher
from ..messages import action_message
from ..skill import LONGEST
from ..store.processes import BEAT, forget
from ..sweeper import beating
from ..task import task_name
from .bookkeeper import Bookkeeper
from .breaker import Breaker
from .calls import Calls
from .canary import Canary
from .homeless import Aside
from .process import WorkerProcess
from .request import Request
from .slots import Slots
from .steering import Steering
from .steps import OURS

__all__ = ["Consumer"]

log = logging.getLogger(__name__)

#: Seconds in which the loop of a worker that is well turns at least once.
MOVES = 2.5
#: Seconds before a queue is consumed from after all, if that could not be done.
AGAIN = 1.0
#: Seconds before a broker that is away is looked for again: the first time, more each time, and at most.
RECONNECT = (0.2, 0.2, 2.0)
#: Waiting requests of one skill that make a worker stop fetching its queue.
HIGH = 64


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
            concurrency, cap, high, start=self._start, pause=self.pause, resume=self.resume
        )
        self.per_queue = self.process.broker.prefetch_per_queue
        self.initial_prefetch_count = self._prefetch(self.slots.cap)
        self.steering = self._steering()
        self.aside = Aside(self)
        #: Whether its queues are chosen: only then may another be added, or one be taken out.
        self.taking = False
        self._stopped = threading.Event()
        self._begun = False
        self._calls = Calls(self.hub, self.connection_errors) if self.hub else None

    def _prefetch(self, cap: int) -> int:
        """Per queue where the broker counts each consumer's (RabbitMQ); else for the whole channel."""
        fetch = cap + self.slots.high
        return fetch if self.per_queue else fetch * max(1, len(self.process.skills)) + 1

    def _steering(self) -> Steering:
        process, (failures, seconds, operator) = self.process, self.app.conf.dragoman_breaker
        breaker = Breaker(
            process.engine,
            process.owner.id,
            failures=failures,
            seconds=seconds,
            operator=operator,
            publish=lambda action: self._dead.submit(action_message(process.topology, action)),
        )
        # Where everything is in one process, there is no connection that could be lost.
        alone = process.broker.family == "memory"
        queue = process.topology.canary_queue(process.owner.id)
        canary = None if alone else Canary(queue, lambda message: self._dead.submit(message))
        return Steering(self, breaker, canary, self.call_soon)

    def _start(self, request: Request) -> None:
        self.steering.began(request)
        request.claim()

    def begin(self) -> None:
        """Start the threads of the parent process: only now, since the pool has forked its children."""
        if self._begun:
            return
        self._begun = True
        refuse_compressed()
        self._thread = threading.get_ident()
        self.bookkeeper = Bookkeeper(self.process, self.call_soon if self.hub else None)
        self._dead = AsyncPublisher(self.process.broker, "worker")
        self._dead.start()
        self._heart = beating(self.process.engine, self.process.owner, self._stopped, BEAT, self.process.serve)
        self.steering.start()
        self.process.begun(self)

    @property
    def connected(self) -> bool:
        """Whether the broker is there; from any thread."""
        connection = self.connection
        return bool(connection is not None and connection.connected)

    def ensure_connected(self, conn: Any) -> Any:
        """Wait until the broker is there. Celery would look for it less often, and the ends of runs wait for it too."""
        start, step, most = RECONNECT
        conn.ensure_connection = functools.partial(
            conn.ensure_connection, interval_start=start, interval_step=step, interval_max=most
        )
        try:
            return super().ensure_connected(conn)
        finally:
            del conn.ensure_connection  # it is the connection's own again

    def standing(self) -> str:
        """What is wrong if its thread has ended or does not move; empty if it moves. From any other thread."""
        if not self._heart.is_alive():
            return "nobody says any more that this worker is alive"
        if not self.hub or not self.connected:  # while it waits for the broker, it turns no loop
            return ""
        moved = threading.Event()
        self.call_soon(moved.set)
        return "" if moved.wait(MOVES) else f"the worker's loop has stood still for {MOVES:g} s"

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

    def update_strategies(self) -> None:
        """Tasks that can be asked for: the skills of this worker, and none of those that Celery brings along."""
        super().update_strategies()
        declared = {task_name(skill) for skill in self.process.skills}
        for name in self.strategies.keys() - declared:
            del self.strategies[name]

    def _update_prefetch_count(self, index: int = 0) -> None:
        """The prefetch count is of our making, not a multiple of the pool's size."""

    def call_soon(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As Celery's, which it acknowledges with; but nothing is lost when a connection is."""
        return self._calls(p, *args, **kwargs) if self._calls else super().call_soon(p, *args, **kwargs)

    def soon(self, function: Callable[..., Any], *args: Any) -> None:
        """Call it in the consumer's thread: at once if this is it, or if there is no loop that could be woken."""
        if self.hub and threading.get_ident() != self._thread:
            self.call_soon(function, *args)
        else:
            function(*args)

    def pause(self, skill: str) -> None:
        """Too much of it waits here. RabbitMQ stops by itself, by the prefetch count of each queue."""
        if not self.per_queue:
            self.soon(self.stop_taking, skill)

    def resume(self, skill: str) -> None:
        if not self.per_queue:
            self.soon(self.take_from, skill)

    def not_taken(self) -> frozenset[str]:
        """The skills whose queues are not consumed: somebody said so, others go first, or too much waits here."""
        reasons = frozenset(self.steering.held | self.aside.skills)
        return reasons if self.per_queue else reasons | self.slots.paused()

    def stop_taking(self, skill: str) -> None:
        """Consume from this skill's queue no more; in the consumer's thread."""
        # Where the connection is gone, the next one begins with what `not_taken` says then. Whoever calls this has
        # more to do, such as writing down how a run ended.
        with contextlib.suppress(*self.connection_errors):
            if self.taking:
                self.task_consumer.cancel_by_queue(self.process.topology.skill_queue(skill).name)

    def take_from(self, skill: str) -> None:
        """Consume from this skill's queue, unless there is still a reason not to; in the consumer's thread."""
        queue = self.process.topology.skill_queue(skill).name
        try:
            if self.taking and skill not in self.not_taken() and not self.task_consumer.consuming_from(queue):
                self.task_consumer.add_queue(self.app.amqp.queues[queue])
                self.task_consumer.consume()
        except self.connection_errors:  # as above; and should the connection be there after all, soon again
            self.timer.call_after(AGAIN, self.take_from, (skill,))

    def busy(self) -> bool:
        """Whether it fetches nothing because of all that it holds already."""
        if self.per_queue or not self.taking:
            return False
        return bool(state.reserved_requests) and not self.task_consumer.channel.qos.can_consume()

    def grow(self, total: int) -> None:
        """Have a pool of so many slots, and fetch enough for them. It stays so large until the worker ends."""
        more = total - self.pool.num_processes
        if more > 0 and self.pool.uses_semaphore:
            self.pool.grow(more)
        elif more > 0:
            # An executor makes a thread when it needs one, up to this number, which is read each time.
            self.pool.limit = self.pool.executor._max_workers = total
        fetch = self._prefetch(max(self.slots.cap, total))
        if fetch <= self.initial_prefetch_count:
            return
        self.initial_prefetch_count = fetch
        if not self.taking:
            return
        self.task_consumer.qos(prefetch_count=fetch, apply_global=False)
        if self.per_queue:  # it is for those who begin to consume
            for skill in self.process.skills:
                self.stop_taking(skill)
                self.take_from(skill)

    # -- nothing is thrown away ----------------------------------------------------------------------

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        self._park(message, f"unknown task {message.headers.get('task')!r}: no skill of this worker has it")

    def on_unknown_message(self, body: Any, message: Any) -> None:
        canary = self.steering.canary
        if canary is not None and (message.delivery_info or {}).get("routing_key") == canary.queue.name:
            canary.seen()
            message.ack_log_error(log, self.connection_errors)
            return
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
                self.process.metrics.count_dead("message")
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
        self.steering.stop()
        # What was claimed and did not run, or was said and not published, is handed back by the ledger.
        self.bookkeeper.close()
        self._dead.close()
        try:
            with self.process.engine.begin() as connection:
                forget(connection, self.process.owner)
        except Exception as error:
            log.warning("could not hand back unfinished runs: %s; they are taken over in a few seconds", error)
        self.process.close()
