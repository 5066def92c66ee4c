"""An adapter and a scripted Discord, and what they say to one another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from adapters.discord import payloads as p
from adapters.discord.scripted import Connection, Scripted
from dragoman import Address, Content, EventBase, Send
from dragoman_discord.adapter import DiscordAdapter

__all__ = ["HERE", "HISTORY", "POST", "connected", "made", "ours", "send"]

HERE = Address(account="acme", tenant=p.GUILD, channel=p.GENERAL)
POST = "POST /channels/200/messages"
HISTORY = "GET /channels/200/messages"


def send(text: str = "hi", key: str = "k", **more: Any) -> Send:
    return Send(key=key, address=more.pop("address", HERE), content=Content(text=text), **more)


@asynccontextmanager
async def made(**settings: Any) -> AsyncIterator[tuple[Scripted, DiscordAdapter]]:
    async with Scripted() as discord:
        adapter = discord.adapter(**settings)
        try:
            yield discord, adapter
        finally:
            await adapter.close()


@asynccontextmanager
async def connected(
    **settings: Any,
) -> AsyncIterator[tuple[Scripted, DiscordAdapter, Connection, "asyncio.Queue[EventBase]"]]:
    async with made(**settings) as (discord, adapter):
        events: asyncio.Queue[EventBase] = asyncio.Queue()
        ready = asyncio.Event()
        task = asyncio.create_task(adapter.run(events.put, ready.set))
        try:
            connection = await discord.session()
            await connection.dispatch("GUILD_CREATE", p.guild())
            await asyncio.wait_for(ready.wait(), 10)
            yield discord, adapter, connection, events
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def ours(id: str, content: str, **more: Any) -> dict[str, Any]:
    """A message that the bot said."""
    return p.message(content, id=id, author=p.user(p.BOT, "dragoman", bot=True), **more)
