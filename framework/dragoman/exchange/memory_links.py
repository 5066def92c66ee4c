"""The memory broker: publishing and taking without a connection in between."""

import time
from collections.abc import Sequence
from typing import Any

from ..errors import UnroutableError
from .memory import Bus
from .message import Outgoing, Taken, as_broker_error
from .payloads import payload_of, taken_from

__all__ = ["MemorySender", "MemoryTaker"]


class MemorySender:
    """Publishes batches."""

    def __init__(self, connection: Any) -> None:
        self._kombu = connection
        self._channel = connection.channel()

    def declare(self, queue: Any) -> None:
        """Make sure that ``queue`` is bound."""
        queue(self._channel).declare()

    def check(self) -> None:
        """Memory is always there."""

    def send(self, batch: Sequence[Outgoing], deadline: float) -> list[Exception | None]:
        """Publish all."""
        return [self._publish(message) for message in batch]

    def results(self, batch: Sequence[Outgoing], error: Exception) -> list[Exception | None]:
        """What is known about a batch that ``error`` broke off."""
        return [as_broker_error(error, "the memory broker refused it")] * len(batch)

    def close(self) -> None:
        """Close it."""
        self._kombu.release()

    drop = close

    def _publish(self, message: Outgoing) -> Exception | None:
        exchange, key = message.exchange.name, message.routing_key
        if not self._channel._lookup(exchange, key):
            return UnroutableError(f"no queue takes {key!r} from {exchange!r}: declare it with the message")
        payload = payload_of(self._channel, message, int(message.priority or 0))
        self._channel.basic_publish(payload, exchange, key)
        return None


class MemoryTaker:
    """Takes from some queues."""

    #: Seconds between two calls of `tick`.
    interval = 60.0

    def __init__(self, connection: Any, queues: Sequence[Any], prefetch: int) -> None:
        self._kombu = connection
        self._channel = connection.channel()
        self._bus: Bus = self._channel.bus
        self._queues: list[str] = []
        for queue in queues:
            self.join(queue)
        self._prefetch = prefetch
        self._held: dict[str, tuple[str, dict[str, Any]]] = {}
        self._woken = False

    def take(self, timeout: float, limit: int) -> list[Taken]:
        """What is there; waits for something, for `wake` or for the timeout."""
        deadline = time.monotonic() + timeout
        while True:
            seen = self._bus.changes
            room = min(limit, self._prefetch - len(self._held))
            taken = self._look(room)
            woken, self._woken = self._woken, False
            if taken or woken or not self._bus.wait(seen, max(deadline - time.monotonic(), 0)):
                return taken

    def wake(self) -> None:
        """End the wait of `take`; from any thread."""
        self._woken = True
        self._bus.ring()

    def join(self, queue: Any) -> None:
        """Take from this queue as well."""
        queue(self._channel).declare()
        self._queues.append(queue.name)

    def leave(self, queue: Any) -> None:
        """Take from it no more."""
        self._queues.remove(queue.name)

    def tick(self) -> None:
        """Nothing to renew."""

    def ack(self, tags: Sequence[str]) -> None:
        """These are done."""
        for tag in tags:
            self._held.pop(tag, None)

    def requeue(self, tags: Sequence[str]) -> None:
        """Put these back, the first given to come out first."""
        for tag in reversed(tags):
            queue, payload = self._held.pop(tag)
            payload["headers"]["redelivered"] = True
            self._bus.put(queue, payload, int(payload["properties"]["priority"]), front=True)

    def cancel(self) -> None:
        """Take no more."""
        self._prefetch = 0

    def close(self) -> None:
        """Close it; what is still held goes back."""
        self.requeue(list(self._held))
        self._kombu.release()

    drop = close

    def _look(self, room: int) -> list[Taken]:
        taken: list[Taken] = []
        self._queues = self._queues[1:] + self._queues[:1]  # none of them always comes first
        for queue in self._queues:
            while len(taken) < room:
                payload = self._bus.take(queue)
                if payload is None:
                    break
                tag = payload["properties"]["delivery_tag"]
                self._held[tag] = (queue, payload)
                taken.append(taken_from(payload, queue, tag))
        return taken
