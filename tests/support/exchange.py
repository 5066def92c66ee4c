"""Help for tests that publish and consume."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from dragoman.exchange.broker import Broker
from dragoman.exchange.consumer import Consumer
from dragoman.exchange.message import Delivery, Outgoing
from dragoman.exchange.topology import Priority

SKILL = "dice"


def task(broker: Broker, body: bytes | str, *, skill: str = SKILL, priority: Priority | None = None) -> Outgoing:
    """A message for a skill's queue, which is declared with it."""
    topology = broker.topology
    return Outgoing(
        topology.skills,
        topology.skill_key(skill),
        body.encode() if isinstance(body, str) else body,
        queues=(topology.skill_queue(skill),),
        priority=priority,
    )


class Inbox:
    """A handler that keeps what it gets, and settles it as told."""

    def __init__(self, settle: Callable[[Delivery], None] | None = Delivery.ack) -> None:
        self.deliveries: list[Delivery] = []
        self.batches: list[int] = []
        self._settle = settle
        self._changed = threading.Condition()

    def __call__(self, batch: list[Delivery]) -> None:
        if self._settle is not None:
            for delivery in batch:
                self._settle(delivery)
        with self._changed:
            self.deliveries += batch
            self.batches.append(len(batch))
            self._changed.notify_all()

    @property
    def bodies(self) -> list[str]:
        """The bodies of all that came, in their order."""
        return [delivery.body.decode() for delivery in self.deliveries]

    def wait(self, count: int, timeout: float = 15.0) -> list[Delivery]:
        """Wait until ``count`` deliveries have come."""
        with self._changed:
            done = self._changed.wait_for(lambda: len(self.deliveries) >= count, timeout)
        assert done, f"{len(self.deliveries)} of {count} deliveries came in {timeout} s"
        return self.deliveries


@contextmanager
def consuming(
    broker: Broker,
    handle: Callable[[list[Delivery]], None],
    *queues: Any,
    role: str = "worker.default",
    **options: Any,
) -> Iterator[Consumer]:
    """A consumer of those queues (the default skill's when none is named), stopped at the end."""
    consumer = Consumer(broker, role, queues or (broker.topology.skill_queue(SKILL),), handle, **options)
    consumer.start()
    try:
        assert consumer.wait_up(15), "the consumer did not connect"
        yield consumer
    finally:
        consumer.stop(grace=0)


@contextmanager
def program(source: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A Python process that runs ``source``; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", source, *arguments], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
