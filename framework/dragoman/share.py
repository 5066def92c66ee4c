"""A gateway's share of what is to be said: the queues that it takes from, and what it takes over or hands over."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final

from sqlalchemy import Engine

from .action import Action, ActionBase
from .exchange.consumer import Consumer
from .exchange.message import Delivery
from .exchange.topology import Topology
from .partitions import Part, Partitions, partition_of
from .store.earlier import postponed
from .store.engine import reading
from .store.limits import Limit

__all__ = ["Share"]

#: Seconds that what is in hand may take when another gateway waits for the partition.
HANDOVER: Final = 8.0
#: Seconds until what is for others goes back to its queue.
AWAY: Final = 1.0
#: Seconds between two looks at whether it is finished.
TICK: Final = 0.02


class Share:
    """The partitions of one gateway, with their queues; made and used in its event loop.

    Args:
        consumer: takes from the queues.
        resume: called with what was tried by an earlier owner, in order, before anything else comes.
        busy: whether something of these is still in hand.
        recall: called with what is not to be waited for any more.
        limited: called with what other gateways were told by the platforms.
    """

    def __init__(
        self,
        engine: Engine,
        topology: Topology,
        accounts: Collection[str],
        consumer: Consumer,
        *,
        resume: Callable[[Action], None],
        busy: Callable[[Collection[Part]], bool],
        recall: Callable[[Collection[Part]], None],
        limited: Callable[[Sequence[Limit]], None],
    ) -> None:
        self._engine = engine
        self._topology = topology
        self._consumer = consumer
        self._resume = resume
        self._busy = busy
        self._recall = recall
        #: What is handed over and has taken too long: nothing of it is begun any more.
        self._leaving: set[Part] = set()
        #: What has come here and is for others.
        self._others: list[Delivery] = []
        self._partitions = Partitions(
            engine,
            accounts,
            topology.partitions,
            gained=self._gained,
            changed=self._watch,
            finish=self._finish,
            limited=limited,
        )

    def start(self) -> None:
        """Take the share."""
        self._partitions.start()

    async def close(self) -> None:
        """Leave it to others."""
        await self._partitions.close()

    def part(self, action: ActionBase) -> Part:
        """Where an action belongs."""
        return Part(action.address.account, partition_of(action.address, self._topology.partitions))

    def has(self, action: ActionBase) -> bool:
        """Whether this gateway may perform it now."""
        part = self.part(action)
        return self._partitions.holds(part) and part not in self._leaving

    def put_back(self, delivery: Delivery) -> None:
        """Let its owner have it; after a moment, since it comes back here where nobody is. Others keep their order."""
        if not self._others:
            asyncio.get_running_loop().call_later(AWAY, self._put_back)
        self._others.append(delivery)

    def _put_back(self) -> None:
        others, self._others = self._others, []
        self._consumer.put_back(others)

    def _watch(self) -> None:
        """Take from the queues of what is held; the queue that nobody has divided goes with the first of them."""
        queues = []
        for part in self._partitions.held:
            queues.append(self._topology.deliver_queue(part.account, part.number))
            if part.number == 0:
                queues.append(self._topology.deliver_queue(part.account))
        self._consumer.watch(queues)

    async def _gained(self, parts: Sequence[Part]) -> None:
        for action in await asyncio.to_thread(self._postponed, {part.account for part in parts}):
            if self.part(action) in parts:
                self._resume(action)

    def _postponed(self, accounts: Collection[str]) -> list[Action]:
        with reading(self._engine) as connection:
            return postponed(connection, accounts)

    async def _finish(self, parts: Sequence[Part]) -> None:
        """Take no more of these, and do what is in hand; what takes too long goes back."""
        self._watch()
        names = [self._topology.deliver_queue(part.account, part.number).name for part in parts]
        names += [self._topology.deliver_queue(part.account).name for part in parts if part.number == 0]
        loop = asyncio.get_running_loop()
        end = loop.time() + HANDOVER
        try:
            while self._busy(parts) or not all(map(self._consumer.left, names)):
                if loop.time() > end:
                    self._leaving.update(parts)
                    self._recall(parts)
                await asyncio.sleep(TICK)
        finally:
            self._leaving.difference_update(parts)
