"""RabbitMQ: publishing with pipelined confirms, and taking whatever is there in one go.

A channel of py-amqp belongs to one thread; so does each `RabbitSender` and each `RabbitTaker`.
"""

import itertools
import selectors
import time
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final

import amqp
from amqp import spec
from amqp.transport import TCPTransport
from kombu.transport import pyamqp

from ..errors import BrokerError, UnroutableError
from .message import Outgoing, Taken, as_broker_error, properties_of
from .wakes import Waker

__all__ = ["AMQPTransport", "RabbitSender", "RabbitTaker"]

#: Messages on their way at once; enough to hide a round trip, few enough to bound what an outage leaves
#: unclear.
WINDOW: Final = 1000


class BufferedTransport(TCPTransport):  # type: ignore[misc]
    """py-amqp asks the kernel for seven bytes, then for some, then for one; this asks for many at once."""

    _read_buffer: bytes

    def _read(self, n: int, initial: bool = False) -> bytes:
        buffer = self._read_buffer
        while len(buffer) < n:
            try:
                more = self._quick_recv(max(n - len(buffer), 16384))
            except InterruptedError:
                continue
            except BlockingIOError:
                if initial and self.raise_on_initial_eintr:
                    raise TimeoutError from None
                continue  # in the middle of a frame: the rest is on its way
            if not more:
                raise OSError("Server unexpectedly closed connection")
            # Kept at once: a timeout in the middle of a frame must lose nothing.
            buffer = self._read_buffer = buffer + more
        self._read_buffer = buffer[n:]
        return buffer[:n]


class Connection(pyamqp.Connection):  # type: ignore[misc]
    """kombu's, with the buffered transport where there is no TLS (OpenSSL buffers by itself)."""

    def Transport(
        self,
        host: str,
        connect_timeout: float | None,
        ssl: Any = False,
        read_timeout: float | None = None,
        write_timeout: float | None = None,
        socket_settings: Any = None,
    ) -> Any:
        if ssl:
            return super().Transport(
                host, connect_timeout, ssl, read_timeout, write_timeout, socket_settings=socket_settings
            )
        return BufferedTransport(
            host,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            write_timeout=write_timeout,
            socket_settings=socket_settings,
        )


class AMQPTransport(pyamqp.Transport):  # type: ignore[misc]
    """kombu's AMQP transport, buffered: who waits for its socket must look into the buffer first."""

    Connection = Connection


