"""The gateway connection: it stays up, and says when it cannot."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.discord import payloads as p
from adapters.discord.scripted import Scripted
from dragoman import AccountError, EventBase, Message
from dragoman_discord.adapter import DiscordAdapter
from dragoman_discord.client import Shard
from dragoman_discord.render import EPOCH


class Running:
    """An adapter that runs, and what it handed over."""

    def __init__(self, adapter: DiscordAdapter) -> None:
        self.adapter = adapter
        self.events: list[EventBase] = []
        self.ready = asyncio.Event()
        self.changed = asyncio.Condition()
        self.task = asyncio.create_task(adapter.run(self.receive, self.ready.set))

    async def receive(self, event: EventBase) -> None:
        async with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    async def got(self, *texts: str) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: len(self.events) >= len(texts))
        assert [event.content.plain for event in self.events if isinstance(event, Message)] == list(texts)


@asynccontextmanager
async def running(discord: Scripted, **settings: Any) -> AsyncIterator[Running]:
    adapter = discord.adapter(**settings)
    found = Running(adapter)
    try:
        yield found
    finally:
        found.task.cancel()
        await asyncio.gather(found.task, return_exceptions=True)
        await adapter.close()


def said(text: str, id: int) -> dict[str, Any]:
    return p.message(text, id=str(id))


async def test_a_session_is_started_with_what_we_want_to_hear() -> None:
    async with Scripted() as discord, running(discord, shards=0) as bot:
        connection = await discord.connection()
        assert connection.query["v"] == "10"
        assert connection.query["encoding"] == "json"
        identify = (await connection.hello())["d"]
        assert identify["token"] == "a.b.c"
        assert identify["shard"] == [0, 1]
        assert identify["intents"] == 1 << 0 | 1 << 1 | 1 << 3 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 15
        assert not bot.ready.is_set()
        await connection.dispatch("READY", {"session_id": "s", "resume_gateway_url": discord.gateway, "guilds": []})
        await asyncio.wait_for(bot.ready.wait(), 10)
        await connection.dispatch("MESSAGE_CREATE", said("hello", 1))
        await bot.got("hello")


async def test_the_privileged_intents_can_be_done_without() -> None:
    async with Scripted() as discord, running(discord, members=False, message_content=False):
        identify = (await (await discord.connection()).hello())["d"]
        assert not identify["intents"] & (1 << 1 | 1 << 15)


async def test_its_addresses_are_its_own() -> None:
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    def shared() -> tuple[object, object]:
        return Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY

    before = shared()
    async with (
        Scripted() as one,
        Scripted() as two,
        running(one) as first,
        running(two, gateway_url=two.gateway) as second,
    ):
        sessions = await one.session(), await two.session()
        await sessions[0].dispatch("MESSAGE_CREATE", said("first", 1))
        await sessions[1].dispatch("MESSAGE_CREATE", said("second", 2))
        await first.got("first")
        await second.got("second")
    assert shared() == before
    assert "GET /gateway/bot" not in {asked for asked, _ in two.asked}


@pytest.mark.parametrize("how", ["asked to", "invalid but resumable", "closed", "broken", "undecodable"])
async def test_after_a_break_the_session_is_resumed_and_what_is_repeated_counts_once(how: str) -> None:
    async with Scripted() as discord, running(discord) as bot:
        connection = await discord.session()
        await connection.dispatch("MESSAGE_CREATE", said("one", 1))
        await bot.got("one")
        match how:
            case "asked to":
                await connection.send(7)
            case "invalid but resumable":
                await connection.send(9, True)
            case "closed":
                await connection.socket.close(code=4000)
            case "broken":
                assert connection.socket._req is not None
                assert connection.socket._req.transport is not None
                connection.socket._req.transport.close()
            case _:
                await connection.raw(b"no zlib\x00\x00\xff\xff")
        again = await discord.connection()
        resume = await again.hello()
        assert (resume["op"], resume["d"]) == (6, {"token": "a.b.c", "session_id": "session-1", "seq": 2})
        again.sequence = 1
        await again.dispatch("MESSAGE_CREATE", said("one", 1))
        await again.dispatch("MESSAGE_CREATE", said("two", 2))
        await again.dispatch("RESUMED", {})
        await again.dispatch("MESSAGE_CREATE", said("three", 3))
        await bot.got("one", "two", "three")


async def test_a_session_goes_on_whatever_is_said_with_it() -> None:
    async with Scripted() as discord, running(discord) as bot:
        connection = await discord.session()
        await connection.send(7)
        again = await discord.connection()
        assert (await again.hello())["op"] == 6
        again.sequence = 1
        await again.dispatch("RESUMED", None)
        (shard,) = bot.adapter._shards
        await again.dispatch("MESSAGE_CREATE", said("one", 1))
        await bot.got("one")
        assert shard.ready


async def test_a_session_that_is_over_is_followed_by_a_new_one_and_what_was_said_meanwhile_is_read() -> None:
    async with Scripted() as discord, running(discord) as bot:
        connection = await discord.session()
        await connection.dispatch("GUILD_CREATE", p.guild())
        await connection.dispatch("MESSAGE_CREATE", p.message("before"))
        await bot.got("before")
        await connection.send(7)
        again = await discord.connection()
        assert (await again.hello())["op"] == 6
        missed = str(int(time.time() * 1000) - EPOCH << 22)
        discord.answers["GET /channels/200/messages"] = [
            {**p.message("missed", id=missed), "guild_id": None},
            p.message("ours", id="3", author=p.user(p.BOT)),
        ]
        await again.send(9, False)
        guild = p.guild()
        guild["channels"][0]["last_message_id"] = missed
        third = await discord.session("session-2", guilds=[{"id": p.GUILD, "unavailable": True}])
        await third.dispatch("GUILD_CREATE", guild)
        await bot.got("before", "missed")
        assert bot.events[1].address.tenant == p.GUILD
        # What the gateway says as well is the same.
        await third.dispatch("MESSAGE_CREATE", p.message("missed", id=missed))
        await third.dispatch("MESSAGE_CREATE", p.message("after", id="5"))
        await bot.got("before", "missed", "after")


@pytest.mark.parametrize(
    "garbage",
    [
        "no json",
        "[]",
        '"text"',
        '{"op": 0}',
        '{"op": 0, "t": "MESSAGE_CREATE", "s": "x", "d": []}',
        '{"op": 0, "t": "MESSAGE_CREATE", "d": {"id": 5, "author": {}}}',
        '{"op": 0, "t": 5, "d": {}}',
        '{"op": 0, "t": "READY", "d": null}',
        '{"op": 99}',
        '{"op": 10, "d": null}',
        '{"t": "MESSAGE_CREATE"}',
        b"\x00",
    ],
)
async def test_what_is_malformed_is_said_and_ignored(garbage: str | bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with Scripted() as discord, running(discord) as bot:
        connection = await discord.session()
        with caplog.at_level(logging.DEBUG):
            await connection.raw(garbage)
            await connection.dispatch("MESSAGE_CREATE", said("hello", 1))
            if isinstance(garbage, bytes):
                assert not bot.events
            await bot.got("hello")


async def test_a_connection_that_is_silent_is_replaced() -> None:
    async with Scripted() as discord, running(discord, heartbeat_timeout=0.2) as bot:
        await discord.session()
        again = await discord.connection()
        assert (await again.hello())["op"] == 6
        await again.dispatch("RESUMED", {})
        await again.dispatch("MESSAGE_CREATE", said("hello", 1))
        await bot.got("hello")


async def test_heartbeats_go_on_and_are_given_when_asked_for() -> None:
    async with Scripted() as discord, running(discord):
        connection = await discord.connection()
        await connection.send(10, {"heartbeat_interval": 20})
        for _ in range(3):
            await connection.receive(1)
            await connection.send(11)
        await connection.send(1)
        await connection.receive(1)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (4004, "does not take the token: copy it again"),
        (4010, "shard_ids"),
        (4011, "leave out shards"),
        (4012, "update dragoman"),
        (4013, "update dragoman"),
        (4014, "Server Members Intent.*or set members = false"),
    ],
)
async def test_what_will_not_get_better_ends_it_with_what_to_do(code: int, said: str) -> None:
    async with Scripted() as discord, running(discord) as bot:
        connection = await discord.connection()
        await connection.hello()
        await connection.socket.close(code=code)
        with pytest.raises(AccountError, match=said) as caught:
            await asyncio.wait_for(asyncio.shield(bot.task), 10)
        assert caught.value.account == "acme"
        assert "a.b.c" not in str(caught.value)


async def test_what_will_is_tried_again(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("dragoman_discord.client.delays", lambda: lambda: 0.0)
    async with Scripted() as discord, running(discord) as bot:
        for code in (4000, 4008, 1001):
            connection = await discord.connection()
            await connection.hello()
            await connection.socket.close(code=code)
        await discord.session()
        await asyncio.wait_for(bot.ready.wait(), 10)
        assert "shard 0 cannot connect" in caplog.text


@pytest.mark.parametrize("code", [4007, 4009])
async def test_after_a_session_that_discord_ended_there_is_a_new_one(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragoman_discord.client.delays", lambda: lambda: 0.0)
    async with Scripted() as discord, running(discord) as bot:
        connection = await discord.session()
        await connection.dispatch("MESSAGE_CREATE", said("one", 1))
        await bot.got("one")
        await connection.socket.close(code=code)
        again = await discord.connection()
        assert (await again.hello())["op"] == 2


async def test_each_shard_has_a_connection_and_all_must_be_ready() -> None:
    async with Scripted() as discord, running(discord, shards=3, shard_ids=(0, 2)) as bot:
        first, second = await discord.connection(), await discord.connection()
        shards = [(await connection.hello())["d"]["shard"] for connection in (first, second)]
        assert sorted(shards) == [[0, 3], [2, 3]]
        ready = {"session_id": "s", "resume_gateway_url": discord.gateway, "guilds": []}
        await first.dispatch("READY", ready)
        await first.dispatch("MESSAGE_CREATE", said("hello", 1))
        await bot.got("hello")
        assert not bot.ready.is_set()
        await second.dispatch("READY", ready)
        await asyncio.wait_for(bot.ready.wait(), 10)


async def test_when_it_is_stopped_the_session_can_be_resumed() -> None:
    async with Scripted() as discord:
        async with running(discord):
            connection = await discord.session()
            closing = asyncio.create_task(connection.closed())
        # 1000 and 1001 would end it.
        assert await closing == 4000


def test_the_gap_begins_when_something_was_heard_last() -> None:
    shard = Shard(0, 1)
    shard.forget()
    missed: float | None = shard.missed
    assert missed is None
    shard.session, shard.heard = "s", 5.0
    shard.forget()
    shard.session, shard.heard = "t", 9.0
    shard.forget()
    missed = shard.missed
    assert missed == 5.0
    assert not shard.session


def test_the_gap_begins_when_the_oldest_that_was_not_handed_over_came() -> None:
    shard = Shard(0, 1)
    shard.begin("s", "u")
    shard.heard = 9.0
    shard.progress.begin(1, 5.0)
    shard.progress.begin(2, 6.0)
    assert shard.complete == 5.0
    shard.progress.end(1)
    assert shard.complete == 6.0
    shard.forget()
    assert (shard.missed, shard.complete) == (6.0, 6.0)


def test_a_shard_has_its_guilds_and_the_first_has_the_direct_messages() -> None:
    first, second = Shard(0, 2), Shard(1, 2)
    assert [shard.holds(str(1 << 22)) for shard in (first, second)] == [False, True]
    assert [shard.holds(str(2 << 22)) for shard in (first, second)] == [True, False]
    assert [shard.holds("@me") for shard in (first, second)] == [True, False]
