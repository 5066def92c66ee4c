"""What was said while nobody was connected, against the simulator: read once, and nothing older than it should be."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.slack.adapter_rig import Rig, rig
from dragoman import EventBase, Message
from dragoman_slack.adapter import SlackAdapter
from dragoman_slack.simulator import Message as Posted


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has changed is saved soon."""
    monkeypatch.setattr("dragoman_slack.missed.INTERVAL", 0.01)


def give_up(r: Rig) -> None:
    """Slack sends what nobody has acknowledged no more."""
    r.acme.app.link.waiting.clear()


@asynccontextmanager
async def running(r: Rig, adapter: SlackAdapter | None = None) -> AsyncIterator[SlackAdapter]:
    adapter, ready = adapter or r.another(), asyncio.Event()
    task = asyncio.create_task(adapter.run(r.receive, ready.set))
    try:
        await asyncio.wait_for(ready.wait(), 10)
        yield adapter
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def read(r: Rig) -> int:
    """How often histories were asked for."""
    return sum(call.method == "conversations.history" for call in r.slack.calls)


async def until_read(r: Rig, count: int = 1) -> None:
    """Until everything that is to be read has been, and it was written down."""
    await r.slack.until(lambda: read(r) >= count)


def texts(r: Rig) -> list[str]:
    return [event.content.text for event in r.said()]


async def away(r: Rig, *said: str, **more: Any) -> list[Posted]:
    """Somebody talks while nobody is there, and Slack gives up."""
    posted = [await r.ann.say(r.general, text, **more) for text in said]
    give_up(r)
    return posted


async def test_what_was_said_while_nobody_was_there_comes_after_the_start_once_and_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dragoman_slack.missed.SLACK", 0.0)
    async with rig(running=False) as r:
        async with running(r):
            await r.ann.say(r.general, "before")
            await r.messages(1)
        await away(r, "one", "two @dragoman", "three")
        async with running(r):
            await r.messages(4)
        async with running(r):
            await until_read(r, 2)
            await r.ann.say(r.general, "after")
            await r.slack.until(lambda: "after" in texts(r))
        assert [text.partition(" ")[0] for text in texts(r)] == ["before", "one", "two", "three", "after"]


async def test_the_events_are_the_same_as_those_of_the_socket() -> None:
    async with rig(running=False) as r:
        private = r.acme.channel("secret", private=True, members=[r.ann])
        direct = r.acme.dm(r.ann)
        async with running(r):
            root = await r.ann.say(r.general, "root")
            for channel in (r.general, private, direct):
                await r.ann.say(channel, "hello @dragoman")
            await r.ann.say(r.general, "below", thread=root.ts)
            by_socket = {event.key: event for event in await r.messages(5)}
        r.events.clear()
        async with running(r):
            by_history = {event.key: event for event in await r.messages(5)}
        assert by_history == by_socket


@pytest.mark.parametrize("before", [3600.0, 0.0])
async def test_replies_in_threads_are_found_also_where_the_thread_is_old(
    monkeypatch: pytest.MonkeyPatch, before: float
) -> None:
    """By the message that the thread hangs on; if that is too old, because somebody has talked there of late."""
    monkeypatch.setattr("dragoman_slack.missed.SLACK", 0.0)
    monkeypatch.setattr("dragoman_slack.missed.BEFORE", before)
    async with rig(running=False) as r:
        async with running(r):
            root = await r.ann.say(r.general, "root")
            if not before:
                await r.ann.say(r.general, "talk", thread=root.ts)
            await r.ann.say(r.general, "the last")
            await r.slack.until(lambda: "the last" in texts(r))
        await away(r, "in the thread", thread=root.ts)
        async with running(r):
            await r.slack.until(lambda: "in the thread" in texts(r))
        assert [event.address.thread for event in r.said()][-1] == root.ts


async def test_what_is_older_than_catch_up_is_not_read() -> None:
    async with rig(running=False) as r:
        async with running(r):
            await r.ann.say(r.general, "before")
            await r.messages(1)
        await away(r, "long ago")
        later = r.another()
        later._missed._clock = lambda: time.time() + 3600
        async with running(r, later):
            await until_read(r)
            await r.ann.say(r.general, "now")
            await r.messages(2)
        assert texts(r) == ["before", "now"]


