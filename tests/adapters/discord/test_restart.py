"""Slash commands whose answer is given by another process than the one that they came to."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.discord.adapter_rig import Rig
from adapters.discord.keeping_rig import Process, Store, restarts
from dragoman import Content, Context, DeliveryError, Send, Sent, Skill, SlashCommand, Typing, action_key
from dragoman_discord.simulator import Interaction


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has changed is saved at once."""
    monkeypatch.setattr("dragoman_discord.sessions.INTERVAL", 0.01)


def dice() -> Skill:
    skill = Skill("dice")

    @skill.command()
    def roll(ctx: Context) -> str:
        """Roll the dice."""
        return ""

    return skill


class Used:
    """A command that somebody has used, and its answers."""

    def __init__(self, r: Rig, interaction: Interaction, event: SlashCommand) -> None:
        self.rig = r
        self.interaction = interaction
        self.event = event

    def key(self, ordinal: int) -> str:
        return action_key(self.event.key, "dice.roll", ordinal)

    async def answer(self, process: Process, text: str, ordinal: int = 0, **more: Any) -> Sent:
        content = Content(text=text)
        action = Send(key=self.key(ordinal), address=self.event.address, content=content, ordinal=ordinal, **more)
        return await process.adapter.perform(action)

    async def think(self, process: Process) -> None:
        await process.adapter.perform(Typing(key=self.key(0), address=self.event.address))

    @property
    def said(self) -> list[str]:
        return [message.content for message in self.interaction.said]

    @property
    def in_channel(self) -> list[str]:
        return [message.content for message in self.rig.general.said if message.type == 0]


@asynccontextmanager
async def using(**settings: Any) -> AsyncIterator[tuple[Rig, Store, Process, Used]]:
    async with restarts() as (r, store):
        process = await Process(r, store, **{"patience": 2.5, **settings}).until_ready()
        await process.adapter.offer([dice().manifest()])
        interaction = await r.ann.slash(r.general, "roll")
        [event] = await r.got(1)
        assert isinstance(event, SlashCommand)
        yield r, store, process, Used(r, interaction, event)


async def next_of(r: Rig, store: Store, process: Process, **settings: Any) -> Process:
    """The process after that one was killed."""
    await process.kill()
    return await Process(r, store, **{"patience": 2.5, **settings}).until_ready()


async def test_what_was_deferred_before_is_answered_and_thinks_no_more() -> None:
    async with using() as (r, store, process, used):
        await used.think(process)
        assert used.interaction.state == "thinking"
        other = await next_of(r, store, process)
        sent = await used.answer(other, "one")
        await used.answer(other, "two", 1)
        assert (used.said, used.interaction.state) == (["one", "two"], "answered")
        assert sent.ids == (used.interaction.said[0].id,)
        assert used.in_channel == []
        await other.stop()


async def test_what_was_answered_before_is_followed_up() -> None:
    async with using() as (r, store, process, used):
        await used.answer(process, "one")
        other = await next_of(r, store, process)
        await used.answer(other, "two", 1)
        assert used.said == ["one", "two"]
        await other.stop()


async def test_what_was_never_answered_and_is_in_time_gets_its_response() -> None:
    async with using() as (r, store, process, used):
        other = await next_of(r, store, process)
        await used.answer(other, "one")
        assert (used.said, used.interaction.callback) == (["one"], 4)
        await other.stop()


@pytest.mark.parametrize("seconds", [3.1, 901.0])
async def test_what_was_never_answered_and_is_late_is_said_in_the_channel(seconds: float) -> None:
    async with using() as (r, store, process, used):
        other = await next_of(r, store, process)
        r.discord.advance(seconds)
        await used.answer(other, "one")
        assert (used.said, used.in_channel) == ([], ["one"])
        await other.stop()


async def test_what_is_thinking_and_was_deleted_is_said_in_the_channel() -> None:
    async with using() as (r, store, process, used):
        await used.think(process)
        other = await next_of(r, store, process)
        original = used.interaction.original
        assert original is not None
        r.discord.remove(original)
        r.discord.fail("POST /webhooks", status=404, code=10008)
        await used.answer(other, "one")
        assert used.in_channel == ["one"]
        await other.stop()


