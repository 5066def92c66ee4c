"""Events on their way to the broker, in order: what it does not take waits here, and what comes later behind it.

All of it is in the ledger, so nothing is lost with this process: the sweeper publishes what is left.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from .errors import BrokerError
from .exchange.backoff import Backoff
from .exchange.message import Outgoing
from .exchange.publisher import Publisher

__all__ = ["Forwarder"]

log = logging.getLogger(__name__)

#: Messages published with one wait.
BATCH: Final = 500
#: Messages that wait here; what is beyond is left to the sweeper.
MOST: Final = 20_000


class Forwarder:
    """Publishes in a thread of its own; `forward` may be called from any."""

    def __init__(self, publisher: Publisher, *, most: int = MOST) -> None:
        self._publisher = publisher
        self._most = most
        self._waiting: deque[Outgoing] = deque()
        self._changed = threading.Condition()
        self._away = threading.Event()
        self._left = 0
        self._closing = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="dragoman-forwarder", daemon=True)

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def forward(self, message: Outgoing) -> None:
        """Publish it when those before it have been."""
        with self._changed:
            if self._closing or len(self._waiting) >= self._most:
                self._left += 1
                return
            self._waiting.append(message)
            if len(self._waiting) == 1:
                self._changed.notify()

    def close(self, timeout: float) -> None:
        """Publish what waits, for at most so many seconds; the rest is left to the sweeper."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._away.is_set():
            timeout = 0.0
        self._thread.join(timeout)
        self._closed.set()
        self._publisher.give_up()
        self._thread.join()
        left = len(self._waiting) + self._left
        if left:
            log.warning("%d events wait in the ledger for the broker; the sweeper publishes them", left)

    def _work(self) -> None:
        backoff = Backoff()
        while (batch := self._next()) is not None:
            failed = self._publish(batch)
            with self._changed:
                for _ in batch:
                    self._waiting.popleft()
                self._waiting.extendleft(reversed(failed))
                left, self._left = (self._left, 0) if not failed and not self._closing else (0, self._left)
            if failed:
                if not self._away.is_set():
                    log.warning("events wait in the ledger for the broker, and go out in order when it is back")
                self._away.set()
                if self._closed.wait(backoff.next()):
                    break
            elif self._away.is_set():
                backoff = Backoff()
                self._away.clear()
                log.warning("the broker takes events again")
            if left:
                log.warning("%d events more are left to the sweeper", left)
        self._publisher.close()

    def _next(self) -> list[Outgoing] | None:
        """What to publish; waits for it. ``None``: closed, and nothing is left."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if self._closed.is_set():
                return None
            return list(islice(self._waiting, BATCH)) or None

    def _publish(self, batch: Sequence[Outgoing]) -> list[Outgoing]:
        """Publish; what has to be tried again."""
        try:
            results = self._publisher.publish(batch)
        except Exception:  # a fault of ours: the sweeper has another try
            log.exception("%d events could not be published; the sweeper tries again", len(batch))
            return []
        again = []
        for message, error in zip(batch, results, strict=True):
            if isinstance(error, BrokerError):
                again.append(message)
            elif error is not None:
                log.warning("an event waits in the ledger for the sweeper: %s", error)
        return again
