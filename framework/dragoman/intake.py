"""What comes in: an event is in the ledger before the platform is told "ok", and then on its way to the router."""

import asyncio
import logging
import threading
import time
from concurrent.futures import Future

from .directory import Directory
from .errors import BrokerError, DragomanError
from .event import EventBase
from .exchange.publisher import AsyncPublisher
from .exchange.topology import Topology
from .introductions import Introductions
from .messages import event_message
from .store.batch import Batcher
from .store.ledger import record_events
from .trace import new_traceparent

__all__ = ["Intake"]

log = logging.getLogger(__name__)


class Intake:
    """Takes the events of a gateway's adapters; made and used in its event loop."""

    def __init__(self, batcher: Batcher, directory: Directory, publisher: AsyncPublisher, topology: Topology) -> None:
        self._batcher = batcher
        self._publisher = publisher
        self._topology = topology
        self._introductions = Introductions(directory, self._publish, asyncio.get_running_loop())

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
                self._introductions.introduce(event)

        future = self._batcher.submit(record_events, event)
        future.add_done_callback(recorded)
        await _ended(future)

    def _publish(self, event: EventBase) -> None:
        self._publisher.submit(event_message(self._topology, event)).add_done_callback(_log_unpublished)

    async def close(self) -> None:
        """Introduce and publish what has been taken."""
        await self._introductions.close()


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


def _log_unpublished(future: "Future[None]") -> None:
    error = future.exception()
    if isinstance(error, BrokerError | DragomanError):
        log.warning("an event waits in the ledger for the broker: %s", error)
    elif error is not None:
        log.error("an event could not be published: %r", error)
