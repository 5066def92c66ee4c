"""Redis and Valkey: publishing in one round trip, and taking whatever is there in one go."""

import selectors
import time
from collections.abc import Sequence
from typing import Any

from ..errors import UnroutableError
from .leases import wake_key
from .message import Outgoing, Taken, as_broker_error
from .payloads import payload_of, taken_from
from .valkey import unpack
from .wakes import Waker

__all__ = ["ValkeySender", "ValkeyTaker"]

#: For how long to block on the tokens, in seconds: as long as a lost token can delay a message.
BLOCK = 1.0

#: Messages in one round trip.
WINDOW = 500


class ValkeySender:
    """Publishes batches over one connection."""

    def __init__(self, connection: Any, priorities: dict[int, int]) -> None:
        self._kombu = connection
        self._channel = connection.channel()
        self._priorities = priorities
        self._results: list[Exception | None] = []

    def declare(self, queue: Any) -> None:
        """Make sure that ``queue`` is bound."""
        queue(self._channel).declare()

    def check(self) -> None:
        """redis-py notices a closed connection and opens another by itself."""

    def send(self, batch: Sequence[Outgoing], deadline: float) -> list[Exception | None]:
        """Publish all. Raises when the connection breaks; see `results`."""
        self._results = []
        for start in range(0, len(batch), WINDOW):
            if time.monotonic() > deadline:
                raise TimeoutError("the broker does not answer in time")
            self._results += [
                error if error is None or isinstance(error, UnroutableError)
                else as_broker_error(error, "the broker refused it")
                for error in self._channel.publish_batch([
                    (self._payload(message), message.exchange.name, message.routing_key)
                    for message in batch[start:start + WINDOW]
                ])
            ]  # fmt: skip
        results, self._results = self._results, []
        return results

    def results(self, batch: Sequence[Outgoing], error: Exception) -> list[Exception | None]:
        """What is known about a batch that ``error`` broke off."""
        unclear = as_broker_error(error, "the broker did not confirm it; it may have arrived or not")
        return [*self._results, *[unclear] * (len(batch) - len(self._results))]

    def close(self) -> None:
        """Close it."""
        self._kombu.release()

    def drop(self) -> None:
        """Close it at once."""
        self._kombu.release()

    def _payload(self, message: Outgoing) -> dict[str, Any]:
        return payload_of(self._channel, message, self._priorities[message.priority or 0])


class ValkeyTaker:
    """Takes from some queues over one connection."""

    def __init__(self, connection: Any, queues: Sequence[Any], prefetch: int) -> None:
        self._kombu = connection
        self._channel = connection.channel()
        for queue in queues:
            queue(self._channel).declare()
        self._queues: list[str] = [queue.name for queue in queues]
        self._prefetch = prefetch
        self._leases = self._channel.leases
        self._visibility: float = self._channel.visibility_timeout
        self._held: dict[str, None] = {}
        #: Blocks on the tokens, so it can be used for nothing else.
        self._blocking = self._channel.client.connection_pool.get_connection()
        self._blocked = False
        self._waker = Waker()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._watched: Any = None
        #: Seconds between two calls of `tick`.
        self.interval = max(min(self._visibility / 4, 10.0), 0.05)
        self._leases.restore_expired(self._visibility)

    def take(self, timeout: float, limit: int) -> list[Taken]:
        """What is there; waits for something, for `wake` or for the timeout."""
        room = min(limit, self._prefetch - len(self._held))
        if room > 0 and not self._blocked and self._queues:
            taken = self._look(room)
            if taken:
                return taken
            self._block()
        ready = {key.fd for key, _ in self._selector.select(timeout)}
        self._waker.clear()
        if self._watched is not None and self._watched.fileno() in ready:
            self._blocking.read_response()
            self._blocked = False
            return self._look(room) if room > 0 else []
        return []

    def wake(self) -> None:
        """End the wait of `take`; from any thread."""
        self._waker.wake()

    def join(self, queue: Any) -> None:
        """Take from this queue as well."""
        queue(self._channel).declare()
        self._look_up()
        self._queues.append(queue.name)

    def leave(self, queue: Any) -> None:
        """Take from it no more."""
        self._look_up()
        self._queues.remove(queue.name)

    def tick(self) -> None:
        """Renew what we hold, and put back what others have left behind."""
        self._leases.renew(list(self._held))
        self._leases.restore_expired(self._visibility)

    def ack(self, tags: Sequence[str]) -> None:
        """These are done."""
        self._leases.settle(tags)
        for tag in tags:
            self._held.pop(tag, None)

    def requeue(self, tags: Sequence[str]) -> None:
        """Put these back, the first given to come out first."""
        self._leases.restore(tags)
        for tag in tags:
            self._held.pop(tag, None)

    def cancel(self) -> None:
        """Take no more."""
        self._prefetch = 0
        self._look_up()

    def close(self) -> None:
        """Close it."""
        self._unblock()
        self._selector.close()
        self._waker.close()
        self._kombu.release()

    drop = close

    def _look(self, room: int) -> list[Taken]:
        self._queues = self._queues[1:] + self._queues[:1]  # none of them always comes first
        taken = []
        for queue, tag, item in self._leases.take(self._queues, room):
            self._held[tag] = None
            taken.append(taken_from(unpack(item, queue, tag), queue, tag))
        return taken

    def _block(self) -> None:
        self._blocking.send_command("BZPOPMIN", *map(wake_key, self._queues), BLOCK)
        self._blocked = True
        sock = self._blocking._sock
        if sock is not self._watched:
            if self._watched is not None:
                self._selector.unregister(self._watched)
            self._selector.register(sock, selectors.EVENT_READ)
            self._watched = sock

    def _look_up(self) -> None:
        """Stop waiting for the queues that there were."""
        if self._blocked:
            self._unblock()
            # The answer that nobody reads may have been a token.
            self._leases.wake(self._queues)

    def _unblock(self) -> None:
        if self._watched is not None:
            self._selector.unregister(self._watched)
            self._watched = None
        self._blocked = False
        self._blocking.disconnect()
