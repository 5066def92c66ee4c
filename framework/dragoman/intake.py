"""What comes in: an event is in the ledger before the platform is told "ok", and then on its way to the router.

While the ledger is away, what a platform offers only once waits in a spool on this machine's disk, and goes into the
ledger in order, before what comes later.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from . import tracing, wire
from .directory import Directory
from .errors import WireError
from .event import EventBase
from .exchange.backoff import Backoff
from .exchange.publisher import Publisher
from .exchange.topology import Topology
from .forwarder import Forwarder
from .introductions import Introductions
from .messages import event_message
from .metrics import Metrics
from .spool import Spool
from .store.batch import Batcher
from .store.ledger import record_events
from .store.outage import AWAY, reason
from .trace import new_traceparent

__all__ = ["Intake"]

log = logging.getLogger(__name__)


class Intake:
    """Takes the events of a gateway's adapters; made and used in its event loop.

    Args:
        spools: of the accounts whose platforms offer an event only once.
    """

    def __init__(
        self,
        engine: Engine,
        batcher: Batcher,
        directory: Directory,
        publisher: Publisher,
        topology: Topology,
        spools: Mapping[str, Spool],
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self._batcher = batcher
        self._topology = topology
        self._spools = spools
        self._metrics = metrics or Metrics()
        self._forwarder = Forwarder(publisher)
        self._introductions = Introductions(directory, self._forward, asyncio.get_running_loop())
        self._stopping = threading.Event()
        self._drains: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; what earlier processes have spooled goes into the ledger."""
        self._forwarder.start()
        for account, spool in self._spools.items():
            spool.open()
            drain = threading.Thread(target=self._drain, args=(spool,), name=f"dragoman-spool-{account}", daemon=True)
            drain.start()
            self._drains.append(drain)

    async def receive(self, event: EventBase) -> None:
        """Take an event from an adapter; returns when it is in the ledger, or safe in the account's spool (G1).

        Raises:
            SQLAlchemyError: the ledger cannot be written, so the platform must not be told "ok".
            SpoolError: nor does the spool take it.
        """
        with tracing.begin(
            "receive", event.traceparent, account=event.address.account, kind=event.kind, key=event.key
        ) as step:
            await self._take(
                event.model_copy(
                    update={
                        "hops": (*event.hops, ("gateway", time.time())),
                        "traceparent": step.traceparent or new_traceparent(),
                    }
                )
            )

    async def _take(self, event: EventBase) -> None:
        spool = self._spools.get(event.address.account)
        spooled: list[Future[None]] = []

        def recorded(future: "Future[bool | None]") -> None:
            # Where it was committed: the way on does not wait for another turn of the event loop.
            error = future.exception()
            if error is None and future.result():
                self._metrics.count_event(event, "received")
                self._introductions.introduce(event)
            elif error is None and future.result() is False:
                self._metrics.count_event(event, "duplicate")
            elif spool is not None and (isinstance(error, AWAY) or (error is None and future.result() is None)):
                # Here, too: the next ones to be committed have to find that it holds one before them.
                spooled.append(spool.submit(wire.encode(event), reason(error) if error else "others wait before it"))

        future = self._batcher.submit(self._record, event)
        future.add_done_callback(recorded)
        try:
            try:
                await _ended(future)
            except AWAY:
                if not spooled:
                    raise
            if spooled:
                await _ended(spooled[0])
                self._metrics.count_event(event, "spooled")
        except Exception:
            self._metrics.count_event(event, "refused")
            raise

    def _record(self, connection: Connection, items: Sequence[EventBase]) -> list[bool | None]:
        """As `record_events`; ``None``: others wait in a spool before it."""
        held = {account for account, spool in self._spools.items() if spool.holding}
        if not held:
            return list(record_events(connection, items))
        free = [event for event in items if event.address.account not in held]
        answers = iter(record_events(connection, free) if free else ())
        return [None if event.address.account in held else next(answers) for event in items]

    def _drain(self, spool: Spool) -> None:
        """Bring what is spooled into the ledger, whenever that can be done; in a thread."""
        backoff = Backoff()
        while (entries := spool.take()) is not None:
            events = [event for entry in entries if (event := _read(entry)) is not None]
            try:
                fresh = self._record_all(events)
            except AWAY:
                if self._stopping.wait(backoff.next()):
                    return
                continue
            backoff = Backoff()
            for event in fresh:
                self._introductions.introduce(event)
            spool.drop()

    def _record_all(self, events: Sequence[EventBase]) -> list[EventBase]:
        """Record them; those that are new. One that the ledger refuses is left out, and said."""
        try:
            with self._engine.begin() as connection:
                answers = record_events(connection, events) if events else []
        except AWAY:
            raise
        except SQLAlchemyError as error:
            if len(events) == 1:
                log.error("%s was spooled, but the ledger does not take it: %s", events[0].key, reason(error))
                return []
            return [fresh for event in events for fresh in self._record_all([event])]
        return [event for event, new in zip(events, answers, strict=True) if new]

    def _forward(self, event: EventBase) -> None:
        self._forwarder.forward(event_message(self._topology, event))

    async def close(self, grace: float) -> None:
        """Introduce and publish what has been taken, for at most so many seconds; what is spooled stays spooled."""
        self._stopping.set()
        for spool in self._spools.values():
            await asyncio.to_thread(spool.close)
        for drain in self._drains:
            await asyncio.to_thread(drain.join)
        await self._introductions.close()
        await asyncio.to_thread(self._forwarder.close, grace)


async def _ended(future: "Future[bool | None] | Future[None]") -> None:
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


def _read(entry: bytes) -> EventBase | None:
    try:
        return wire.decode_event(entry)
    except WireError as error:
        log.error("what was spooled cannot be read and is left out: %s: %.2000r", error, entry)
        return None
