"""What the gateway sends is handed over in its order, whatever some of it has to wait for."""

import asyncio
from typing import Any

import pytest

from adapters.discord.payloads import GENERAL, GUILD, IDENTITY, dispatch, message, places
from dragoman import EventBase, Message
from dragoman_discord.client import Shard
from dragoman_discord.intake import Intake
from dragoman_discord.missed import Missed
from dragoman_discord.places import Places


class Slow:
    """A directory that knows the guild only after a while, and an inbox."""

    def __init__(self) -> None:
        self.known = asyncio.get_running_loop().create_future()
        self.events: list[EventBase] = []

    async def learn(self, guild: str) -> None:
        if not self.known.done():
            await asyncio.shield(self.known)

    async def take(self, event: EventBase) -> bool:
        self.events.append(event)
        return True


def said(number: int, **more: Any) -> dict[str, Any]:
    return dispatch("MESSAGE_CREATE", message(f"number {number}", id=str(1000 + number), **more), number)


@pytest.mark.parametrize("waits", ["for the guild", "for what was missed"])
async def test_what_comes_last_does_not_overtake_what_waits(waits: str) -> None:
    slow, missed, shard = Slow(), Missed("acme", None, Places(), 900.0), Shard(0, 1)  # type: ignore[arg-type]
    other: Any = None
    intake = Intake("acme", IDENTITY, places(), slow, [], other, other, slow)  # type: ignore[arg-type]
    tasks: list[asyncio.Task[None]] = []

    def arrive(number: int) -> None:
        tasks.extend(asyncio.create_task(work) for work in intake.take(shard, said(number), missed))

    if waits == "for what was missed":
        slow.known.set_result(None)
        missed.owe(GUILD, "5")
        assert missed.owed(GUILD) == "5"
    for number in (1, 2, 3):
        arrive(number)
    for _ in tasks:  # until each has come to where it waits
        await asyncio.sleep(0)
    # And this one comes in the moment in which they need not wait any more.
    arrive(4)
    if waits == "for what was missed":
        missed.read(GUILD, all=True)
    else:
        slow.known.set_result(None)
    arrive(5)
    await asyncio.gather(*tasks)
    assert [event.content.plain for event in slow.events if isinstance(event, Message)] == [
        f"number {number}" for number in range(1, 6)
    ]
    assert {event.address.channel for event in slow.events} == {GENERAL}
    assert shard.progress.reached == 5


async def test_one_conversation_does_not_wait_for_another() -> None:
    slow, missed, shard = Slow(), Missed("acme", None, Places(), 900.0), Shard(0, 1)  # type: ignore[arg-type]
    other: Any = None
    intake = Intake("acme", IDENTITY, places(), slow, [], other, other, slow)  # type: ignore[arg-type]
    works = [*intake.take(shard, said(1), missed)]
    works += intake.take(shard, said(2, guild_id=None, channel_id="900"), missed)
    waiting, direct = (asyncio.create_task(work) for work in works)
    await direct
    assert [event.address.channel for event in slow.events] == ["900"]
    slow.known.set_result(None)
    await waiting
    assert len(slow.events) == 2
