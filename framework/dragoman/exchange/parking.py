"""Dead letters on their way to their queue."""

from collections.abc import Sequence

from .broker import Broker
from .message import Delivery, Outgoing, dead_letter
from .publisher import Publisher

__all__ = ["DeadLetters"]


class DeadLetters:
    """Publishes them, over a connection that is opened for the first; for one thread."""

    def __init__(self, broker: Broker, role: str) -> None:
        self._broker = broker
        self._role = role
        self._publisher: Publisher | None = None

    def publish(self, parked: Sequence[tuple[Delivery, str]]) -> list[Exception | None]:
        """The dead letters of messages, each with its reason: what became of each, as `Publisher.publish` says."""
        if self._publisher is None:
            self._publisher = Publisher(self._broker, self._role)
        topology = self._broker.topology
        return self._publisher.publish([
            Outgoing(
                topology.dead, topology.dead_key(), _letter(delivery, reason), queues=(topology.dead_queue(),)
            )
            for delivery, reason in parked
        ])  # fmt: skip

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._publisher is not None:
            self._publisher.close()


def _letter(delivery: Delivery, reason: str) -> bytes:
    return dead_letter(
        delivery.body,
        reason,
        queue=delivery.queue,
        routing_key=delivery.routing_key,
        headers=delivery.headers,
        properties=delivery.properties,
    )
