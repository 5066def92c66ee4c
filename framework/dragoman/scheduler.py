"""The scheduler: lets happen what is due, once, however many schedulers run.

What is due is recorded in the ledger in the transaction that takes it, then published; what could not be published
is the sweeper's. So whoever was killed, it happens: late, if nobody ran when its time came, but once.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from .event import Scheduled
from .exchange.broker import Broker
from .exchange.publisher import Publisher
from .exchange.topology import Topology
from .messages import event_message
from .store.catalogue import Reader
from .store.engine import reading
from .store.schedules import write_schedules
from .store.timers import next_due, take_due_timers

__all__ = ["Scheduler"]

log = logging.getLogger(__name__)

#: Seconds between two looks; each is one indexed query. It looks sooner when it knows that something is due, so only
#: what was asked for since the last look can be late, and by less than a second.
EVERY: Final = 0.9
#: The shortest time between two looks, in seconds: what is due may be in another scheduler's hands.
SOONEST: Final = 0.02
#: Seconds between two looks at the catalogue's digests.
CATALOGUE: Final = 5.0
#: Timers taken in one transaction.
MOST: Final = 200


class Scheduler:
    """Looks after timers in a thread of its own; several may run, in any processes."""

    def __init__(
        self, engine: Engine, broker: Broker, topology: Topology, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._topology = topology
        self._clock = clock
        self._publisher = Publisher(broker, "scheduler")
        self._reader = Reader(engine)
        self._looked_at: float | None = None
        self._written = False
        #: The next timer, when it was last looked for.
        self._due: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="dragoman-scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._publisher.give_up()
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Close its connection; for one that was never started."""
        self._publisher.close()

    def _work(self) -> None:
        wait = 0.0
        while not self._stopping.wait(wait):
            wait = EVERY
            try:
                self.tick(self._clock())
                if self._due is not None:
                    wait = min(max(self._due - self._clock(), SOONEST), EVERY)
            except SQLAlchemyError as error:
                log.warning("the scheduler waits for the store: %s", error)
            except Exception:
                log.exception("the scheduler failed and goes on")

    def tick(self, now: float) -> list[Scheduled]:
        """Let happen what is due at this time (unix seconds); the events of it."""
        self._follow(now)
        found: list[Scheduled] = []
        self._due = self._next()
        while self._due is not None and self._due <= now:
            with self._engine.begin() as connection:
                taken = take_due_timers(connection, now, MOST)
            self._due = self._next()
            self._publish(taken)
            found += taken
            if not taken or self._stopping.is_set():
                break  # the rest is in the hands of another scheduler
        return found

    def _follow(self, now: float) -> None:
        """Hold the schedules to the catalogue, if it has changed."""
        if self._looked_at is not None and 0 <= now - self._looked_at < CATALOGUE:
            return
        if self._reader.refresh():
            self._written = False
        if not self._written:
            with self._engine.begin() as connection:
                write_schedules(connection, self._reader.manifests, now)
            self._written = True
        self._looked_at = now

    def _next(self) -> float | None:
        with reading(self._engine) as connection:
            return next_due(connection)

    def _publish(self, taken: list[Scheduled]) -> None:
        if not taken:
            return
        log.debug("due: %s", ", ".join(event.key for event in taken))
        failed = [
            error
            for error in self._publisher.publish([event_message(self._topology, event) for event in taken])
            if error is not None
        ]
        if failed:
            log.warning("%d of %d events wait in the ledger for the broker: %s", len(failed), len(taken), failed[0])
