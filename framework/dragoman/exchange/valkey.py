"""The transport for Redis and Valkey: kombu's, with messages that are leased instead of popped (see
`leases`).

Celery's workers use it as it is; our own publisher and consumer use `valkey_links`, which speak to the same
keys.
"""

import contextlib
import time
from collections.abc import Sequence
from queue import Empty
from typing import Any

import redis
from kombu.transport import redis as kombu_redis
from kombu.transport.virtual import QoS as VirtualQoS
from kombu.utils.json import dumps, loads

from ..errors import UnroutableError
from .leases import REDELIVERED, SEPARATOR, TOKEN, Leases, wake_key

__all__ = ["RedisTransport", "unpack"]

#: How many messages a Celery worker takes at once when it has no prefetch limit.
MOST: int = 32

#: How long the routes of an exchange may be remembered, in seconds. A route that is missing is looked for at
#: once.
ROUTES_AGE: float = 2.0


def unpack(item: bytes, queue: str, tag: str) -> dict[str, Any]:
    """A message from a list as kombu's payload; what is no message becomes one that says so, to be parked."""
    redelivered = item.startswith(REDELIVERED)
    raw = item[1:] if redelivered else item
    try:
        payload: dict[str, Any] = loads(raw.decode())
        properties = payload["properties"]
        info = properties["delivery_info"]
        info["exchange"], info["routing_key"]
        if not isinstance(payload["body"], str | None):
            raise TypeError("its body is no text")
        payload["headers"] = dict(payload.get("headers") or {})
        if properties.get("body_encoding") == "base64" and payload["body"]:
            kombu_redis.virtual.base.Base64().decode(payload["body"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        payload = {
            "body": kombu_redis.virtual.base.Base64().encode(raw),
            "content-type": "application/octet-stream",
            "content-encoding": "binary",
            "headers": {"x-broken": f"no kombu message: {type(error).__name__}"},
            "properties": {
                "body_encoding": "base64",
                "delivery_info": {"exchange": "", "routing_key": queue},
            },
        }
        properties = payload["properties"]
    properties["delivery_tag"] = tag
    if redelivered:
        payload["headers"]["redelivered"] = True
        properties["delivery_info"]["redelivered"] = True
    return payload


class QoS(kombu_redis.QoS):  # type: ignore[misc]
    """What a channel holds: recorded by the script that took it, so there is nothing left to record."""

    def append(self, message: Any, delivery_tag: str) -> None:
        VirtualQoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        self.channel.leases.settle([delivery_tag])
        VirtualQoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if requeue:
            self.channel.leases.restore([delivery_tag])
        else:
            self.channel.leases.settle([delivery_tag])
        VirtualQoS.ack(self, delivery_tag)

    def restore_unacked(self, client: Any = None) -> None:
        self._flush()
        connection = self.channel.connection
        # On a connection that is lost there is nobody to give them back to: their leases run out.
        if connection is not None and connection.client is not None:
            with contextlib.suppress(*connection.connection_errors):
                self.channel.leases.restore(list(self._delivered))
        self._delivered.clear()

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:
        self.channel.leases.restore([tag])

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Renew what this channel holds, then put back what others have left behind.

        kombu calls this from the event loop every ``unacked_restore_interval`` seconds, and after each empty
        poll without one.
        """
        now = time.monotonic()
        if now - getattr(self, "_looked", 0.0) < self.visibility_timeout / 4:
            return
        self._looked = now
        self._flush()
        self.channel.leases.renew(list(self._delivered))
        self.channel.leases.restore_expired(self.visibility_timeout)


class Channel(kombu_redis.Channel):  # type: ignore[misc]
    """kombu's channel, with leases, one client instead of one for each command, and remembered routes."""

    QoS = QoS
    sep = SEPARATOR
    #: The path of a Unix socket; kombu's own ``redis+socket://`` URLs exclude a transport of one's own.
    unix_socket: str | None = None
    from_transport_options = (*kombu_redis.Channel.from_transport_options, "unix_socket")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._kept: Any = None
        self._leases: Leases | None = None
        self._routes: dict[str, tuple[float, list[tuple[str, ...]]]] = {}
        self._unacknowledged: set[str] = set()
        super().__init__(*args, **kwargs)

    @property
    def leases(self) -> Leases:
        """What this channel takes and settles messages with."""
        if self._leases is None:
            self._leases = Leases(
                self._create_client(),
                held=self.unacked_key,
                index=self.unacked_index_key,
                steps=self.priority_steps,
            )
        return self._leases

    # One client for all commands ------------------------------------------------------------------

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:  # these carry a connection of their own
            return super()._create_client(asynchronous=True)
        if self._kept is None:
            self._kept = super()._create_client()
        return self._kept

    def _disconnect_pools(self) -> None:
        self._kept = self._leases = None
        super()._disconnect_pools()

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.unix_socket:
            self.connection_class = redis.UnixDomainSocketConnection
        params: dict[str, Any] = super()._connparams(asynchronous=asynchronous)
        if self.unix_socket:
            for name in ("host", "port", "socket_keepalive", "socket_keepalive_options"):
                params.pop(name, None)
            params["path"] = self.unix_socket
        return params

    # Routes ---------------------------------------------------------------------------------------

    def get_table(self, exchange: str) -> list[tuple[str, ...]]:
        now = time.monotonic()
        age, table = self._routes.get(exchange, (0.0, []))
        if not table or now - age > ROUTES_AGE:
            table = super().get_table(exchange)
            self._routes[exchange] = (now, table)
        return table

    def _lookup(self, exchange: str, routing_key: str, default: str | None = None) -> Any:
        found = super()._lookup(exchange, routing_key, default)
        if not found and exchange:  # perhaps another process has bound it a moment ago
            self._routes.pop(exchange, None)
            found = super()._lookup(exchange, routing_key, default)
        return found

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        super()._queue_bind(exchange, routing_key, pattern, queue)
        self._routes.pop(exchange, None)

    def _delete(self, queue: str, exchange: str, *args: Any, **kwargs: Any) -> None:
        super()._delete(queue, exchange, *args, **kwargs)
        self._create_client().delete(wake_key(queue))
        self._routes.pop(exchange, None)

    # Publishing -----------------------------------------------------------------------------------

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        batch = kwargs.get("_publish_batch")
        if batch is not None:
            super()._put(queue, message, **kwargs)
            batch.add("zadd", wake_key(queue), {TOKEN: 0})
            return
        with self._create_client().pipeline(transaction=False) as pipe:
            self._add_put(pipe, queue, message)
            pipe.execute()

    def _add_put(self, pipe: Any, queue: str, message: dict[str, Any]) -> int:
        """Add what puts ``message`` to ``pipe``: how many commands."""
        step = self._get_message_priority(message, reverse=False)
        pipe.lpush(self._q_for_pri(queue, step), dumps(message))
        pipe.zadd(wake_key(queue), {TOKEN: 0})
        if queue not in self._expires:
            return 2
        keys = [wake_key(queue), *(self._q_for_pri(queue, each) for each in self.priority_steps)]
        for key in keys:
            pipe.pexpire(key, self._expires[queue])
        return 2 + len(keys)

    def publish_batch(self, messages: Sequence[tuple[dict[str, Any], str, str]]) -> list[Exception | None]:
        """Publish (prepared message, exchange, routing key) with one round trip: what became of each.

        Raises when the connection breaks: then nobody knows what has arrived.
        """
        results: list[Exception | None] = []
        owners: list[int] = []
        with self._create_client().pipeline(transaction=False) as pipe:
            for place, (message, exchange, routing_key) in enumerate(messages):
                self._inplace_augment_message(message, exchange, routing_key)
                queues = [queue for queue in self._lookup(exchange, routing_key) if queue]
                results.append(None if queues else UnroutableError(
                    f"no queue takes {routing_key!r} from {exchange!r}: declare it with the message"
                ))  # fmt: skip
                for queue in queues:
                    owners.extend([place] * self._add_put(pipe, queue, message))
            for place, answer in zip(owners, pipe.execute(raise_on_error=False), strict=True):
                if isinstance(answer, Exception) and results[place] is None:
                    results[place] = answer
        return results

    # Taking ---------------------------------------------------------------------------------------

    def basic_consume(self, queue: str, no_ack: bool = False, *args: Any, **kwargs: Any) -> Any:
        (self._unacknowledged.add if no_ack else self._unacknowledged.discard)(queue)
        tag = super().basic_consume(queue, no_ack, *args, **kwargs)
        # A poll that is under way does not know this queue: end it, so that the next one does. And a token
        # that came while nobody consumed may have been taken for nothing.
        self.leases.wake(self.active_queues)
        return tag

    def _brpop_start(self, timeout: float | None = None) -> None:
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        self._in_poll = self.client.connection
        self._brpop_sent_at = time.monotonic()
        wait = self.brpop_timeout if timeout is None else timeout
        self.client.connection.send_command("BZPOPMIN", *map(wake_key, queues), wait or 0)

    def _brpop_read(self, **options: Any) -> bool:
        connection = self.client.connection
        try:
            connection.read_response()
        except self.connection_errors:
            connection.disconnect()
            raise
        finally:
            self._in_poll = None
        # Token or not: who took the token may have died before it took the message.
        room = self.qos.can_consume_max_estimate()
        taken = self.leases.take(
            self._queue_cycle.consume(len(self.active_queues)), MOST if room is None else min(room, MOST)
        )
        if not taken:
            raise Empty
        for queue, tag, item in taken:
            self._queue_cycle.rotate(queue)
            if queue in self._unacknowledged:
                self.leases.settle([tag])
            self.connection._deliver(unpack(item, queue, tag), queue)
        return True

    def _get(self, queue: str) -> dict[str, Any]:
        for name, tag, item in self.leases.take([queue], 1):
            return unpack(item, name, tag)
        raise Empty

    def close(self) -> None:
        queues = list(self.active_queues) if self._in_poll and not self.closed else []
        self._in_poll = None  # kombu would wait for the answer and take messages while it closes
        if queues and self.connection is not None and self.connection.client is not None:
            # The answer that nobody reads may have been a token.
            with contextlib.suppress(*self.connection.connection_errors):
                self.leases.wake(queues)
        super().close()


class RedisTransport(kombu_redis.Transport):  # type: ignore[misc]
    """For ``redis://`` and ``valkey://``; see the module."""

    Channel = Channel
