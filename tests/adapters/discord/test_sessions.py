"""The place in a session outlives the gateway's process, and what happens meanwhile is not missed."""

import asyncio
import logging
from typing import Any

import pytest

from adapters.discord.adapter_rig import Rig
from adapters.discord.keeping_rig import Process, Store, restarts
from dragoman import EventBase, Message
from dragoman_discord.client import Shard
from dragoman_discord.sessions import Sessions

STATE = "session/0/1"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has changed is saved at once."""
    monkeypatch.setattr("dragoman_discord.sessions.INTERVAL", 0.01)
    monkeypatch.setattr("dragoman_discord.sessions.delays", lambda: lambda: 0.0)


def plain(r: Rig) -> list[str]:
    return [event.content.plain for event in r.events if isinstance(event, Message)]


async def test_a_killed_process_misses_nothing_and_what_comes_twice_has_the_same_key() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        died = asyncio.Event()

        async def taking(event: EventBase) -> None:
            # In the middle of it all the process is dead, with some things in hand.
            if len(r.events) >= 120 and not died.is_set():
                died.set()
            if died.is_set() and process.lease.ended is False:
                await asyncio.Event().wait()

        r.taking = taking
        for number in range(200):
            said = await r.ann.say(r.general, f"m{number}")
            if number % 20 == 3:
                await r.ann.react(said, "👍")
            if number % 25 == 4:
                await r.ann.edit(said, f"m{number} better")
        await asyncio.wait_for(died.wait(), 10)
        before = list(r.events)
        await process.kill()
        r.taking = None
        other = await Process(r, store).until_ready()
        everything = 200 + 10 + 8
        await r.discord.until(lambda: len({event.key for event in r.events}) >= everything)
        assert {f"m{number}" for number in range(200)} <= set(plain(r))
        assert len({event.key for event in r.events}) == everything, "what came twice has the same key"
        kinds = [event.kind for event in {event.key: event for event in r.events}.values()]
        assert (kinds.count("reaction"), kinds.count("edited")) == (10, 8)
        assert (r.discord.identifies, r.discord.resumes) == (1, 1)
        # Nothing was told again that was in the ledger long before.
        again = [event for event in r.events[len(before) :] if event.key in {each.key for each in before}]
        assert len(again) < len(before)
        await r.ann.say(r.general, "and on")
        await r.discord.until(lambda: "and on" in plain(r))
        await other.stop()


async def test_a_process_that_dies_in_its_first_moments_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman_discord.sessions.INTERVAL", 1000.0)
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await r.discord.until(lambda: store.state().get("session"), waiting_for="a session that is saved at once")
        await process.kill()
        await r.ann.say(r.general, "is anybody there?")
        other = await Process(r, store).until_ready()
        await r.discord.until(lambda: "is anybody there?" in plain(r))
        await other.stop()


async def test_reactions_that_come_twice_are_known_by_their_keys() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await r.discord.until(lambda: store.state().get("session"))
        old = dict(store.state())
        said = await r.ann.say(r.general, "one")
        await r.ann.react(said, "👍")
        await r.ann.unreact(said, "👍")
        first = [event.key for event in await r.got(3)]
        await process.kill()
        # As if nothing had been saved since.
        await store.save_state(STATE, old)
        r.events.clear()
        other = await Process(r, store).until_ready()
        assert [event.key for event in await r.got(3)] == first
        await other.stop()


async def test_a_stop_in_order_leaves_the_session_open_and_nothing_is_told_twice() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await r.ann.say(r.general, "before")
        await r.got(1)
        await process.stop()
        await r.ann.say(r.general, "between")
        other = await Process(r, store).until_ready()
        await r.discord.until(lambda: "between" in plain(r))
        assert plain(r) == ["before", "between"]
        assert (r.discord.identifies, r.discord.resumes) == (1, 1)
        await other.stop()


async def test_what_a_resumed_session_does_not_tell_of_guilds_is_asked_for() -> None:
    async with restarts() as (r, store):
        elsewhere = r.discord.guild("elsewhere").channel("lounge")
        process = await Process(r, store).until_ready()
        thread = await r.ann.start_thread(r.general, "a thread")
        await process.stop()
        other = await Process(r, store).until_ready()
        role = next(role for role in r.acme.roles.values() if role.bot == r.app.user.id)
        await r.ann.say(thread, f"<@&{role.id}> hello", raw=True)
        await r.discord.until(lambda: any("hello" in text for text in plain(r)))
        event = r.events[-1]
        assert isinstance(event, Message)
        assert (event.address, event.channel_name) == (r.address(thread=thread.id), "general")
        assert (event.addressed, event.request) == (True, "hello")
        asked = [call.route for call in r.discord.calls if call.route.startswith("GET /guilds/")]
        await r.ann.say(r.general, "more")
        await r.discord.until(lambda: "more" in plain(r))
        assert [call.route for call in r.discord.calls if call.route.startswith("GET /guilds/")] == asked
        for channel in (r.general, elsewhere):
            found = await other.adapter.look_up_channel(f"#{channel.name}", "*")
            assert found is not None
            assert found.id == channel.id
        await other.stop()


async def test_the_store_being_away_ends_nothing_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async with restarts() as (r, store):
        store.away = True
        process = Process(r, store)
        await r.discord.until(lambda: store.tried >= 3)
        assert r.discord.identifies == 0, "nothing could be handed over yet"
        store.away = False
        await process.until_ready()
        await r.discord.until(lambda: store.state().get("session"))
        store.away = True
        tried = store.tried
        await r.ann.say(r.general, "heard all the same")
        await r.got(1)
        await r.discord.until(lambda: store.tried >= tried + 3)
        store.away = False
        saved = store.saved
        await r.discord.until(lambda: store.saved > saved)
        await process.stop()
        said = [record.message for record in caplog.records if "place in the session" in record.message]
        assert len([text for text in said if "cannot be read" in text]) == 1
        assert len([text for text in said if "cannot be saved" in text]) == 1
        assert plain(r) == ["heard all the same"]
        assert r.discord.identifies == 1


@pytest.mark.parametrize("other", [{"application": "1"}, {"intents": 1}, {"session": 5}, {"sequence": "x"}])
async def test_a_session_that_is_not_ours_or_not_as_we_want_it_is_not_resumed(other: dict[str, Any]) -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await r.discord.until(lambda: store.state().get("session"))
        await process.stop()
        await r.ann.say(r.general, "between")
        await store.save_state(STATE, {**store.state(), **other})
        second = await Process(r, store).until_ready()
        await r.ann.say(r.general, "after")
        await r.discord.until(lambda: "after" in plain(r))
        assert (r.discord.identifies, r.discord.resumes) == (2, 0)
        if "application" not in other:
            await r.discord.until(lambda: "between" in plain(r))
        await second.stop()


@pytest.mark.parametrize("garbage", [{"owed": 5, "direct": {}, "waiting": [5], "heard": "x"}, {"owed": {"1": None}}])
async def test_a_state_that_cannot_be_read_is_no_harm(garbage: dict[str, Any]) -> None:
    async with restarts() as (r, store):
        await store.save_state(STATE, {"application": r.app.id, **garbage})
        process = await Process(r, store).until_ready()
        await r.ann.say(r.general, "hello")
        await r.discord.until(lambda: plain(r) == ["hello"])
        await process.stop()


async def test_each_shard_has_a_state_of_its_own() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store, shards=2).until_ready()
        others = [r.discord.guild(f"guild{number}") for number in range(3)]
        for guild in others:
            await guild.user(f"{guild.name}-ann").say(guild.channel("lobby"), guild.name)
        await r.discord.until(lambda: len(plain(r)) == 3)
        await process.stop()
        assert set(store._states) == {"session/0/2", "session/1/2"}
        sessions = {state["session"] for state in store._states.values()}
        assert len(sessions) == 2
        second = await Process(r, store, shards=2).until_ready()
        assert r.discord.resumes == 2
        await second.stop()


async def test_what_is_in_hand_holds_the_place_back(caplog: pytest.LogCaptureFixture) -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        held = asyncio.Event()

        async def taking(event: EventBase) -> None:
            if isinstance(event, Message) and event.content.plain == "slow":
                await held.wait()

        r.taking = taking
        await r.ann.say(r.general, "slow")
        await r.ann.say(r.general, "quick")
        await r.discord.until(lambda: plain(r) == ["quick"])
        [shard] = process.adapter._shards
        assert shard.sequence is not None
        assert shard.progress.reached < shard.sequence - 1
        held.set()
        await r.discord.until(lambda: plain(r) == ["quick", "slow"])
        await r.discord.until(lambda: shard.progress.reached == shard.sequence)
        with caplog.at_level(logging.DEBUG):
            await process.stop()
        assert store.state()["sequence"] == shard.sequence


async def test_an_unchanged_state_is_not_saved_again() -> None:
    from dragoman_discord.interactions import Interactions
    from dragoman_discord.missed import Missed
    from dragoman_discord.places import Places

    store, shard = Store(), Shard(0, 1)
    missed = Missed("acme", None, Places(), 900.0)  # type: ignore[arg-type]
    interactions = Interactions(None, 1.0)  # type: ignore[arg-type]
    sessions = Sessions("acme", lambda: store, [shard], missed, interactions, application="1", intents=1)
    await sessions.save()
    await sessions.save()
    assert store.saved == 1
    shard.begin("s", "u")
    await sessions.save()
    assert store.saved == 2
    shard.heard = 9.0
    shard.progress.begin(1, 5.0)
    assert sessions.state(shard)["heard"] == 5.0, "what came then is not in the ledger yet"


async def test_who_is_started_again_in_the_same_process_is_told_again_what_was_in_hand() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        stuck = asyncio.Event()

        async def taking(event: EventBase) -> None:
            stuck.set()
            await asyncio.Event().wait()

        r.taking = taking
        await r.ann.say(r.general, "in hand")
        await asyncio.wait_for(stuck.wait(), 10)
        process.task.cancel()
        await asyncio.gather(process.task, return_exceptions=True)
        r.taking = None
        process.task = asyncio.create_task(process.adapter.run(process.receive, process._is_ready))
        await r.discord.until(lambda: plain(r) == ["in hand"])
        assert (r.discord.identifies, r.discord.resumes) == (1, 1)
        await process.stop()


async def test_who_is_started_again_before_the_place_was_read_reads_it() -> None:
    async with restarts() as (r, store):
        process = await Process(r, store).until_ready()
        await process.stop()
        store.away, store.tried = True, 0
        other = Process(r, store)
        await r.discord.until(lambda: store.tried >= 2)
        other.task.cancel()
        await asyncio.gather(other.task, return_exceptions=True)
        store.away = False
        other.task = asyncio.create_task(other.adapter.run(other.receive, other._is_ready))
        await other.until_ready()
        assert (r.discord.identifies, r.discord.resumes) == (1, 1)
        await other.stop()
