"""The gateway: runs the adapters and bridges them to the exchange. The one border of async and sync.

What comes in goes through the `Intake`, what goes out through the `Outbox`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from .action import ActionBase
from .adapter import Adapter
from .blobs import Blobs
from .directory import Directory
from .errors import AccountError
from .event import EventBase
from .exchange.broker import Broker
from .exchange.publisher import Publisher
from .exchange.topology import Topology
from .intake import Intake
from .keeping import Keeping
from .metrics import Metrics
from .offering import keep_offering
from .outbox import Outbox
from .spool import Spool
from .store.batch import Batcher

__all__ = ["Gateway"]

log = logging.getLogger(__name__)


class Gateway:
    """Runs some accounts until it is told to stop.

    Args:
        adapters: by account name.
        blobs: where the bytes of files are kept.
        grace: seconds that a stop may wait for actions that are being performed.
        spool: the folder for what a platform offers only once while the ledger is away, and how many bytes may wait
            of each account; ``None``: it is refused then.
        filter: the plugins' outbound filters: the action to perform, or a `DeliveryError` that refuses it.
    """

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        topology: Topology,
        adapters: Mapping[str, Adapter],
        *,
        blobs: Blobs | None = None,
        grace: float = 10.0,
        spool: tuple[Path, int] | None = None,
        filter: Callable[[ActionBase], ActionBase] = lambda action: action,
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self._broker = broker
        self._topology = topology
        self._adapters = adapters
        self._blobs = blobs or Blobs(Path("files"), limit=25_000_000)
        self._grace = grace
        self._spool = spool
        self._filter = filter
        self._metrics = metrics or Metrics()
        #: The accounts that events can come from now.
        self.connected: set[str] = set()
        #: Called once, when all accounts are connected.
        self.on_ready: Callable[[], None] = lambda: None
        self._stop = asyncio.Event()
        self.intake: Intake | None = None
        self.outbox: Outbox | None = None

    async def run(self) -> None:
        """Until `stop` is called, or no account is left that can work.

        Raises:
            AccountError: none of the accounts can work; the message is the last one's.
        """
        loop = asyncio.get_running_loop()
        # A commit to a file takes a fraction of a millisecond, and handing it to a thread takes longer; a database
        # server is waited for in a thread.
        local = self._engine.dialect.name == "sqlite"
        batcher = Batcher(self._engine, call_soon=loop.call_soon if local else None, committed=self._metrics.committed)
        for account, adapter in self._adapters.items():
            adapter.services = Keeping(account, batcher, self._blobs)
        directory = Directory(self._adapters, batcher)
        publisher = Publisher(self._broker, "gateway")
        self.intake = Intake(self._engine, batcher, directory, publisher, self._topology, self._spools(), self._metrics)
        self.intake.start()
        self.outbox = Outbox(
            self._engine,
            self._broker,
            self._topology,
            self._adapters,
            batcher=batcher,
            directory=directory,
            blobs=self._blobs,
            filter=self._filter,
            metrics=self._metrics,
        )
        self.outbox.start()
        accounts = [
            asyncio.create_task(self._run_account(account, adapter)) for account, adapter in self._adapters.items()
        ]
        stopping = asyncio.create_task(self._stop.wait())
        offering = asyncio.create_task(keep_offering(self._engine, self._adapters))
        failed: BaseException | None = None
        try:
            pending: set[asyncio.Task[Any]] = {stopping, *accounts}
            while stopping in pending and len(pending) > 1:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {stopping}:
                    failed = task.exception() or failed
            if stopping in pending and failed is not None:
                raise failed
        finally:
            await _end([*accounts, stopping, offering])
            deadline = loop.time() + self._grace
            await self.intake.close(self._grace / 2)
            await self.outbox.close(max(0.0, deadline - loop.time()))
            await directory.close()
            batcher.close()
            for adapter in self._adapters.values():
                await adapter.close()

    async def receive(self, event: EventBase) -> None:
        """See `Intake.receive`."""
        assert self.intake is not None
        await self.intake.receive(event)

    def stop(self) -> None:
        """Stop taking, finish what is in hand, hand back the rest."""
        self._stop.set()

    def _spools(self) -> dict[str, Spool]:
        if self._spool is None:
            return {}
        folder, limit = self._spool
        once = [account for account, adapter in self._adapters.items() if adapter.offers_once]
        return {account: Spool(account, folder / account, limit) for account in once}

    async def _run_account(self, account: str, adapter: Adapter) -> None:
        def ready() -> None:
            log.info("%s is connected", account)
            self.connected.add(account)
            if len(self.connected) == len(self._adapters):
                ready_once, self.on_ready = self.on_ready, lambda: None
                ready_once()

        wait = 1.0
        while True:
            try:
                return await adapter.run(self.receive, ready)
            except AccountError as error:
                log.error("%s", error)
                raise
            except Exception:
                self.connected.discard(account)
                log.exception("the adapter of account %s failed and is started again in %.0f s", account, wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 60.0)
            finally:
                self.connected.discard(account)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
