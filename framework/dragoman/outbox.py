"""What goes out: an action is performed once, and those of one conversation in order.

What the ledger knows as sent is dropped, and what may have been sent is looked for on the platform first.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from . import tracing, wire
from .action import Action, ActionBase, Fetch, LookUp
from .adapter import Adapter
from .address import Address
from .blobs import Blobs
from .directory import Directory
from .errors import WireError
from .event import Undeliverable
from .exchange.backoff import Backoff
from .exchange.broker import Broker
from .exchange.consumer import Consumer
from .exchange.message import Delivery
from .exchange.publisher import AsyncPublisher
from .exchange.topology import Topology
from .job import Job, Lane
from .limiter import Recalled
from .messages import action_message, event_message
from .metrics import Metrics
from .partitions import Part
from .performing import Performer
from .share import Share
from .store.batch import Batcher
from .store.earlier import earlier
from .store.engine import reading
from .store.ledger import Known, postpone_actions, record_sent
from .store.undelivered import refuse
from .targets import Targets

__all__ = ["Outbox"]

log = logging.getLogger(__name__)

#: Actions taken from the queues at once, and so the most that are being performed at one time.
PREFETCH: Final = 100
#: Seconds before what cannot be done now is tried again: the first time, and at most; and how long it holds up others.
AGAIN: Final = (1.0, 30.0)
INSIST: Final = 300.0
#: Seconds to wait while the store cannot be read.
PATIENCE: Final = 1.0


class Outbox:
    """Performs the actions for a gateway's accounts; made and used in its event loop.

    Args:
        adapters: by account name.
        blobs: where the bytes of files are kept.
        filter: the plugins' outbound filters: the action to perform, or a `DeliveryError` that refuses it.
    """

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        topology: Topology,
        adapters: Mapping[str, Adapter],
        *,
        batcher: Batcher,
        directory: Directory,
        blobs: Blobs,
        filter: Callable[[ActionBase], ActionBase],
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self._adapters = adapters
        self._batcher = batcher
        self._directory = directory
        self._metrics = metrics or Metrics()
        self._loop = asyncio.get_running_loop()
        #: One lane for each conversation: what is said there leaves in order.
        self._lanes: dict[Address | str, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand: set[str] = set()
        self._recalled = asyncio.Event()
        self.targets = Targets(engine)
        self._topology = topology
        self._performer = Performer(adapters, batcher, directory, blobs, filter, self.targets)
        self._consumer = Consumer(
            broker,
            "gateway",
            [],
            self._arrived,
            prefetch=PREFETCH,
            on_park=lambda: self._metrics.count_dead("message"),
        )
        self._share = Share(
            engine,
            topology,
            adapters,
            self._consumer,
            resume=self._resume,
            busy=self._busy,
            recall=self._recall,
            limited=self._performer.obey,
        )
        #: For what other programs have sent, and for events of what was refused.
        self._publisher = AsyncPublisher(broker, "gateway")

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._consumer.connected

    def start(self) -> None:
        """Consume what is this gateway's to say."""
        self._consumer.start()
        self._publisher.start()
        self._share.start()

    async def close(self, grace: float) -> None:
        """Take no more, and wait until what is being performed has been written down: at most so many seconds."""
        await asyncio.to_thread(self._consumer.stop, grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._performer.close()
        await self._share.close()
        await asyncio.to_thread(self._publisher.close)

    # Whose it is -------------------------------------------------------------------------------------

    def _resume(self, action: Action) -> None:
        if action.key not in self._in_hand and action.key not in self.targets:
            self._enqueue(Job(action))

    def _busy(self, parts: Collection[Part]) -> bool:
        return any(self._share.part(job.action) in parts for lane in self._lanes.values() for job in lane.jobs)

    def _recall(self, parts: Collection[Part]) -> None:
        """Nothing of these is to be waited for any more."""
        self._performer.recall(lambda action: self._share.part(action) in parts)
        self._recalled.set()
        self._recalled = asyncio.Event()

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or until something was recalled."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._recalled.wait()

    def _pass_on(self, job: Job) -> None:
        """It is not this gateway's to perform, at least not now."""
        self._in_hand.discard(job.action.key)
        delivery = job.delivery
        undivided = self._topology.deliver_queue(job.action.address.account).name
        if job.moved or (delivery is not None and delivery.queue == undivided):
            # Whoever sent it did not know its partition: now it goes there.
            future = self._publisher.submit(action_message(self._topology, job.action))
            future.add_done_callback(lambda future: job.ack() if future.exception() is None else job.requeue())
        elif delivery is not None:
            self._share.put_back(delivery)

    # What comes --------------------------------------------------------------------------------------

    def _arrived(self, batch: Sequence[Delivery]) -> None:
        """Called in the consumer's thread, which also asks the ledger: the event loop has enough to do."""
        jobs = [job for delivery in batch if (job := self._read(delivery)) is not None]
        if not jobs:
            return
        try:
            with reading(self._engine) as connection:
                known, before = earlier(connection, [job.action for job in jobs], self._adapters)
        except SQLAlchemyError as error:
            log.error("the store cannot be read, so nothing is sent until it can: %s", error)
            time.sleep(PATIENCE)
            for job in jobs:
                job.requeue()
            return
        with contextlib.suppress(RuntimeError):  # closed: they are handed back
            self._loop.call_soon_threadsafe(self._dispatch, jobs, known, before)

    def _dispatch(
        self, jobs: Sequence[Job], known: Mapping[str, Known], before: Mapping[str, Sequence[Action]]
    ) -> None:
        """Give what has arrived to the lanes, in order, leaving out what was performed before."""
        for job in jobs:
            if not self._share.has(job.action):
                self._pass_on(job)
                continue
            for action in before.get(job.action.key, ()):
                # The ledger was asked a moment ago: what has been performed since then was still pending in it.
                if self._share.has(action):
                    self._resume(action)
            state = known[job.action.key].state if job.action.key in known else "pending"
            if state != "pending" or job.action.key in self._in_hand or job.action.key in self.targets:
                job.ack()  # It was performed or refused before, or is being performed right now (G4).
            else:
                self._enqueue(job)

    def _read(self, delivery: Delivery) -> Job | None:
        try:
            action = wire.decode_action(delivery.body)
        except WireError as error:
            delivery.park(str(error))
            return None
        if action.address.account not in self._adapters:
            delivery.park(f"this gateway has no account {action.address.account!r}")
            return None
        if delivery.redelivered and not action.again:
            action = action.model_copy(update={"again": True})
        hops = (*action.hops, ("delivery", time.time()))
        return Job(action.model_copy(update={"hops": hops}), delivery)

    def _enqueue(self, job: Job) -> None:
        self._in_hand.add(job.action.key)
        address = job.action.address
        place = address.in_thread(None)  # a channel's threads are part of the conversation there
        if isinstance(job.action, LookUp | Fetch):
            # Somebody waits for it, and it says nothing: it need not wait for what is said there.
            name: Address | str = job.action.key
        elif place in self._lanes or (known := self._directory.resolved(address)) is None:
            # If it is a channel's name, they move on to the channel's own lane when that is known, in order.
            name = place
        else:
            job, name = job.at(known), known.in_thread(None)
        lane = self._lanes.get(name)
        if lane is not None:
            lane.jobs.append(job)
            if lane.stalled:
                self._leave(job)
            return
        self._lanes[name] = Lane(deque([job]))
        task = asyncio.create_task(self._drive(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drive(self, name: Address | str) -> None:
        """Perform what is said in one conversation, one after another.

        What cannot be done now holds up what comes after it, for some minutes; then it is left to the sweeper, with the
        rest of its run, and the others go on.
        """
        lane = self._lanes[name]
        left: set[str] = set()
        try:
            while lane.jobs:
                if not self._share.has(lane.jobs[0].action):
                    self._pass_on(lane.jobs[0])
                elif lane.jobs[0].action.run in left or not await self._insist(lane):
                    job = lane.jobs[0]
                    if job.action.run:
                        left.add(job.action.run)
                    self._settle(job, postpone_actions, job.action)
                lane.jobs.popleft()
        finally:
            for job in lane.jobs:
                self._in_hand.discard(job.action.key)
            del self._lanes[name]

    async def _insist(self, lane: Lane) -> bool:
        """Perform the first job of a lane, however often it takes; False if it takes too long."""
        wait = Backoff(*AGAIN)
        end = time.monotonic() + INSIST
        try:
            while not await self._perform(lane.jobs[0]):
                if time.monotonic() >= end:
                    return False
                if not lane.stalled:
                    lane.stalled = True
                    for job in lane.jobs:
                        self._leave(job)
                await self._pause(wait.next())
                job = lane.jobs[0]
                if not self._share.has(job.action):
                    self._pass_on(job)
                    break
                job.action = job.action.model_copy(update={"again": True})
        finally:
            lane.stalled = False
        return True

    def _leave(self, job: Job) -> None:
        """It stays here, but its message does not: the ledger has it, should this process die."""
        delivery, job.delivery = job.delivery, None
        if delivery is None:
            return

        def written(future: "Future[None]") -> None:
            if future.exception() is None:
                delivery.ack()
            else:
                delivery.requeue()  # it comes again, and is known to be in hand

        self._batcher.submit(postpone_actions, job.action).add_done_callback(written)

    async def _perform(self, job: Job) -> bool:
        """Do it and write it down; False if it must be tried again later."""
        action = job.action
        told = {"account": action.address.account, "kind": action.kind, "key": action.key}
        with tracing.begin("deliver", action.traceparent, **told) as step:
            try:
                outcome = await self._performer.perform(action)
            except Recalled:
                self._pass_on(job)
                return True
            if outcome is None:
                step.end("it is tried again later")
                return False
        if isinstance(outcome, Address):
            self._enqueue(job.at(outcome))
        else:
            self._settle(job, *outcome)
        return True

    def _settle(self, job: Job, operation: Any, item: Any) -> None:
        """Write down what became of it; only then is the message acknowledged."""

        def written(future: "Future[Any]") -> None:
            error = future.exception()
            if error is not None:
                # Not acknowledged: it comes again, and is looked for on the platform before it is repeated.
                log.error("the ledger cannot be told of %s: %s", job.action.key, error)
                job.requeue()
            else:
                job.ack()
                self._count(operation, item)
                if isinstance(event := future.result(), Undeliverable):
                    # If it does not get there, the sweeper publishes it.
                    self._publisher.submit(event_message(self._topology, event))
            self._in_hand.discard(job.action.key)

        self._batcher.submit(operation, item).add_done_callback(written)

    def _count(self, operation: Any, item: Any) -> None:
        if operation is record_sent:
            self._metrics.count_action(item[0], "sent")
            self._metrics.observe_answer(item[0].address.account, item[0].hops)
        elif operation is refuse:
            self._metrics.count_action(item.action, "refused")
            self._metrics.count_dead("action")
        else:
            self._metrics.count_action(item, "postponed")
