"""What could not be taken is kept, in order, and tried again."""

import asyncio
from collections.abc import Callable

import pytest

from dragoman import Address, Deleted, EventBase
from dragoman_discord.inbox import Inbox


def event(key: str) -> EventBase:
    address = Address(account="acme", tenant="1", channel="2")
    return Deleted(key=key, address=address, conversation="channel", id="3")


class Ledger:
    """Takes events; ``down``: none, ``poison``: not this one."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.tries: list[str] = []
        self.down = False
        self.poison = ""
        self.wanted = 0
        self.full = asyncio.Event()

    async def receive(self, event: EventBase) -> None:
        self.tries.append(event.key)
        if self.down or event.key == self.poison:
            raise OSError("disk full")
        self.taken.append(event.key)
        if len(self.taken) >= self.wanted:
            self.full.set()

    async def has(self, *keys: str) -> None:
        self.wanted = len(keys)
        if len(self.taken) < self.wanted:
            self.full.clear()
            await asyncio.wait_for(self.full.wait(), 5)
        assert self.taken == list(keys)


def soon() -> Callable[[], float]:
    return lambda: 0.0


async def taking(inbox: Inbox, *keys: str) -> list[asyncio.Task[bool]]:
    """Events that are handed over in that order, as far as they get without waiting."""
    tasks = []
    for key in keys:
        tasks.append(asyncio.create_task(inbox.take(event(key))))
        await asyncio.sleep(0)
    return tasks


async def given_up(tasks: list[asyncio.Task[bool]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_comes_twice_is_handed_over_once() -> None:
    ledger = Ledger()
    inbox = Inbox("acme", ledger.receive)
    for key in ("a", "b", "a"):
        assert await inbox.take(event(key))
    assert ledger.tries == ["a", "b"]
    await inbox.close()


async def test_what_was_not_taken_is_tried_again_in_order() -> None:
    ledger = Ledger()
    ledger.down = True
    inbox = Inbox("acme", ledger.receive, delay=soon)
    tasks = await taking(inbox, "a", "b", "c", "a")
    assert set(ledger.tries) == {"a"}
    assert not any(task.done() for task in tasks), "only what is in the ledger has been taken"
    ledger.down = False
    await ledger.has("a", "b", "c")
    assert await asyncio.gather(*tasks) == [True, True, True, True]
    await inbox.take(event("d"))
    await ledger.has("a", "b", "c", "d")
    await inbox.close()


async def test_one_that_is_never_taken_lets_the_others_pass() -> None:
    ledger = Ledger()
    ledger.poison = "a"
    inbox = Inbox("acme", ledger.receive, delay=soon)
    tasks = await taking(inbox, "a", "b", "c")
    await ledger.has("b", "c")
    await inbox.close()
    assert not tasks[0].done()
    await given_up(tasks)


async def test_if_too_many_wait_the_newest_is_not_kept_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger()
    ledger.down = True
    inbox = Inbox("acme", ledger.receive, delay=lambda: lambda: 1e6, most=2)
    tasks = await taking(inbox, "a", "b", "c")
    assert await asyncio.wait_for(tasks[2], 5) is False
    assert "2 events wait already; c is not kept" in caplog.text
    await inbox.close()
    assert "2 events were not taken; they come again" in caplog.text
    await given_up(tasks)
