"""Takes dead letters from the broker into the ledger, where all that was set aside is in one place; and back.

It runs beside the router. While the store is away, they stay in their queue.
"""

import base64
import json
import logging
import threading
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Engine

from .errors import BrokerError
from .exchange.broker import Broker
from .exchange.consumer import Consumer
from .exchange.message import Delivery, Outgoing, properties_of
from .exchange.publisher import Publisher
from .exchange.topology import Priority, Topology
from .store.strays import Stray, due_strays, keep_strays, read_stray, return_strays

__all__ = ["Strays", "stray_message"]

log = logging.getLogger(__name__)

#: Seconds between two looks for what an operator has put back.
EVERY: Final = 1.0
PREFETCH: Final = 50


class Strays:
    """Consumes in a thread of its own and publishes in another; several may run, in any processes."""

    def __init__(self, engine: Engine, broker: Broker, topology: Topology) -> None:
        self._engine = engine
        self._topology = topology
        self._consumer = Consumer(
            broker,
            "strays",
            [topology.dead_queue()],
            self.handle,
            prefetch=PREFETCH,
            # There is nowhere else to put them.
            retry=(Exception,),
        )
        self._publisher = Publisher(broker, "strays")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="dragoman-strays-back", daemon=True)

    def start(self) -> None:
        self._consumer.start()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._consumer.stop()
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Close its connection; for one that was never started."""
        self._publisher.close()

    def handle(self, batch: Sequence[Delivery]) -> None:
        """Write a batch down. What the store raises has the consumer wait and try again."""
        found = [read_stray(delivery.body) for delivery in batch]
        with self._engine.begin() as connection:
            new = keep_strays(connection, found)
        for stray in found:
            if stray.id in new:
                new.discard(stray.id)
                log.warning(
                    "a message of %s is kept as a dead letter (reference %s): %s",
                    stray.queue or "an unknown queue",
                    stray.id[:8].upper(),
                    stray.reason,
                )
        for delivery in batch:
            delivery.ack()

    def look(self) -> int:
        """Publish what an operator has put back: how many."""
        with self._engine.begin() as connection:
            due = due_strays(connection)
        if not due:
            return 0
        messages: list[tuple[Stray, Outgoing]] = []
        failed: list[tuple[str, str]] = []
        for stray in due:
            try:
                messages.append((stray, stray_message(self._topology, stray)))
            except ValueError as error:
                failed.append((stray.id, f"cannot be published again: {error}; {stray.reason}"))
        outcomes = self._publisher.publish([message for _, message in messages]) if messages else []
        published = [stray.id for (stray, _), error in zip(messages, outcomes, strict=True) if error is None]
        with self._engine.begin() as connection:
            return_strays(connection, published, failed)
        for id, reason in failed:
            log.error("the dead letter %s %s", id[:8].upper(), reason)
        return len(published)

    def _work(self) -> None:
        while not self._stopping.wait(EVERY):
            try:
                self.look()
            except BrokerError as error:
                log.warning("dead letters wait for the broker: %s", error)
            except Exception as error:
                log.warning("dead letters cannot be put back now: %s", error)


def stray_message(topology: Topology, stray: Stray) -> Outgoing:
    """The message of a dead letter as it was, to where it was going.

    Raises:
        ValueError: this bot has no such queue.
    """
    letter: Any = json.loads(stray.letter)
    queue = _queue(topology, stray.queue)
    properties = properties_of(letter.get("properties") or {})
    priority = properties.pop("priority", None)
    if priority not in list(Priority) or ".skill." not in stray.queue:
        priority = None
    body = letter["body"].encode() if "body" in letter else base64.b64decode(letter["body_base64"])
    return Outgoing(
        queue.exchange,
        str(letter.get("routing_key") or queue.routing_key),
        body,
        queues=(queue,),
        priority=None if priority is None else Priority(priority),
        headers=letter.get("headers") or {},
        content_type=str(properties.pop("content_type", "application/json")),
        content_encoding=str(properties.pop("content_encoding", "utf-8")),
        properties=properties,
    )


def _queue(topology: Topology, name: str) -> Any:
    """The queue of this name, with its exchange. Raises ValueError: there is none."""
    kind, _, rest = name.removeprefix(f"{topology.namespace}.").partition(".")
    if not name.startswith(f"{topology.namespace}."):
        pass
    elif kind == "router" and not rest:
        return topology.router_queue()
    elif kind == "skill" and rest:
        return topology.skill_queue(rest)
    elif kind == "deliver" and rest:
        account, _, partition = rest.partition(".")
        return topology.deliver_queue(account, int(partition) if partition else None)
    raise ValueError(f"there is no queue {name}")
