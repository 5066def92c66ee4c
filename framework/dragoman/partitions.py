"""Which conversations a gateway speaks in: the partitions of its accounts that it has a lease of.

All that is said in one conversation goes through one partition, and a partition has one gateway at a time: so several
gateways can share an account, and what is said in a conversation stays in order. See `dragoman.store.partitions`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from .address import Address
from .store.limits import Limit, limits_of
from .store.lines import conversation
from .store.partitions import Holding, Part, hold, let_go
from .store.processes import BEAT, Process, beat, forget

__all__ = ["Part", "Partitions", "partition_of"]

log = logging.getLogger(__name__)

#: Seconds between two looks at what is whose.
EVERY: Final = 1.0


def partition_of(address: Address, count: int) -> int:
    """The partition, from 0, of the conversation at an address: a channel with all of its threads."""
    return int(conversation(address)[:8], 16) % count


class Partitions:
    """Keeps the leases of one gateway; made and used in its event loop.

    Args:
        gained: called with what has been taken, before `changed`.
        changed: called whenever `held` has changed.
        finish: called with what others ask for, which is not in `held` any more; returns when nothing of it is in hand.
        limited: called with the limits that are known of the accounts.
    """

    def __init__(
        self,
        engine: Engine,
        accounts: Collection[str],
        count: int,
        *,
        gained: Callable[[Sequence[Part]], Awaitable[None]],
        changed: Callable[[], None],
        finish: Callable[[Sequence[Part]], Awaitable[None]],
        limited: Callable[[Sequence[Limit]], None],
        process: Process | None = None,
    ) -> None:
        self._engine = engine
        self._accounts = list(accounts)
        self._count = count
        self._gained, self._changed, self._finish, self._limited = gained, changed, finish, limited
        self.process = process or Process("gateway")
        #: By partition, when its lease ends, by this machine's steady clock.
        self._until: dict[Part, float] = {}
        self._leaving: set[Part] = set()
        self._beat_at = 0.0
        self._away = False
        self._tasks: set[asyncio.Task[None]] = set()

    def holds(self, part: Part) -> bool:
        """Whether what is said there may be said by this gateway now."""
        return self._until.get(part, 0.0) > time.monotonic()

    @property
    def held(self) -> list[Part]:
        """What it holds and has not been asked for, in order."""
        return sorted(part for part in self._until if part not in self._leaving)

    def start(self) -> None:
        """Look now, and then about every second."""
        self._spawn(self._run())

    async def close(self) -> None:
        """Let go of everything, for others to take at once."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        parts, self._until = list(self._until), {}
        try:
            await asyncio.to_thread(self._end, parts)
        except SQLAlchemyError as error:
            log.warning("the other gateways have to wait for the leases of this one to run out: %s", error)

    def _spawn(self, work: "Awaitable[None]") -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
                self._away = False
            except SQLAlchemyError as error:
                # Once for each outage. Without the store the leases run out, and nothing is said until it is back.
                log.log(logging.DEBUG if self._away else logging.WARNING, "leases cannot be renewed: %s", error)
                self._away = True
            except Exception:
                log.exception("looking after the partitions failed and is tried again")
            await asyncio.sleep(EVERY)

    async def _look(self) -> None:
        steady, now = time.monotonic(), time.time()
        holding, limits = await asyncio.to_thread(self._ask, now)
        self._limited(limits)
        until = {part: steady + (end - now) for part, end in holding.until.items()}
        new = sorted(until.keys() - self._until.keys())
        gone = sorted(self._until.keys() - until.keys() - self._leaving)
        for part in gone:
            del self._until[part]
        if gone:
            log.warning("another gateway has taken over %s", _said(gone))
        self._until.update(until)
        if new:
            log.debug("this gateway speaks in %s", _said(new))
            await self._gained(new)
        if new or gone:
            self._changed()
        if asked := sorted(holding.wanted - self._leaving):
            self._leaving.update(asked)
            self._spawn(self._hand_over(asked))

    async def _hand_over(self, parts: Sequence[Part]) -> None:
        try:
            await self._finish(parts)
            await asyncio.to_thread(self._let_go, parts)
            log.info("handed over %s to another gateway", _said(parts))
        except SQLAlchemyError as error:
            log.warning("%s cannot be handed over and run out: %s", _said(parts), error)
        finally:
            for part in parts:
                self._until.pop(part, None)
            self._leaving.difference_update(parts)

    # In a thread -------------------------------------------------------------------------------------

    def _ask(self, now: float) -> tuple[Holding, list[Limit]]:
        with self._engine.begin() as connection:
            if now - self._beat_at >= BEAT:
                beat(connection, self.process)
            holding = hold(connection, self.process.id, self._accounts, self._count, now=now)
            limits = limits_of(connection, self._accounts, now=now)
        if now - self._beat_at >= BEAT:
            self._beat_at = now
        return holding, limits

    def _let_go(self, parts: Sequence[Part]) -> None:
        with self._engine.begin() as connection:
            let_go(connection, self.process.id, parts, now=time.time())

    def _end(self, parts: Sequence[Part]) -> None:
        with self._engine.begin() as connection, contextlib.suppress(KeyError):
            let_go(connection, self.process.id, parts, now=time.time())
            forget(connection, self.process)


def _said(parts: Sequence[Part]) -> str:
    return ", ".join(f"{part.account} {part.number}" for part in parts)
