"""An adapter that runs against the simulator, and what it received."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, BinaryIO

from dragoman import FileRef, MemoryServices
from dragoman.address import Address
from dragoman.event import EventBase, Message
from dragoman_slack.adapter import SlackAdapter
from dragoman_slack.settings import SlackSettings
from dragoman_slack.simulator import App, Channel, SlackSimulator

__all__ = ["Keeping", "Rig", "make", "rig"]


def make(slack: SlackSimulator, app: App, account: str = "acme", **more: Any) -> SlackAdapter:
    """An adapter for an installed app."""
    given = {"bot_token": app.bot_token, "app_token": app.app_token, "api_url": slack.url, **more}
    return SlackAdapter(account, SlackSettings.model_validate({"platform": "slack", **given}))


class Keeping(MemoryServices):
    """What a gateway keeps, files too, in memory; it outlives adapters."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> FileRef:
        blob = hashlib.sha256(content).hexdigest()
        self.files[blob] = content
        return FileRef(id=blob, name=name, size=len(content), blob=blob)

    def open_file(self, file: FileRef) -> BinaryIO:
        return io.BytesIO(self.files[file.blob]) if file.blob in self.files else super().open_file(file)


class Rig:
    """A workspace with Ann and #general, and an adapter for its app.

    ``taking`` decides what happens with an event before it counts as received.
    """

    def __init__(self, slack: SlackSimulator, **more: Any) -> None:
        self.slack = slack
        self.acme = slack.workspace("acme")
        self.ann = self.acme.user("ann")
        self.general = self.acme.channel("general")
        self.kept = Keeping()
        self._more = more
        self.adapters: list[SlackAdapter] = []
        self.adapter = self.another()
        self.events: list[EventBase] = []
        self.taking: Callable[[EventBase], Any] | None = None
        self.ready = asyncio.Event()

    def another(self) -> SlackAdapter:
        """A new adapter with what was kept before, as after a restart."""
        adapter = make(self.slack, self.acme.app, **self._more)
        adapter.services = self.kept
        self.adapters.append(adapter)
        return adapter

    async def receive(self, event: EventBase) -> None:
        if self.taking is not None:
            await self.taking(event)
        self.events.append(event)
        self.slack.changed()

    def address(self, channel: Channel | None = None, thread: str | None = None) -> Address:
        where = channel or self.general
        return Address(account="acme", tenant=self.acme.id, channel=where.id, thread=thread)

    async def got(self, count: int) -> list[EventBase]:
        """The first ``count`` events, when they are there."""
        await self.slack.until(lambda: len(self.events) >= count)
        return self.events

    async def messages(self, count: int) -> list[Message]:
        await self.slack.until(lambda: len(self.said()) >= count)
        return self.said()

    def said(self) -> list[Message]:
        return [event for event in self.events if isinstance(event, Message)]


@asynccontextmanager
async def rig(*, running: bool = True, settings: dict[str, Any] | None = None, **simulator: Any) -> AsyncIterator[Rig]:
    """A rig; by default its adapter is connected."""
    async with SlackSimulator(**simulator) as slack:
        found = Rig(slack, **(settings or {}))
        task = asyncio.create_task(found.adapter.run(found.receive, found.ready.set)) if running else None
        try:
            if task is not None:
                waiting = asyncio.create_task(found.ready.wait())
                await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
                assert found.ready.is_set(), task
            yield found
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            for adapter in found.adapters:
                await adapter.close()
