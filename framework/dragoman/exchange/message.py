"""What goes to an exchange and what comes from one, whichever the broker is."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import BrokerError
from ..redaction import redact
from ..tls import explained
from .topology import Priority

__all__ = ["Delivery", "Outgoing", "Taken", "as_broker_error", "dead_letter", "properties_of"]

#: The AMQP properties that a message may carry from one end to the other.
PROPERTIES: Final = (
    "content_type",
    "content_encoding",
    "priority",
    "correlation_id",
    "reply_to",
    "message_id",
    "timestamp",
    "type",
    "app_id",
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish.

    Attributes:
        exchange: one of the topology's.
        routing_key: see `Topology`.
        body: JSON, already encoded.
        queues: the queues that this message needs; declared once per connection, before its first use,
            because a publisher may be there before any consumer has ever been.
        priority: only skills' queues have priorities.
        headers: the message's headers.
        properties: other AMQP properties, such as ``correlation_id`` and ``reply_to``.
    """

    exchange: Any
    routing_key: str
    body: bytes
    queues: tuple[Any, ...] = ()
    priority: Priority | None = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = "application/json"
    content_encoding: str = "utf-8"


@dataclass(slots=True)
class Taken:
    """A message as a broker hands it over.

    Attributes:
        tag: what the broker wants back when it is settled.
        broken: why it is no message at all; it must be parked.
    """

    tag: Any
    body: bytes
    queue: str
    routing_key: str
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    redelivered: bool
    broken: str = ""


@dataclass(slots=True, eq=False)
class Delivery:
    """A message that somebody has to settle: exactly one of `ack`, `requeue` and `park`, from any thread.

    Only the first one counts. After a reconnect none does: the broker delivers the message again.

    Attributes:
        body: as it was published.
        headers, properties: the message's.
        queue: where it was taken from.
        routing_key: what it was published with.
        redelivered: whether somebody may have had it before.
        settled: whether it has been.
    """

    body: bytes
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    queue: str
    routing_key: str
    redelivered: bool
    tag: Any = field(repr=False)
    generation: int = field(repr=False)
    _settle: Callable[["Delivery", str, str], None] = field(repr=False)
    settled: bool = False

    def ack(self) -> None:
        """It is done."""
        self._once("ack", "")

    def requeue(self) -> None:
        """Not now, or not here: put it back at the front of its queue."""
        self._once("requeue", "")

    def park(self, reason: str) -> None:
        """It cannot be read or done: put it into the dead letters with ``reason``, which holds no secret."""
        self._once("park", reason)

    def _once(self, what: str, reason: str) -> None:
        if not self.settled:
            self.settled = True
            self._settle(self, what, reason)


def dead_letter(
    body: bytes,
    reason: str,
    *,
    queue: str,
    routing_key: str,
    headers: Mapping[str, Any],
    properties: Mapping[str, Any],
) -> bytes:
    """The dead letter of a message: all that is needed to understand and to replay it, as JSON."""
    letter: dict[str, Any] = {
        "v": 1,
        "reason": redact(reason),
        "time": time.time(),
        "queue": queue,
        "routing_key": routing_key,
        "headers": dict(headers),
        "properties": dict(properties),
    }
    try:
        letter["body"] = body.decode()
    except UnicodeDecodeError:
        letter["body_base64"] = base64.b64encode(body).decode()
    # Headers of strangers can hold what JSON cannot (bytes, times, decimals): their text is better than
    # nothing.
    return json.dumps(letter, default=str).encode()


def properties_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the AMQP properties in ``source`` that mean something to a reader."""
    return {name: source[name] for name in PROPERTIES if source.get(name) is not None}


def as_broker_error(error: BaseException, doing: str) -> BrokerError:
    """``error`` of a broker's library as ours."""
    if isinstance(error, BrokerError):
        return error
    text = explained(error) or str(error) or type(error).__name__
    return BrokerError(f"{doing}: {text}")
