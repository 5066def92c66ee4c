"""An adapter that runs against the simulator, and what it received."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from dragoman import Address, Content, EventBase, Message, Send
from dragoman_discord.adapter import DiscordAdapter
from dragoman_discord.settings import DiscordSettings
from dragoman_discord.simulator import DiscordSimulator
from dragoman_discord.simulator.channel import Channel

__all__ = ["Rig", "make", "rig"]


def make(discord: DiscordSimulator, account: str = "acme", **more: Any) -> DiscordAdapter:
    """An adapter for the first application."""
    given = {
        "token": discord.app().token,
        "api_url": discord.api_url,
        "cdn_url": discord.origin,
        "identify_delay": 0,
        **more,
    }
    return DiscordAdapter(account, DiscordSettings.model_validate({"platform": "discord", **given}))


class Rig:
    """A guild with Ann and #general, and an adapter for its bot."""

    def __init__(self, discord: DiscordSimulator, **more: Any) -> None:
        self.discord = discord
        self.acme = discord.guild("acme")
        self.ann = self.acme.user("ann")
        self.general = self.acme.channel("general")
        self.app = discord.application("dragoman")
        self.adapter = make(discord, **more)
        self.events: list[EventBase] = []
        self.taking: Callable[[EventBase], Any] | None = None
        self.ready = asyncio.Event()

    async def receive(self, event: EventBase) -> None:
        if self.taking is not None:
            await self.taking(event)
        self.events.append(event)
        self.discord.changed()

    def address(self, channel: Channel | None = None, thread: str | None = None) -> Address:
        return Address(account="acme", tenant=self.acme.id, channel=(channel or self.general).id, thread=thread)

    async def got(self, count: int) -> list[EventBase]:
        await self.discord.until(lambda: len(self.events) >= count, waiting_for=f"{count} events, not {self.events}")
        return self.events

    async def texts(self, count: int) -> list[str]:
        return [event.content.plain for event in await self.got(count) if isinstance(event, Message)]

    def send(self, text: str, key: str = "k", **more: Any) -> Send:
        return Send(key=key, address=more.pop("address", self.address()), content=Content(text=text), **more)


@asynccontextmanager
async def rig(*, running: bool = True, settings: dict[str, Any] | None = None, **simulator: Any) -> AsyncIterator[Rig]:
    async with DiscordSimulator(**simulator) as discord:
        found = Rig(discord, **(settings or {}))
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
            await found.adapter.close()