async def test_an_answer_that_comes_again_is_found_and_not_said_twice() -> None:
    async with using() as (r, store, process, used):
        r.discord.hang_up("POST /interactions", performed=True)
        with pytest.raises(DeliveryError):
            await used.answer(process, "one")
        other = await next_of(r, store, process)
        sent = await used.answer(other, "one", again=True)
        assert sent.ids == (used.interaction.said[0].id,)
        await used.answer(other, "two", 1)
        assert used.said == ["one", "two"]
        await other.stop()


async def test_a_command_that_is_told_again_does_not_undo_the_answer_that_it_had() -> None:
    async with using() as (r, store, process, used):
        await used.answer(process, "one")
        await r.discord.until(lambda: store.state().get("session"))
        await process.kill()
        # As if it had died before anything was saved of it.
        state = dict(store.state())
        await store.save_state("session/0/1", {**state, "sequence": 2, "waiting": []})
        r.events.clear()
        other = await Process(r, store, patience=2.5).until_ready()
        await r.discord.until(lambda: used.event.key in {event.key for event in r.events})
        await used.answer(other, "two", 1)
        assert used.said == ["one", "two"]
        await other.stop()


async def test_the_next_process_defers_what_nobody_has_answered() -> None:
    async with using() as (r, store, process, used):
        await r.discord.until(lambda: store.state().get("waiting") == [used.event.key])
        other = await next_of(r, store, process, patience=0.0)
        await r.discord.until(lambda: used.interaction.state == "thinking")
        await used.answer(other, "one")
        assert (used.said, used.interaction.state) == (["one"], "answered")
        await r.discord.until(lambda: store.state().get("waiting") == [])
        await other.stop()


async def test_an_answer_waits_while_what_it_needs_cannot_be_read() -> None:
    async with using() as (r, store, process, used):
        await used.think(process)
        other = await next_of(r, store, process)
        other.adapter._interactions._known.clear()
        store.away = True
        with pytest.raises(DeliveryError, match="cannot be read") as caught:
            await used.answer(other, "one")
        assert caught.value.retry
        store.away = False
        await used.answer(other, "one", again=True)
        assert (used.said, used.in_channel) == (["one"], [])
        await other.stop()


async def test_what_cannot_be_kept_is_answered_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    async with using() as (r, store, process, used):
        store.away = True
        second = await r.ann.slash(r.general, "roll")
        events = await r.got(2)
        assert isinstance(events[1], SlashCommand)
        await Used(r, second, events[1]).answer(process, "one")
        assert [message.content for message in second.said] == ["one"]
        assert "could not be kept for a restart" in caplog.text
        store.away = False
        await used.answer(process, "x")
        await process.stop()


async def test_what_could_not_be_kept_is_kept_when_the_store_is_back() -> None:
    async with using() as (r, store, process, _used):
        store.away = True
        second = await r.ann.slash(r.general, "roll")
        event = (await r.got(2))[1]
        assert isinstance(event, SlashCommand)
        store.away = False
        await r.discord.until(lambda: event.key in store._credentials)
        other = await next_of(r, store, process)
        await Used(r, second, event).answer(other, "one")
        assert [message.content for message in second.said] == ["one"]
        await other.stop()


async def test_tokens_are_kept_for_a_quarter_of_an_hour_and_said_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with using() as (r, store, process, used):
            token = used.interaction.token
            kept = await store.credentials(used.event.key)
            assert kept is not None
            assert kept["token"] == token
            assert token not in repr(used.event)
            assert token not in f"{store._states}"
            r.discord.ratelimit("POST /interactions", retry_after=0.01)
            await used.answer(process, "one")
            r.discord.fail("POST /webhooks", status=403, code=50013)
            with pytest.raises(DeliveryError) as caught:
                await used.answer(process, "two", 1)
            assert token not in f"{caught.value!r} {caught.value}"
            other = await next_of(r, store, process)
            await used.answer(other, "three", 2)
            assert used.said == ["one", "three"]
            assert token not in f"{other.adapter._interactions._known}"
            await other.stop()
    said = [*caplog.messages, *(f"{record.args}" for record in caplog.records if record.name.startswith("discord"))]
    assert [text for text in said if token in text] == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