async def test_without_catch_up_nothing_is_read() -> None:
    async with rig(running=False, settings={"catch_up": "0"}) as r:
        for text in ("one", "two"):
            async with running(r):
                await r.ann.say(r.general, text)
                await r.slack.until(lambda text=text: text in texts(r))  # type: ignore[misc]
            await away(r, "meanwhile")
        assert (texts(r), read(r)) == (["one", "two"], 0)


async def test_the_first_start_reads_nothing() -> None:
    async with rig(running=False) as r:
        await away(r, "before there was a bot")
        async with running(r):
            await r.ann.say(r.general, "hello")
            await r.messages(1)
        assert (texts(r), read(r)) == (["hello"], 0)


async def test_what_was_said_before_the_bot_was_invited_is_not_for_it() -> None:
    async with rig(running=False) as r:
        other = r.acme.channel("other", members=[r.ann])
        r.acme.leave(other, r.acme.app.user_id)
        async with running(r):
            await r.ann.say(r.general, "before")
            await r.messages(1)
        await r.ann.say(other, "among us")
        r.acme.join(other, r.acme.app.user_id)
        await r.ann.say(other, "welcome")
        give_up(r)
        async with running(r):
            await r.slack.until(lambda: "welcome" in texts(r))
            await until_read(r, 2)
        assert "among us" not in texts(r)


async def test_what_the_bot_and_nobody_said_is_left_out() -> None:
    async with rig(running=False) as r:
        async with running(r) as adapter:
            await r.ann.say(r.general, "before")
            await r.messages(1)
            await adapter._api.call("chat.postMessage", {"channel": r.general.id, "text": "from the bot"})
        await away(r, "after")
        async with running(r):
            await r.slack.until(lambda: "after" in texts(r))
        assert "from the bot" not in texts(r)


async def test_a_gap_between_two_connections_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman_slack.socket_mode.GAP", 0.0)
    async with rig(running=False) as r, running(r):
        await r.ann.say(r.general, "before")
        await r.messages(1)
        r.slack.refuse_connections(2)
        r.slack.drop_sockets()
        await away(r, "in the gap")
        await r.slack.until(lambda: "in the gap" in texts(r))


async def test_a_new_connection_without_a_gap_reads_nothing() -> None:
    async with rig(running=False) as r, running(r):
        await r.ann.say(r.general, "before")
        await r.messages(1)
        r.slack.drop_sockets()
        await r.ann.say(r.general, "after")
        await r.messages(2)
        assert read(r) == 0


async def test_what_could_not_be_taken_is_read_when_it_can(caplog: pytest.LogCaptureFixture) -> None:
    """The ledger is away for longer than Slack tries."""
    async with rig(running=False, ack_timeout=0.05, retry_delays=()) as r, running(r):
        await r.ann.say(r.general, "before")
        await r.messages(1)
        down = True

        async def refuse(event: EventBase) -> None:
            if down:
                raise ConnectionError("the ledger is away")

        r.taking = refuse
        await r.ann.say(r.general, "in the outage")
        await r.slack.until(lambda: any(delivery.lost for delivery in r.slack.deliveries))
        down = False
        await r.slack.until(lambda: "in the outage" in texts(r))


async def test_slack_being_unable_to_tell_is_waited_for() -> None:
    async with rig(running=False, settings={"max_retries": 0}) as r:
        async with running(r):
            await r.ann.say(r.general, "before")
            await r.messages(1)
        await away(r, "meanwhile")
        r.slack.fail("conversations.history", status=503)
        async with running(r):
            await r.slack.until(lambda: "meanwhile" in texts(r))


async def test_who_stops_while_it_reads_leaves_it_to_the_next() -> None:
    async with rig(running=False) as r:
        async with running(r):
            await r.ann.say(r.general, "before")
            await r.messages(1)
        await away(r, "meanwhile")
        stuck = asyncio.Event()

        async def hold(event: EventBase) -> None:
            if isinstance(event, Message) and event.content.text == "meanwhile":
                stuck.set()
                await asyncio.Event().wait()

        r.taking = hold
        async with running(r):
            await asyncio.wait_for(stuck.wait(), 10)
            await r.ann.say(r.general, "now")
            await r.slack.until(lambda: "now" in texts(r))
        r.taking = None
        async with running(r):
            await r.slack.until(lambda: "meanwhile" in texts(r))
