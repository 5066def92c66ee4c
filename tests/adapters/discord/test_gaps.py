"""A session is over, or there was none for a while: what was said meanwhile is read, and in order."""

import asyncio

import pytest

from adapters.discord.adapter_rig import Rig
from adapters.discord.keeping_rig import Process, restarts
from dragoman import EventBase, Message

STATE = "session/0/1"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has changed is saved at once."""
    monkeypatch.setattr("dragoman_discord.sessions.INTERVAL", 0.01)
    monkeypatch.setattr("dragoman_discord.sessions.delays", lambda: lambda: 0.0)


def plain(r: Rig) -> list[str]:
    return [event.content.plain for event in r.events if isinstance(event, Message)]


async def test_after_a_restart_with_a_session_that_is_over_the_histories_are_read() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await r.ann.say(r.ann.dm(), "hi")
        await r.got(1)
        await r.discord.until(lambda: store.state().get("direct"))
        await process.kill()
        await r.ann.say(r.general, "meanwhile")
        await r.ann.say(r.ann.dm(), "and here")
        r.discord.expire_sessions()
        other = await Process(r, store).until_ready()
        await r.discord.until(lambda: {"meanwhile", "and here"} <= set(plain(r)))
        assert r.discord.identifies == 2
        await r.discord.until(lambda: not store.state()["owed"] and store.state()["session"])
        await other.stop()


async def test_what_was_said_in_a_gap_is_read_though_discord_has_said_hello_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dragoman_discord.missed.SLACK", 0.0)  # however short it is
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await r.discord.until(lambda: store.state().get("heard"))
        await process.kill()
        await store.save_state(STATE, {**store.state(), "heard": store.state()["heard"] - 1})
        await r.ann.say(r.general, "meanwhile")
        r.discord.expire_sessions()
        other = await Process(r, store).until_ready()
        await r.discord.until(lambda: plain(r) == ["meanwhile"])
        await other.stop()


async def test_what_was_still_to_be_read_is_read_by_the_next_process() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await r.discord.until(lambda: store.state().get("heard"))
        await process.kill()
        for number in range(5):
            await r.ann.say(r.general, f"m{number}")
        r.discord.expire_sessions()
        stuck = asyncio.Event()

        async def taking(event: EventBase) -> None:
            if len(r.events) == 2:
                stuck.set()
                await asyncio.Event().wait()

        r.taking = taking
        second = await Process(r, store).until_ready()
        await asyncio.wait_for(stuck.wait(), 10)
        await r.discord.until(lambda: store.state()["owed"].get(r.acme.id) and store.state()["session"])
        await second.kill()
        r.taking = None
        third = await Process(r, store).until_ready()
        await r.discord.until(lambda: {f"m{number}" for number in range(5)} <= set(plain(r)))
        assert r.discord.identifies == 2, "the second process' session was resumed"
        await r.discord.until(lambda: not store.state()["owed"])
        await third.stop()


async def test_what_is_said_now_stays_behind_what_was_missed_though_the_reading_was_cut_short() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await r.discord.until(lambda: store.state().get("heard"))
        await process.kill()
        for number in range(10):
            await r.ann.say(r.general, f"m{number}")
        r.discord.expire_sessions()
        stuck = asyncio.Event()

        async def taking(event: EventBase) -> None:
            if len(r.events) == 3:
                stuck.set()
                await asyncio.Event().wait()

        r.taking = taking
        second = await Process(r, store).until_ready()
        await asyncio.wait_for(stuck.wait(), 10)
        # Its session has begun: this is told by it, and told again to whoever resumes it.
        await r.ann.say(r.general, "live")
        await r.discord.until(lambda: store.state()["owed"].get(r.acme.id) and store.state()["session"])
        await second.kill()
        r.taking = None
        before = len(r.events)
        third = await Process(r, store).until_ready()
        await r.discord.until(lambda: "live" in plain(r))
        assert r.discord.identifies == 2, "the second process' session was resumed"
        assert [text for text in plain(r)[before:] if text != "live"] == [f"m{number}" for number in range(10)]
        assert plain(r)[-1] == "live"
        await third.stop()


async def test_what_was_in_hand_when_the_session_ended_is_read_from_the_histories() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        stuck = asyncio.Event()

        async def taking(event: EventBase) -> None:
            stuck.set()
            await asyncio.Event().wait()

        r.taking = taking
        await r.ann.say(r.general, "in hand")
        await asyncio.wait_for(stuck.wait(), 10)
        await r.discord.until(lambda: store.state().get("session"))
        await process.kill()
        r.discord.expire_sessions()
        r.taking = None
        other = await Process(r, store).until_ready()
        await r.discord.until(lambda: plain(r) == ["in hand"])
        await other.stop()
