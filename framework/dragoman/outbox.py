"""What goes out: an action is performed once, and those of one conversation in order.

What the ledger knows as sent is dropped, and what may have been sent is looked for on the platform first.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from . import wire
from .action import Action, ActionBase, Fetch, LookUp, React, Sent
from .adapter import Adapter
from .address import Address
from .blobs import Blobs
from .directory import Directory
from .errors import DeliveryError, WireError
from .exchange.backoff import Backoff
from .exchange.broker import Broker
from .exchange.consumer import Consumer
from .exchange.message import Delivery
from .exchange.topology import Topology
from .store.batch import Batcher
from .store.engine import reading
from .store.ledger import EARLIER, Known, look_up, postpone_actions, record_refused, record_sent
from .targets import Targets

__all__ = ["Outbox"]

log = logging.getLogger(__name__)

#: Actions taken from the queues at once, and so the most that are being performed at one time.
PREFETCH: Final = 100
#: Seconds before what cannot be done now is tried again: the first time, and at most.
AGAIN: Final = (1.0, 30.0)
#: For how many seconds it holds up what comes after it.
INSIST: Final = 300.0
#: Seconds to wait while the store cannot be read.
PATIENCE: Final = 1.0


@dataclass(slots=True)
class Job:
    """An action to perform, and the delivery to settle (none, if it is left to the ledger)."""

    action: Action
    delivery: Delivery | None


@dataclass(slots=True)
class Lane:
    """What is to be said in one conversation, in order; ``stalled``: the first of it cannot be done now."""

    jobs: deque[Job]
    stalled: bool = False


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
    ) -> None:
        self._engine = engine
        self._adapters = adapters
        self._batcher = batcher
        self._directory = directory
        self._blobs = blobs
        self._filter = filter
        self._loop = asyncio.get_running_loop()
        #: One lane for each conversation: what is said there leaves in order.
        self._lanes: dict[Address | str, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand: set[str] = set()
        self.targets = Targets(engine)
        queues = [topology.deliver_queue(account) for account in adapters]
        self._consumer = Consumer(broker, "gateway", queues, self._arrived, prefetch=PREFETCH)

    def start(self) -> None:
        """Consume."""
        self._consumer.start()

    async def close(self, grace: float) -> None:
        """Take no more, and wait until what is being performed has been written down: at most so many seconds."""
        await asyncio.to_thread(self._consumer.stop, grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _arrived(self, batch: Sequence[Delivery]) -> None:
        """Called in the consumer's thread, which also asks the ledger: the event loop has enough to do."""
        jobs = [job for delivery in batch if (job := self._read(delivery)) is not None]
        if not jobs:
            return
        try:
            known, earlier = self._look_up([job.action for job in jobs])
        except SQLAlchemyError as error:
            log.error("the store cannot be read, so nothing is sent until it can: %s", error)
            time.sleep(PATIENCE)
            for job in jobs:
                if job.delivery is not None:
                    job.delivery.requeue()
            return
        with contextlib.suppress(RuntimeError):  # closed: they are handed back
            self._loop.call_soon_threadsafe(self._dispatch, jobs, known, earlier)

    def _dispatch(
        self, jobs: Sequence[Job], known: Mapping[str, Known], earlier: Mapping[str, Sequence[Action]]
    ) -> None:
        """Give what has arrived to the lanes, in order, leaving out what was performed before."""
        for job in jobs:
            for action in earlier.get(job.action.run, ()):
                # The ledger was asked a moment ago: what has been performed since then was still pending in it.
                performed = action.key in self._in_hand or action.key in self.targets
                if action.ordinal < job.action.ordinal and not performed:
                    self._enqueue(Job(action, None))
            state = known[job.action.key].state if job.action.key in known else "pending"
            if state != "pending" or job.action.key in self._in_hand or job.action.key in self.targets:
                _ack(job)  # It was performed or refused before, or is being performed right now (G4).
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

    def _look_up(self, found: Sequence[Action]) -> tuple[dict[str, Known], dict[str, list[Action]]]:
        """What the ledger knows of these, and what of their runs should have left before them."""
        later = {action.run for action in found if action.ordinal > 0 and action.run}
        earlier: dict[str, list[Action]] = {}
        with reading(self._engine) as connection:
            known = look_up(connection, [action.key for action in found])
            if later:
                here = {action.key for action in found}
                for row in connection.execute(EARLIER, {"runs": list(later)}):
                    if row.key in here or row.account not in self._adapters:
                        continue  # Another gateway's account is another gateway's to answer for.
                    action = wire.decode_action(row.body).model_copy(update={"again": True})
                    earlier.setdefault(row.run, []).append(action)
        return known, earlier

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
            job, name = _at(job, known), known.in_thread(None)
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
                if lane.jobs[0].action.run in left or not await self._insist(lane):
                    job = lane.jobs[0]
                    if job.action.run:
                        left.add(job.action.run)
                    self._settle(job, postpone_actions, job.action)
                lane.jobs.popleft()
        finally:
            for job in lane.jobs:
                self._in_hand.discard(job.action.key)
            del self._lanes[name]

    async def _insist(self, lane: "Lane") -> bool:
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
                await asyncio.sleep(wait.next())
                job = lane.jobs[0]
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
        adapter = self._adapters[action.address.account]
        try:
            if isinstance(action, LookUp):
                await self._directory.look_up(action)
                sent = Sent()
            elif isinstance(action, Fetch):
                sent = Sent(ids=(await self._blobs.keep(adapter.download(action.file)),))
            elif (address := await self._directory.resolve(action.address)) != action.address:
                self._enqueue(_at(job, address))
                return True
            else:
                sent, address = await self._do(adapter, action)
                # Where it was in fact done: what is said below it goes to the same thread.
                action = action.model_copy(update={"address": address})
        except DeliveryError as error:
            if error.retry:
                log.warning("%s will be tried again: %s", action.key, error)
                return False
            quiet = isinstance(action, LookUp) or (isinstance(action, React) and action.optional)
            log.log(
                logging.INFO if quiet else logging.ERROR,
                "%s was refused (%s) and is parked: %s",
                action.key,
                error.code,
                error,
            )
            self._directory.distrust(action.address)
            self.targets.remember(action, Sent())
            self._settle(job, record_refused, (action, f"{error.code}: {error}"))
            return True
        except Exception:
            log.exception("%s failed in the adapter of %s and will be tried again", action.key, action.address.account)
            return False
        done = action.model_copy(update={"hops": (*action.hops, ("sent", time.time()))})
        self.targets.remember(done, sent)
        self._settle(job, record_sent, (done, sent))
        return True

    async def _do(self, adapter: Adapter, action: Action) -> tuple[Sent, Address]:
        """Perform it with its target found; what was made, and where.

        Raises:
            DeliveryError: see `Adapter.perform`. Of several messages to delete, all were refused.
        """
        sent, address = Sent(), action.address
        refused: DeliveryError | None = None
        resolved = await self.targets.resolved(action)
        for number, each in enumerate(resolved, start=1):
            address = each.address
            try:
                sent = await adapter.perform(self._filter(each))
            except DeliveryError as error:
                # What somebody else has deleted already leaves the others to be deleted.
                if error.retry or len(resolved) == 1 or (number == len(resolved) and refused is not None):
                    raise
                refused = error
        return sent, address

    def _settle(self, job: Job, operation: Any, item: Any) -> None:
        """Write down what became of it; only then is the message acknowledged."""

        def written(future: "Future[None]") -> None:
            error = future.exception()
            if error is not None:
                # Not acknowledged: it comes again, and is looked for on the platform before it is repeated.
                log.error("the ledger cannot be told of %s: %s", job.action.key, error)
                if job.delivery is not None:
                    job.delivery.requeue()
            else:
                _ack(job)
            self._in_hand.discard(job.action.key)

        self._batcher.submit(operation, item).add_done_callback(written)


def _at(job: Job, address: Address) -> Job:
    if address == job.action.address:
        return job
    return Job(job.action.model_copy(update={"address": address}), job.delivery)


def _ack(job: Job) -> None:
    if job.delivery is not None:
        job.delivery.ack()
