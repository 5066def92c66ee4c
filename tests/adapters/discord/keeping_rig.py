"""What a gateway keeps for an adapter, which can be away and outlives the adapter; and an adapter that is killed."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

from adapters.discord.adapter_rig import Rig, make
from dragoman import DeliveryError, EventBase, FileRef, MemoryServices
from dragoman_discord.adapter import DiscordAdapter
from dragoman_discord.simulator import DiscordSimulator

__all__ = ["Lease", "Process", "Store", "restarts"]


class Store(MemoryServices):
    """What is kept; ``away``: it cannot be reached; ``saved``: how often a state was.

    Args:
        changed: called after each attempt to reach it.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._changed = changed
        self.away = False
        self.saved = 0
        self.tried = 0
        self._files: dict[str, bytes] = {}

    def state(self, name: str = "session/0/1") -> Mapping[str, Any]:
        """What was saved under that name; empty if nothing was."""
        return self._states.get(name, {})

    def put(self, name: str, data: bytes, **more: Any) -> FileRef:
        blob = hashlib.sha256(data).hexdigest()
        self._files[blob] = data
        return FileRef(id=blob, name=name, blob=blob, **{"size": len(data), **more})

    def open_file(self, file: FileRef) -> BinaryIO:
        if file.blob not in self._files:
            raise DeliveryError(f"the file {file.name!r} is not in the bot's keeping any more", code="no_file")
        # A file like any other, which has to be closed.
        number, path = tempfile.mkstemp()
        os.write(number, self._files[file.blob])
        os.close(number)
        found = Path(path).open("rb")  # noqa: SIM115 - the adapter's to close
        Path(path).unlink()
        return found

    def _reach(self) -> None:
        self.tried += 1
        asyncio.get_running_loop().call_soon(self._changed)
        if self.away:
            raise ConnectionError("the store is away")

    async def keep_credentials(self, event_key: str, secret: Mapping[str, Any], until: float) -> None:
        self._reach()
        await super().keep_credentials(event_key, secret, until)

    async def credentials(self, event_key: str) -> dict[str, Any] | None:
        self._reach()
        return await super().credentials(event_key)

    async def save_state(self, name: str, state: Mapping[str, Any]) -> None:
        self._reach()
        self.saved += 1
        await super().save_state(name, state)

    async def load_state(self, name: str) -> dict[str, Any] | None:
        self._reach()
        return await super().load_state(name)


class Lease:
    """The store as one process has it: after its end, nothing of that process is kept any more."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ended = False

    def __getattr__(self, name: str) -> Any:
        if self.ended:
            raise ConnectionError("this process is dead")
        return getattr(self.store, name)


class Process:
    """One gateway process: an adapter that runs, and hands over to the rig."""

    def __init__(self, rig: Rig, store: Store, **settings: Any) -> None:
        self.rig = rig
        self.lease = Lease(store)
        self.adapter: DiscordAdapter = make(rig.discord, **settings)
        self.adapter.services = self.lease
        self.ready = asyncio.Event()
        self.task = asyncio.create_task(self.adapter.run(self.receive, self._is_ready))

    def _is_ready(self) -> None:
        self.ready.set()
        self.rig.discord.changed()

    async def receive(self, event: EventBase) -> None:
        if self.lease.ended:
            raise ConnectionError("this process is dead")
        await self.rig.receive(event)

    async def until_ready(self) -> "Process":
        await self.rig.discord.until(lambda: self.ready.is_set() or self.task.done(), waiting_for="a connection")
        assert self.ready.is_set(), self.task
        return self

    async def kill(self) -> None:
        """End it at once: what it does on its way out reaches nobody."""
        self.lease.ended = True
        self.rig.discord.drop_sockets()
        await self.stop()

    async def stop(self) -> None:
        """Stop it in order."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.adapter.close()


@asynccontextmanager
async def restarts(**simulator: Any) -> AsyncIterator[tuple[Rig, Store]]:
    """A guild and a store; whoever starts processes stops them."""
    async with DiscordSimulator(**simulator) as discord:
        rig = Rig(discord)
        rig.adapter.services = store = Store(discord.changed)
        try:
            yield rig, store
        finally:
            await rig.adapter.close()
