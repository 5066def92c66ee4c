"""Slash commands: answered in time, and offered."""

import asyncio
from typing import Any

import pytest

from adapters.discord import payloads as p
from adapters.discord.scripted import Connection
from adapters.discord.scripted_rig import HERE, HISTORY, POST, connected, made, ours, send
from dragoman import (
    Context,
    EventBase,
    Send,
    Skill,
    SlashCommand,
    Typing,
    action_key,
)

SLASH = f"discord/slash/acme/{p.GUILD}/{p.GENERAL}/{p.SNOWFLAKE}"
CALLBACK = f"POST /interactions/{p.SNOWFLAKE}/a-token/callback"
ORIGINAL = f"PATCH /webhooks/{p.APP}/a-token/messages/@original"
FOLLOW_UP = f"POST /webhooks/{p.APP}/a-token"


# Answers


async def used(connection: Connection, events: "asyncio.Queue[EventBase]") -> SlashCommand:
    await connection.dispatch("INTERACTION_CREATE", p.interaction())
    event = await asyncio.wait_for(events.get(), 10)
    assert isinstance(event, SlashCommand)
    return event


def answer(ordinal: int = 0, text: str = "hi", **more: Any) -> Send:
    return send(text, key=action_key(SLASH, "dice.roll", ordinal), ordinal=ordinal, **more)


async def test_the_first_answer_to_a_command_is_its_response_and_what_follows_follows() -> None:
    async with connected() as (discord, adapter, connection, events):
        assert (await used(connection, events)).key == SLASH
        discord.answers[CALLBACK] = {"interaction": {}, "resource": {"message": {"id": "5"}}}
        discord.answers[FOLLOW_UP] = {"id": "6"}
        assert (await adapter.perform(answer())).ids == ("5",)
        assert (await adapter.perform(answer(1))).ids == ("6",)
        [first] = discord.posted(CALLBACK)
        assert (first["type"], first["data"]["content"]) == (4, "hi")
        assert discord.posted(POST) == []
        # Should it be asked for again, it was done.
        assert (await adapter.perform(answer(again=True))).ids == ("5",)


async def test_typing_tells_discord_to_wait_and_the_answer_edits_that() -> None:
    async with connected() as (discord, adapter, connection, events):
        await used(connection, events)
        discord.answers[CALLBACK] = (200, None)
        discord.answers[ORIGINAL] = {"id": "5"}
        await adapter.perform(Typing(key=action_key(SLASH, "dice.roll", 0), address=HERE))
        assert (await adapter.perform(answer(1))).ids == ("5",)
        assert discord.posted(CALLBACK) == [{"type": 5}]


async def test_who_is_slow_is_waited_for() -> None:
    async with connected(patience=0) as (discord, adapter, connection, events):
        deferred = asyncio.Event()
        discord.answers[CALLBACK] = lambda body: deferred.set() or (200, None)  # type: ignore[func-returns-value]
        discord.answers[ORIGINAL] = {"id": "5"}
        await used(connection, events)
        await asyncio.wait_for(deferred.wait(), 10)
        assert (await adapter.perform(answer())).ids == ("5",)


async def test_what_is_said_elsewhere_is_no_response() -> None:
    async with connected() as (discord, adapter, connection, events):
        await used(connection, events)
        discord.answers["POST /channels/300/messages"] = {"id": "7"}
        assert (await adapter.perform(answer(address=HERE.in_thread(p.THREAD)))).ids == ("7",)
        assert discord.posted(CALLBACK) == []


async def test_after_a_restart_the_answer_goes_to_the_channel() -> None:
    async with made() as (discord, adapter):
        discord.answers[POST] = {"id": "7"}
        assert (await adapter.perform(answer())).ids == ("7",)


async def test_an_answer_that_went_out_before_a_restart_is_found() -> None:
    async with made() as (discord, adapter):
        discord.answers[HISTORY] = [ours("5", "hi", type=20, interaction_metadata={"id": p.SNOWFLAKE})]
        assert (await adapter.perform(answer(again=True))).ids == ("5",)


# What is offered


def skills() -> Skill:
    skill = Skill("dice")

    @skill.command()
    def roll(ctx: Context, howMany: int = 1) -> str:
        """Roll the dice."""
        return ""

    return skill


COMMANDS = "/applications/11/commands"


async def test_commands_are_offered_once_and_options_have_their_own_names_again() -> None:
    async with connected() as (discord, adapter, connection, events):
        discord.answers[f"GET {COMMANDS}"] = []
        discord.answers[f"PUT {COMMANDS}"] = []
        await adapter.offer([skills().manifest()])
        await adapter.offer([skills().manifest()])
        [[command]] = discord.posted(f"PUT {COMMANDS}")
        assert (command["name"], command["options"][0]["name"]) == ("roll", "howmany")
        await connection.dispatch(
            "INTERACTION_CREATE", p.interaction(options=[{"name": "howmany", "type": 4, "value": 3}])
        )
        event = await asyncio.wait_for(events.get(), 10)
        assert isinstance(event, SlashCommand)
        assert event.options == {"howMany": "3"}


async def test_while_discord_cannot_be_reached_the_offer_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman_discord.offers.delays", lambda first: lambda: 0.0)
    async with made() as (discord, adapter):
        offered = asyncio.Event()
        discord.answers[f"GET {COMMANDS}"] = [(503, {"message": "no"}), (503, {"message": "no"}), lambda body: []]
        discord.answers[f"PUT {COMMANDS}"] = lambda body: offered.set() or []  # type: ignore[func-returns-value]
        await adapter.offer([skills().manifest()])
        await asyncio.wait_for(offered.wait(), 10)


async def test_without_the_wish_nothing_is_offered() -> None:
    async with made(commands=False) as (discord, adapter):
        await adapter.offer([skills().manifest()])
        assert discord.asked == []


async def test_for_one_guild_they_are_there() -> None:
    async with made(guild=p.GUILD) as (discord, adapter):
        discord.answers["GET /applications/11/guilds/100/commands"] = []
        discord.answers["PUT /applications/11/guilds/100/commands"] = []
        await adapter.offer([skills().manifest()])
        assert len(discord.posted("PUT /applications/11/guilds/100/commands")) == 1
