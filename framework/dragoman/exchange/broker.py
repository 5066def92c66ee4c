"""A broker by its URL: which transport serves it, with which options, and what it can do."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from kombu import Connection

from ..errors import BrokerError, SettingsError
from ..tls import SCHEMES, Tls, explained
from .links import Sender, Taker
from .message import as_broker_error
from .topology import PARTITIONS, Priority, Topology

__all__ = ["CAPABILITIES", "Broker", "Standing"]

#: What a broker may be able to do:
#:
#: priority          the more urgent message of a queue comes first
#: unroutable        a message for which there is no queue is an error
#: many_processes    several processes can share it
#: redelivery        what a killed consumer held comes back
#: survives_restart  what was confirmed is still there after a kill -9 of the broker
CAPABILITIES: Final = frozenset({"priority", "unroutable", "many_processes", "redelivery", "survives_restart"})

ALIASES: Final = {
    "memory": "memory",
    "redis": "redis",
    "rediss": "redis",
    "valkey": "redis",
    "valkeys": "redis",
    "redis+socket": "redis",
    "valkey+socket": "redis",
    "amqp": "amqp",
    "amqps": "amqp",
    "pyamqp": "amqp",
}

TRANSPORTS: Final = {
    "memory": "dragoman.exchange.memory:MemoryTransport",
    "redis": "dragoman.exchange.valkey:RedisTransport",
    # Celery's event loop asks the kernel whether there is something to read, so it cannot have a buffer.
    "amqp": "kombu.transport.pyamqp:Transport",
}

#: For our own links, which know about the buffer.
BUFFERED: Final = "dragoman.exchange.rabbitmq:AMQPTransport"


class Standing(NamedTuple):
    """How a queue stands: messages that nobody has taken, and consumers (``None``: the broker does not know)."""

    depth: int
    consumers: int | None


class Broker:
    """Everything that there is to know about a broker.

    Args:
        given: ``memory://name``, ``redis://``, ``valkey://``, ``redis+socket:///path``, ``amqp://``, ``amqps://``.
        namespace: the bot's; all names on the broker begin with it.
        visibility: seconds after which Redis gives back what a killed process held. Living ones renew.
        heartbeat: seconds after which a silent AMQP connection is given up.
        partitions: see `Topology`.
        tls: for an address with TLS; the machine's own authorities if left out.

    Attributes:
        family: ``memory``, ``redis`` or ``amqp``.
        url: what kombu and Celery take, together with `transport` and `transport_options`.
        transport: the path of the transport's class.
        capabilities: what it can do, of `CAPABILITIES`.
        topology: the bot's exchanges and queues.
    """

    def __init__(
        self,
        given: str,
        namespace: str = "dragoman",
        *,
        visibility: float = 60.0,
        heartbeat: float = 30.0,
        connect_timeout: float = 5.0,
        partitions: int = PARTITIONS,
        tls: Tls | None = None,
    ) -> None:
        scheme = given.partition("://")[0].lower()
        if "://" not in given or scheme not in ALIASES:
            known = ", ".join(f"{each}://" for each in ("memory", "redis", "valkey", "redis+socket", "amqp"))
            raise SettingsError(f"broker URL of kind {scheme!r} is unknown: use one of {known}")
        self.family = ALIASES[scheme]
        self.namespace = namespace
        self.topology = Topology(namespace, partitions)
        self.transport = TRANSPORTS[self.family]
        self.capabilities = CAPABILITIES if self.family != "memory" else frozenset({"priority", "unroutable"})
        self.visibility = visibility
        self.heartbeat = heartbeat
        self.connect_timeout = connect_timeout
        self.unix_socket: str | None = None
        tls = tls or Tls()
        if scheme in SCHEMES:
            tls.load()
        elif tls.given:
            raise SettingsError(
                f"[broker] {tls.given} is for TLS, and the address has none: write amqps:// or rediss://"
            )
        self.tls = tls if scheme in SCHEMES else None
        self._given = given
        if scheme.endswith("+socket"):
            self.unix_socket = unquote(urlsplit(given).path)
            self.url = "redis://localhost/0"
        elif self.family == "redis":
            # kombu must not see the schemes that it does not know, nor choose the transport by them.
            self.url = "redis" + given[len(scheme) :]
        elif self.family == "amqp":
            self.url = "amqp" + given[len(scheme) :]
        else:
            self.url = given

    def __repr__(self) -> str:
        return f"Broker({self.safe_url!r}, {self.namespace!r})"

    @property
    def ssl(self) -> dict[str, Any] | None:
        """For kombu's ``ssl`` and Celery's ``broker_use_ssl``; ``None`` without TLS."""
        return self.tls.options(self.family, urlsplit(self.url).hostname or "localhost") if self.tls else None

    @property
    def safe_url(self) -> str:
        """The URL as it was given, without its password."""
        parts = urlsplit(self._given)
        if parts.password is None and not parts.query:
            return self._given
        user, _, host = parts.netloc.rpartition("@")
        shown = f"{user.partition(':')[0]}:***@{host}" if user else host
        return urlunsplit(parts._replace(netloc=shown, query=""))

    def transport_options(self, role: str) -> dict[str, Any]:
        """The options for one role (``gateway``, ``router``, ``worker.<pool>``); Redis keeps roles apart."""
        if self.family == "redis":
            keys = f"{self.namespace}.unacked.{role}"
            options: dict[str, Any] = {
                "unacked_key": keys,
                "unacked_index_key": f"{keys}.index",
                "unacked_mutex_key": f"{keys}.mutex",
                "unacked_mutex_expire": max(int(self.visibility), 1),
                "unacked_restore_interval": max(min(self.visibility / 4, 10.0), 0.05),
                "unacked_restore_throttle": 1,
                "visibility_timeout": self.visibility,
                "priority_steps": sorted(self.wire_priority(each) for each in Priority),
                "socket_connect_timeout": self.connect_timeout,
                # No command of ours takes longer; without it a broker that is stopped hangs us for ever.
                "socket_timeout": 30.0,
                "socket_keepalive": True,
                # kombu takes the exchange's name to begin after the first dot.
                "fanout_prefix": f"/{{db}}-{self.namespace}.",
            }
            if self.unix_socket:
                options["unix_socket"] = self.unix_socket
            return options
        if self.family == "amqp":
            return {
                "confirm_publish": True,
                "client_properties": {"connection_name": f"{self.namespace} {role}"},
            }
        return {}

    def connection(self, role: str, *, heartbeat: bool = True) -> Any:
        """A kombu connection for one role, not yet open."""
        return self._connection(role, self.transport, heartbeat=heartbeat)

    def _link(self, role: str, *, heartbeat: bool) -> Any:
        return self._connection(role, BUFFERED if self.family == "amqp" else self.transport, heartbeat=heartbeat)

    def _connection(self, role: str, transport: str, *, heartbeat: bool) -> Any:
        return Connection(
            self.url,
            transport=transport,
            transport_options=self.transport_options(role),
            connect_timeout=self.connect_timeout,
            ssl=self.ssl or False,
            heartbeat=self.heartbeat if heartbeat else 0,
        )

    def wire_priority(self, priority: Priority | int) -> int:
        """``priority`` as the broker counts: on Redis 0 goes first."""
        return int(max(Priority)) - int(priority) if self.family == "redis" else int(priority)

    @property
    def prefetch_per_queue(self) -> bool:
        """Whether the broker counts what a consumer holds for each queue rather than for all together."""
        return self.family == "amqp"

    def depth(self, queue: str) -> int:
        """How many messages wait in a queue that nobody has taken; 0 if there is no such queue.

        Raises:
            BrokerError: the broker cannot be reached.
        """
        try:
            with self.connection("depth", heartbeat=False) as connection:
                try:
                    return int(connection.default_channel.queue_declare(queue=queue, passive=True).message_count)
                except connection.channel_errors:
                    return 0
        except Exception as error:
            raise as_broker_error(error, f"cannot ask {self.safe_url} for the depth of {queue}") from error

    def look(self, queues: Iterable[str]) -> dict[str, Standing]:
        """How each of these queues stands, by name; one that is not there is empty.

        Raises:
            BrokerError: the broker cannot be reached.
        """
        found: dict[str, Standing] = {}
        try:
            with self.connection("depth", heartbeat=False) as connection:
                for queue in queues:
                    # RabbitMQ closes the channel on which it was asked for a queue that is not there.
                    channel = connection.channel()
                    try:
                        told = channel.queue_declare(queue=queue, passive=True)
                        consumers = int(told.consumer_count) if self.family == "amqp" else None
                        found[queue] = Standing(int(told.message_count), consumers)
                        channel.close()
                    except connection.channel_errors:
                        found[queue] = Standing(0, 0 if self.family == "amqp" else None)
        except Exception as error:
            raise as_broker_error(error, f"cannot ask {self.safe_url} how its queues stand") from error
        return found

    def purge(self, queue: str) -> int:
        """Throw away the messages that wait in a queue; how many there were.

        Raises:
            BrokerError: the broker cannot be reached.
        """
        try:
            with self.connection("depth", heartbeat=False) as connection:
                try:
                    return int(connection.default_channel.queue_purge(queue) or 0)
                except connection.channel_errors:
                    return 0
        except Exception as error:
            raise as_broker_error(error, f"cannot purge {queue} of {self.safe_url}") from error

    def open_sender(self, role: str) -> Sender:
        """Connect in order to publish."""
        # A publisher may be idle for long and has no thread that would send heartbeats.
        connection = self._link(role, heartbeat=False)
        with _connected(connection):
            # The families' libraries are imported when needed: a bot uses one of them.
            if self.family == "redis":
                from .valkey_links import ValkeySender

                return ValkeySender(connection, {int(each): self.wire_priority(each) for each in Priority})
            if self.family == "amqp":
                from .rabbitmq import RabbitSender

                return RabbitSender(connection)
            from .memory_links import MemorySender

            return MemorySender(connection)

    def open_taker(self, role: str, queues: tuple[Any, ...], prefetch: int) -> Taker:
        """Connect in order to take from ``queues``, at most ``prefetch`` unsettled messages at once."""
        connection = self._link(role, heartbeat=True)
        with _connected(connection):
            if self.family == "redis":
                from .valkey_links import ValkeyTaker

                return ValkeyTaker(connection, queues, prefetch)
            if self.family == "amqp":
                from .rabbitmq import RabbitTaker

                return RabbitTaker(connection, queues, prefetch)
            from .memory_links import MemoryTaker

            return MemoryTaker(connection, queues, prefetch)

    def forget(self) -> None:
        """Drop what a memory broker holds; the others keep theirs."""
        if self.family == "memory":
            from .memory import forget

            forget(urlsplit(self.url).hostname or "")


@contextlib.contextmanager
def _connected(connection: Any) -> Iterator[None]:
    try:
        # kombu would wait two seconds before its second attempt; when to try again is our caller's to know.
        connection.ensure_connection(
            max_retries=1, interval_start=0, interval_step=0, timeout=connection.connect_timeout
        )
        yield
    except BaseException as error:
        connection.collect()
        if reason := explained(error):
            raise BrokerError(reason) from error
        raise
