"""A broker in this process's memory: for unit tests and ``dragoman chat``.

``memory://name``: all connections of the process with the same name share its queues; different names share
nothing. Unlike kombu's it wakes consumers instead of letting them poll, knows priorities, and puts back what
a consumer held when it closes. Nothing survives the process.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from queue import Empty
from typing import Any, ClassVar

from kombu.transport import base, virtual

__all__ = ["Bus", "MemoryTransport", "forget"]


class Bus:
    """The queues of one name, and the bell that rings when something changes."""

    buses: ClassVar[dict[str, "Bus"]] = {}
    guard: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self.state = virtual.BrokerState()
        self.changed = threading.Condition()
        #: Counts the changes, so that one between looking and waiting is not missed.
        self.changes = 0
        self._queues: dict[str, list[tuple[int, int, dict[str, Any]]]] = {}
        self._back = itertools.count(1)
        self._front = itertools.count(-1, -1)

    @classmethod
    def named(cls, name: str) -> "Bus":
        """The bus of that name, made when first asked for."""
        with cls.guard:
            return cls.buses.setdefault(name, cls())

    def declare(self, queue: str) -> None:
        """Make sure that there is such a queue."""
        with self.changed:
            self._queues.setdefault(queue, [])

    def has(self, queue: str) -> bool:
        """Whether there is such a queue."""
        return queue in self._queues

    def put(self, queue: str, message: dict[str, Any], priority: int, *, front: bool = False) -> None:
        """Add a message behind those of its priority, or before them."""
        order = next(self._front if front else self._back)
        with self.changed:
            heapq.heappush(self._queues.setdefault(queue, []), (-priority, order, message))
            self._ring()

    def take(self, queue: str) -> dict[str, Any] | None:
        """Take the most urgent message, if there is one."""
        with self.changed:
            waiting = self._queues.get(queue)
            return heapq.heappop(waiting)[2] if waiting else None

    def size(self, queue: str) -> int:
        """How many are waiting."""
        return len(self._queues.get(queue, ()))

    def purge(self, queue: str) -> int:
        """Drop what is waiting: how many that was."""
        with self.changed:
            waiting = self._queues.get(queue, [])
            count = len(waiting)
            waiting.clear()
            return count

    def delete(self, queue: str) -> None:
        """Drop the queue."""
        with self.changed:
            self._queues.pop(queue, None)

    def ring(self) -> None:
        """Wake everybody who waits."""
        with self.changed:
            self._ring()

    def wait(self, seen: int, timeout: float | None) -> bool:
        """Wait until something has changed since ``seen``: whether it has."""
        with self.changed:
            return self.changed.wait_for(lambda: self.changes != seen, timeout)

    def _ring(self) -> None:
        self.changes += 1
        self.changed.notify_all()


def forget(name: str) -> None:
    """Drop everything of ``memory://name``."""
    with Bus.guard:
        Bus.buses.pop(name, None)


class QoS(virtual.QoS):  # type: ignore[misc]
    """Settling makes room, which somebody may be waiting for."""

    def ack(self, delivery_tag: str) -> None:
        super().ack(delivery_tag)
        self._ring()

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().reject(delivery_tag, requeue=requeue)
        self._ring()

    def _ring(self) -> None:
        # A handler that ends while the worker stops settles its message after the channel was closed.
        connection = self.channel.connection
        if connection is not None:
            connection.bus.ring()


class Channel(virtual.Channel):  # type: ignore[misc]
    """A channel to a bus."""

    QoS = QoS
    supports_fanout = True
    do_restore = True

    @property
    def bus(self) -> Bus:
        """The bus of the connection's name."""
        bus: Bus = self.connection.bus
        return bus

    def queue_bind(self, *args: Any, **kwargs: Any) -> None:
        with self.bus.changed:
            super().queue_bind(*args, **kwargs)

    def queue_delete(self, queue: str, *args: Any, **kwargs: Any) -> None:
        with self.bus.changed:
            for exchange, routing_key, arguments in list(self.state.queue_bindings(queue)):
                self.queue_unbind(queue, exchange, routing_key, arguments)
            self.bus.delete(queue)

    def _queue_bind(self, *args: Any) -> None:
        pass  # the table in the shared state says it all

    def _new_queue(self, queue: str, **kwargs: Any) -> None:
        self.bus.declare(queue)

    def _has_queue(self, queue: str, **kwargs: Any) -> bool:
        return self.bus.has(queue)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        message = self.bus.take(queue)
        if message is None:
            raise Empty
        return message

    def _put(self, queue: str, message: dict[str, Any], *, front: bool = False, **kwargs: Any) -> None:
        # A copy with a tag of its own: several queues may get the same message.
        properties = {**message["properties"], "delivery_tag": self._next_delivery_tag()}
        copy = {**message, "headers": dict(message["headers"]), "properties": properties}
        self.bus.put(queue, copy, self._get_message_priority(message), front=front)

    def _put_fanout(self, exchange: str, message: dict[str, Any], routing_key: str = "", **kwargs: Any) -> None:
        for queue in self._lookup(exchange, routing_key):
            self._put(queue, message)

    def _get_and_deliver(self, queue: str, callback: Callable[[dict[str, Any], str], None]) -> None:
        message = self._get(queue)
        # Where it was taken from, so that it goes back to this queue only.
        message["properties"]["queue"] = queue
        callback(message, queue)

    def _restore(self, message: Any) -> None:
        raw = message.serializable()
        raw["headers"]["redelivered"] = True
        queue = raw["properties"].pop("queue", None)
        if queue is not None:
            self._put(queue, raw, front=True)

    def _size(self, queue: str) -> int:
        return self.bus.size(queue)

    def _purge(self, queue: str) -> int:
        return self.bus.purge(queue)


class MemoryTransport(virtual.Transport):  # type: ignore[misc]
    """For ``memory://name``; see the module."""

    Channel = Channel
    driver_type = "memory"
    driver_name = "memory"
    implements = base.Transport.implements.extend(
        exchange_type=frozenset(["direct", "topic", "fanout"]),
    )

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.bus = Bus.named(client.hostname or "")
        self.state = self.bus.state

    def driver_version(self) -> str:
        return "N/A"

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:
        """Deliver one message; wait for it without polling."""
        if timeout is not None:
            # Celery looks at whether it has to stop only when this returns, and asks for two seconds.
            timeout = min(timeout, 0.1)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            seen = self.bus.changes
            try:
                self.cycle.get(self._deliver, timeout=timeout)
                return
            except Empty:
                left = None if deadline is None else deadline - time.monotonic()
                if (left is not None and left <= 0) or not self.bus.wait(seen, left):
                    raise TimeoutError from None