class RabbitSender:
    """Publishes batches over one connection."""

    def __init__(self, connection: Any) -> None:
        self._kombu = connection
        self._connection = connection.connection
        self._channel = connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._sent = 0
        self._ids = (f"{uuid.uuid4().hex}-{number}" for number in itertools.count())
        #: delivery tag -> (place in the batch, message id)
        self._waiting: dict[int, tuple[int, str]] = {}
        self._places: dict[str, int] = {}
        self._results: list[Exception | None] = []

    def declare(self, queue: Any) -> None:
        """Make sure that ``queue`` and its exchange exist."""
        queue(self._channel).declare()

    def check(self) -> None:
        """Raise if the connection has been closed while nobody was looking."""
        try:
            self._connection.drain_events(timeout=0)
        except TimeoutError:
            return

    def send(self, batch: Sequence[Outgoing], deadline: float) -> list[Exception | None]:
        """Publish all, then wait for all confirms. Raises when the connection breaks; see `results`."""
        self._results = [BrokerError("it was not sent")] * len(batch)
        for place, message in enumerate(batch):
            while len(self._waiting) >= WINDOW:
                self._drain(deadline)
            self._publish(place, message, deadline)
        while self._waiting:
            self._drain(deadline)
        return self._results

    def results(self, batch: Sequence[Outgoing], error: Exception) -> list[Exception | None]:
        """What is known about a batch that ``error`` broke off."""
        unclear = as_broker_error(error, "the broker did not confirm it; it may have arrived or not")
        return [unclear if result is not None and not isinstance(result, UnroutableError) else result
                for result in self._results]  # fmt: skip

    def close(self) -> None:
        """Close politely; the caller knows that nothing is on its way."""
        self._kombu.release()

    def drop(self) -> None:
        """Close at once: the broker may not be answering."""
        self._kombu.collect()

    def _publish(self, place: int, message: Outgoing, deadline: float) -> None:
        properties = dict(message.properties)
        marked = properties.setdefault("message_id", next(self._ids))
        content = amqp.Message(
            message.body,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            application_headers=dict(message.headers),
            delivery_mode=2,
            priority=None if message.priority is None else int(message.priority),
            **properties,
        )
        with self._connection.transport.having_timeout(max(deadline - time.monotonic(), 0.001)):
            self._channel.send_method(
                spec.Basic.Publish,
                "Bssbb",
                (0, message.exchange.name, message.routing_key, True, False),
                content,
            )
        self._sent += 1
        self._waiting[self._sent] = (place, marked)
        self._places[marked] = place

    def _drain(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(
                "RabbitMQ does not confirm in time; is it out of memory or disk (see `rabbitmqctl status`)?"
            )
        try:
            self._connection.drain_events(timeout=left)
        except TimeoutError:
            return

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for place, _ in self._settled(tag, multiple):
            if not isinstance(self._results[place], UnroutableError):
                self._results[place] = None

    def _on_nack(self, tag: int, multiple: bool) -> None:
        for place, _ in self._settled(tag, multiple):
            self._results[place] = BrokerError("RabbitMQ refused it (nack): see the broker's log")

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        # A return comes before its ack.
        place = self._places.get(message.properties.get("message_id"))
        if place is not None:
            self._results[place] = UnroutableError(
                f"no queue takes {routing_key!r} from {exchange!r}: declare it with the message"
            )

    def _settled(self, tag: int, multiple: bool) -> Iterable[tuple[int, str]]:
        tags = [tag]
        if multiple:
            # In order of sending, so that those up to the tag stand at the front.
            tags = list(itertools.takewhile(lambda sent: sent <= tag, self._waiting))
        for sent in tags:
            known = self._waiting.pop(sent, None)
            if known is not None:
                self._places.pop(known[1], None)
                yield known


class RabbitTaker:
    """Takes from some queues over one connection."""

    def __init__(self, connection: Any, queues: Sequence[Any], prefetch: int) -> None:
        self._kombu = connection
        self._connection = connection.connection
        self._channel = connection.channel()
        self._waker = Waker()
        self._ready: deque[Taken] = deque()
        #: What we hold, in the order of the tags (a dict as an ordered set).
        self._held: dict[int, None] = {}
        #: The tags of the consumers, by queue.
        self._consumers: dict[str, str] = {}
        self._cancelled = False
        for queue in queues:
            queue(self._channel).declare()
        self._channel.basic_qos(0, prefetch, False)
        for queue in queues:
            self._consume(queue.name)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._connection.sock, selectors.EVENT_READ)
        self._selector.register(self._waker, selectors.EVENT_READ)
        #: Seconds between two calls of `tick`.
        self.interval = max((self._connection.heartbeat or 60) / 4, 0.5)

    def take(self, timeout: float, limit: int) -> list[Taken]:
        """What is there; waits for something, for `wake` or for the timeout."""
        if not self._ready or not limit:
            if not self._buffered():
                self._selector.select(timeout)
                self._waker.clear()
            self._read()
        return [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]

    def wake(self) -> None:
        """End the wait of `take`; from any thread."""
        self._waker.wake()

    def tick(self) -> None:
        """Send a heartbeat if one is due, and raise if the broker has sent none."""
        self._connection.heartbeat_tick()

    def ack(self, tags: Sequence[int]) -> None:
        """These are done: one acknowledgement for all that stand at the front."""
        done = set(tags)
        last = 0
        for tag in list(itertools.takewhile(done.__contains__, self._held)):
            del self._held[tag]
            last = tag
        if last:
            self._channel.basic_ack(last, multiple=True)
        for tag in sorted(done):
            if tag in self._held:
                del self._held[tag]
                self._channel.basic_ack(tag)

    def requeue(self, tags: Sequence[int]) -> None:
        """Put these back where they were."""
        for tag in sorted(tags, reverse=True):
            self._held.pop(tag, None)
            self._channel.basic_reject(tag, requeue=True)

    def cancel(self) -> None:
        """Take no more, and put back what nobody has been given yet."""
        self._cancelled = True
        for consumer in self._consumers.values():
            self._channel.basic_cancel(consumer)
        self.requeue([taken.tag for taken in self._ready])
        self._ready.clear()

    def join(self, queue: Any) -> None:
        """Take from this queue as well."""
        queue(self._channel).declare()
        self._consume(queue.name)

    def leave(self, queue: Any) -> None:
        """Take from it no more, and put back what nobody has been given yet."""
        self._channel.basic_cancel(self._consumers.pop(queue.name))
        left = [taken for taken in self._ready if taken.queue == queue.name]
        self._ready = deque(taken for taken in self._ready if taken.queue != queue.name)
        self.requeue([taken.tag for taken in left])

    def close(self) -> None:
        """Close politely."""
        self._selector.close()
        self._waker.close()
        self._kombu.release()

    def drop(self) -> None:
        """Close at once."""
        self._selector.close()
        self._waker.close()
        self._kombu.collect()

    def _consume(self, name: str) -> None:
        def arrived(message: Any) -> None:
            info = message.delivery_info
            tag = info["delivery_tag"]
            body = message.body
            self._held[tag] = None
            self._ready.append(
                Taken(
                    tag=tag,
                    body=body.encode() if isinstance(body, str) else bytes(body),
                    queue=name,
                    routing_key=info["routing_key"],
                    headers=message.properties.get("application_headers") or {},
                    properties=properties_of(message.properties),
                    redelivered=bool(info["redelivered"]),
                )
            )

        def cancelled(tag: str) -> None:
            if not self._cancelled and name in self._consumers:
                raise BrokerError(f"queue {name!r} was deleted under its consumer; it is declared again")

        self._consumers[name] = self._channel.basic_consume(name, callback=arrived, on_cancel=cancelled)

    def _read(self) -> None:
        """Read all that has come, without waiting; the prefetch bounds it."""
        while True:
            try:
                self._connection.drain_events(timeout=0)
            except TimeoutError:
                return

    def _buffered(self) -> bool:
        transport = self._connection.transport
        if getattr(transport, "_read_buffer", b""):
            return True
        pending = getattr(transport.sock, "pending", None)
        return bool(pending and pending())
