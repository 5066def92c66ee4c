"""The canary: a worker that is connected and takes nothing is deaf, and ends so that another takes its place.

After a reconnect a Celery worker may stop consuming without a word (https://github.com/celery/celery/issues/8030).
So the worker's parent publishes a small message to a queue of its own, which the same channel consumes. One that the
broker has confirmed and that does not come back says that nothing else would come, either.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from ..exchange.message import Outgoing

__all__ = ["DEAF", "STATUS", "Canary"]

#: Seconds between two canaries.
EVERY: Final = 5.0
#: Seconds after which one that has not come back says that the worker is deaf.
DEAF: Final = 15.0
#: The exit status of a deaf worker (sysexits.h: EX_TEMPFAIL).
STATUS: Final = 75


class Canary:
    """One for each worker; safe to call from any thread.

    Args:
        queue: its own; see `Topology.canary_queue`.
        publish: publishes; the future ends when the broker has confirmed it.
    """

    def __init__(
        self,
        queue: Any,
        publish: Callable[[Outgoing], "Future[None]"],
        *,
        every: float = EVERY,
        deaf: float = DEAF,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.queue = queue
        self._publish = publish
        self._every, self._deaf = every, deaf
        self._clock = clock
        self._lock = threading.Lock()
        self._listening = False
        self._sent_at = self._looked_at = clock()
        #: Since when one that the broker has confirmed has not come back.
        self._waits_since: float | None = None
        #: Goes up whenever one comes back, and with each connection: what was sent before proves nothing more.
        self._turn = 0

    def listen(self, listening: bool) -> None:
        """The worker begins to consume, or the connection is gone. What was on its way is gone with it."""
        with self._lock:
            self._listening = listening
            self._sent_at = self._clock()
            self._forget()

    def seen(self) -> None:
        """One has come back (or the worker is so busy that it fetches nothing)."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._waits_since = None
        self._turn += 1

    def look(self) -> bool:
        """Let one fly if it is time; whether the worker is deaf."""
        with self._lock:
            now = self._clock()
            slept, self._looked_at = now - self._looked_at > self._every, now
            if not self._listening:
                return False
            if slept and self._waits_since is not None:
                self._waits_since = now  # so may have the whole machine
            if self._waits_since is not None and now - self._waits_since > self._deaf:
                return True
            if now - self._sent_at < self._every:
                return False
            self._sent_at, turn = now, self._turn
        message = Outgoing(
            exchange=self.queue.exchange, routing_key=self.queue.name, body=b'{"canary": 1}', queues=(self.queue,)
        )
        self._publish(message).add_done_callback(lambda future: self._published(future, turn))
        return False

    def _published(self, future: "Future[None]", turn: int) -> None:
        """Only what the broker has confirmed can come back; it may have done so already."""
        with self._lock:
            if future.exception() is None and turn == self._turn and self._waits_since is None:
                self._waits_since = self._clock()
