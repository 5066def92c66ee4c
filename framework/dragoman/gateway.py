"""The gateway: runs the adapters and bridges them to the exchange. The one border of async and sync.

An event is committed to the ledger before the platform is told "ok". An action is performed once: what
the ledger knows as sent is dropped, and what may have been sent is looked for on the platform first.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from . import wire
from .action import Action, ActionBase, Fetch, LookUp, React, Sent
from .adapter import Adapter
from .address import Address
from .blobs import Blobs
from .directory import Directory
from .errors import AccountError, BrokerError, DeliveryError, DragomanError, WireError
from .event import EventBase
from .exchange.broker import Broker
from .exchange.consumer import Consumer
from .exchange.message import Delivery
from .exchange.publisher import AsyncPublisher
from .exchange.topology import Topology
from .introductions import Introductions
from .keeping import Keeping
from .messages import event_message
from .offering import keep_offering
from .store.batch import Batcher
from .store.engine import reading
from .store.ledger import (
    EARLIER,
    Known,
    look_up,
    postpone_actions,
    record_events,
    record_refused,
    record_sent,
)
from .targets import Targets
from .trace import new_traceparent

__all__ = ["Gateway"]

log = logging.getLogger(__name__)

#: Actions taken from the queues at once, and so the most that are being performed at one time.
PREFETCH: Final = 100
#: Seconds to wait while the store cannot be read.
PATIENCE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """An action to perform, and the delivery to settle (none, if it came from the ledger)."""

    action: Action
    delivery: Delivery | None


class Gateway:
    """Runs some accounts until it is told to stop.

    Args:
        adapters: by account name.
        blobs: where the bytes of files are kept.
        grace: seconds that a stop may wait for actions that are being performed.
        filter: the plugins' outbound filters: the action to perform, or a `DeliveryError` that refuses it.
    """

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        topology: Topology,
        adapters: Mapping[str, Adapter],
        *,
        blobs: Blobs | None = None,
        grace: float = 10.0,
        filter: Callable[[ActionBase], ActionBase] = lambda action: action,
    ) -> None:
        self._engine = engine
        self._topology = topology
        self._adapters = adapters
        self._blobs = blobs or Blobs(Path("files"), limit=25_000_000)
        self._grace = grace
        self._filter = filter
        self._batcher: Batcher | None = None
        self._directory: Directory | None = None
        self._introductions: Introductions | None = None
        self._publisher = AsyncPublisher(broker, "gateway")
        queues = [topology.deliver_queue(account) for account in adapters]
        self._consumer = Consumer(broker, "gateway", queues, self._arrived, prefetch=PREFETCH)
        self._loop: asyncio.AbstractEventLoop | None = None
        #: One lane for each conversation: what is said there leaves in order.
        self._lanes: dict[Address | str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand: set[str] = set()
        self._targets = Targets(engine)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Until `stop` is called, or no account is left that can work.

        Raises:
            AccountError: none of the accounts can work; the message is the last one's.
        """
        self._loop = asyncio.get_running_loop()
        # A commit to a file takes a fraction of a millisecond, and handing it to a thread takes longer; a database
        # server is waited for in a thread.
        local = self._engine.dialect.name == "sqlite"
        self._batcher = Batcher(self._engine, call_soon=self._loop.call_soon if local else None)
        for account, adapter in self._adapters.items():
            adapter.services = Keeping(account, self._batcher, self._blobs)
        self._directory = Directory(self._adapters, self._batcher)
        self._introductions = Introductions(self._directory, self._publish, self._loop)
        self._publisher.start()
        self._consumer.start()
        accounts = {
            asyncio.create_task(self._run_account(account, adapter)): account
            for account, adapter in self._adapters.items()
        }
        stopping = asyncio.create_task(self._stop.wait())
        offering = asyncio.create_task(keep_offering(self._engine, self._adapters))
        failed: BaseException | None = None
        try:
            pending: set[asyncio.Task[Any]] = {stopping, *accounts}
            while stopping in pending and len(pending) > 1:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {stopping}:
                    failed = task.exception() or failed
            if stopping in pending and failed is not None:
                raise failed
        finally:
            await self._shut_down([*accounts, stopping, offering])

    def stop(self) -> None:
        """Stop taking, finish what is in hand, hand back the rest."""
        self._stop.set()

    async def _run_account(self, account: str, adapter: Adapter) -> None:
        def ready() -> None:
            log.info("%s is connected", account)

        wait = 1.0
        while True:
            try:
                return await adapter.run(self.receive, ready)
            except AccountError as error:
                log.error("%s", error)
                raise
            except Exception:
                log.exception("the adapter of account %s failed and is started again in %.0f s", account, wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 60.0)

    # -- events --------------------------------------------------------------------------------------

    async def receive(self, event: EventBase) -> None:
        """Take an event from an adapter; returns when it is in the ledger (G1).

        Raises:
            SQLAlchemyError: the ledger cannot be written, so the platform must not be told "ok".
        """
        event = event.model_copy(
            update={
                "hops": (*event.hops, ("gateway", time.time())),
                "traceparent": event.traceparent or new_traceparent(),
            }
        )

        def recorded(future: "Future[bool]") -> None:
            # Where it was committed: the way on does not wait for another turn of the event loop.
            if future.exception() is None and future.result():
                introductions.introduce(event)

        assert self._batcher is not None
        assert self._introductions is not None
        introductions = self._introductions
        future = self._batcher.submit(record_events, event)
        future.add_done_callback(recorded)
        await _ended(future)

    def _publish(self, event: EventBase) -> None:
        self._publisher.submit(event_message(self._topology, event)).add_done_callback(_log_unpublished)

    # -- actions -------------------------------------------------------------------------------------

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
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # closed: they are handed back
            self._loop.call_soon_threadsafe(self._dispatch, jobs, known, earlier)

    def _dispatch(
        self, jobs: Sequence[Job], known: Mapping[str, Known], earlier: Mapping[str, Sequence[Action]]
    ) -> None:
        """Give what has arrived to the lanes, in order, leaving out what was performed before."""
        for job in jobs:
            for action in earlier.get(job.action.run, ()):
                # The ledger was asked a moment ago: what has been performed since then was still pending in it.
                performed = action.key in self._in_hand or action.key in self._targets
                if action.ordinal < job.action.ordinal and not performed:
                    self._enqueue(Job(action, None))
            state = known[job.action.key].state if job.action.key in known else "pending"
            if state != "pending" or job.action.key in self._in_hand or job.action.key in self._targets:
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
        assert self._directory is not None
        self._in_hand.add(job.action.key)
        address = job.action.address
        if isinstance(job.action, LookUp | Fetch):
            # Somebody waits for it, and it says nothing: it need not wait for what is said there.
            name: Address | str = job.action.key
        elif address in self._lanes or (known := self._directory.resolved(address)) is None:
            # If it is a channel's name, they move on to the channel's own lane when that is known, in order.
            name = address
        else:
            job, name = _at(job, known), known
        lane = self._lanes.get(name)
        if lane is not None:
            lane.append(job)
            return
        self._lanes[name] = deque([job])
        task = asyncio.create_task(self._drive(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _drive(self, name: Address | str) -> None:
        """Perform what is said in one conversation, one after another."""
        lane = self._lanes[name]
        held: set[str] = set()
        try:
            while lane:
                job = lane[0]
                if job.action.run and job.action.run in held:
                    self._settle(job, postpone_actions, job.action)
                elif not await self._perform(job):
                    held.add(job.action.run)
                lane.popleft()
        finally:
            del self._lanes[name]

    async def _perform(self, job: Job) -> bool:
        """Do it and write it down; False if it must be tried again later."""
        action = job.action
        adapter = self._adapters[action.address.account]
        assert self._directory is not None
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
                for resolved in await self._targets.resolved(action):
                    sent = await adapter.perform(self._filter(resolved))
                # Where it was in fact done: what is said below it goes to the same thread.
                action = action.model_copy(update={"address": resolved.address})
        except DeliveryError as error:
            if error.retry:
                log.warning("%s will be tried again: %s", action.key, error)
                self._settle(job, postpone_actions, action)
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
            self._targets.remember(action, Sent())
            self._settle(job, record_refused, (action, f"{error.code}: {error}"))
            return True
        except Exception:
            log.exception("%s failed in the adapter of %s and will be tried again", action.key, action.address.account)
            self._settle(job, postpone_actions, action)
            return False
        done = action.model_copy(update={"hops": (*action.hops, ("sent", time.time()))})
        self._targets.remember(done, sent)
        self._settle(job, record_sent, (done, sent))
        return True

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

        assert self._batcher is not None
        self._batcher.submit(operation, item).add_done_callback(written)

    async def _shut_down(self, tasks: Sequence[asyncio.Task[Any]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert self._introductions is not None
        await self._introductions.close()
        # It takes no more, and waits until what is being performed has been written down.
        await asyncio.to_thread(self._consumer.stop, self._grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._directory is not None
        await self._directory.close()
        assert self._batcher is not None
        self._batcher.close()
        await asyncio.to_thread(self._publisher.close)
        for adapter in self._adapters.values():
            await adapter.close()


async def _ended(future: "Future[bool]") -> None:
    """Wait for a future that ends in this thread or in another; raises its error."""
    loop, thread = asyncio.get_running_loop(), threading.get_ident()
    waiter: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not waiter.done():
            error = future.exception()
            waiter.set_result(None) if error is None else waiter.set_exception(error)

    # Waking a loop from its own thread would cost it two system calls for nothing.
    future.add_done_callback(lambda _: end() if threading.get_ident() == thread else loop.call_soon_threadsafe(end))
    await waiter


def _at(job: Job, address: Address) -> Job:
    if address == job.action.address:
        return job
    return Job(job.action.model_copy(update={"address": address}), job.delivery)


def _ack(job: Job) -> None:
    if job.delivery is not None:
        job.delivery.ack()


def _log_unpublished(future: "Future[None]") -> None:
    error = future.exception()
    if isinstance(error, BrokerError | DragomanError):
        log.warning("an event waits in the ledger for the broker: %s", error)
    elif error is not None:
        log.error("an event could not be published: %r", error)
