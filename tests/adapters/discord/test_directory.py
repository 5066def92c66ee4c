"""Who and where is meant."""

import asyncio

import pytest

from adapters.discord import payloads as p
from adapters.discord.scripted_rig import HERE, connected, made
from dragoman import ChannelInfo, DeliveryError, Person, SlashCommand


async def test_a_member_is_complete_and_has_the_language_that_an_interaction_told() -> None:
    async with connected() as (discord, adapter, connection, events):
        await connection.dispatch("INTERACTION_CREATE", p.interaction())
        assert isinstance(await asyncio.wait_for(events.get(), 10), SlashCommand)
        discord.answers["GET /guilds/100/members/20"] = {**p.member(nick="Annie", roles=["404"]), "user": p.user()}
        assert await adapter.look_up_person("20", p.GUILD) == Person(
            id="20", name="Annie", locale="de", roles=("member", "ops")
        )


async def test_who_is_not_in_the_guild_has_no_roles_and_who_is_nobody_is_none() -> None:
    async with connected() as (discord, adapter, _, _events):
        discord.answers["GET /guilds/100/members/20"] = (404, {"message": "Unknown Member", "code": 10007})
        discord.answers["GET /users/20"] = p.user()
        assert await adapter.look_up_person("20", p.GUILD) == Person(id="20", name="Ann")
        assert await adapter.look_up_person("20", "@me") == Person(id="20", name="Ann")
        discord.answers["GET /users/20"] = (404, {"message": "Unknown User", "code": 10013})
        assert await adapter.look_up_person("20", "@me") is None
        assert await adapter.look_up_person("nobody", "@me") is None


async def test_a_guild_that_is_not_known_yet_is_asked_for() -> None:
    async with made() as (discord, adapter):
        discord.answers["GET /guilds/100"] = {key: value for key, value in p.guild().items() if key != "channels"}
        discord.answers["GET /guilds/100/members/21"] = {**p.member(), "user": p.user("21", "bob")}
        found = await adapter.look_up_person("21", p.GUILD)
        assert found is not None
        assert found.roles == ("owner", "admin", "member")


async def test_channels_are_found_by_id_by_name_and_by_person() -> None:
    async with connected() as (discord, adapter, _, _events):
        general = ChannelInfo(id="200", tenant="100", name="general")
        assert await adapter.look_up_channel("200", "100") == general
        assert await adapter.look_up_channel("#General", "100") == general
        assert await adapter.look_up_channel("#general", "*") == general
        assert await adapter.look_up_channel("#help", "100") is None, "a forum takes no messages"
        assert await adapter.look_up_channel("#nowhere", "100") is None
        discord.answers["POST /users/@me/channels"] = {"id": "250", "type": 1}
        assert await adapter.look_up_channel("@20", "100") == ChannelInfo(id="250", tenant="@me")
        assert await adapter.look_up_channel("@20", "100") == ChannelInfo(id="250", tenant="@me")
        assert discord.posted("POST /users/@me/channels") == [{"recipient_id": "20"}]
        discord.answers["POST /users/@me/channels"] = (400, {"message": "Invalid Recipient(s)", "code": 50033})
        assert await adapter.look_up_channel("@21", "100") is None


async def test_a_name_that_several_guilds_have_is_the_settings_to_decide() -> None:
    other = {**p.guild(), "id": "101", "channels": [{"id": "260", "type": 0, "name": "general"}], "threads": []}
    async with connected() as (_, adapter, connection, events):
        await connection.dispatch("GUILD_CREATE", other)
        await connection.dispatch("MESSAGE_CREATE", p.message())
        await asyncio.wait_for(events.get(), 10)
        with pytest.raises(DeliveryError, match="several guilds"):
            await adapter.look_up_channel("#general", "*")
    async with connected(guild="101") as (_, adapter, connection, events):
        await connection.dispatch("GUILD_CREATE", other)
        await connection.dispatch("MESSAGE_CREATE", p.message())
        await asyncio.wait_for(events.get(), 10)
        assert await adapter.look_up_channel("#general", "*") == ChannelInfo(id="260", tenant="101", name="general")


async def test_without_a_gateway_names_are_asked_for() -> None:
    async with made() as (discord, adapter):
        discord.answers["GET /users/@me/guilds"] = [{"id": "100", "name": "Acme"}]
        discord.answers["GET /guilds/100/channels"] = p.guild()["channels"]
        assert await adapter.look_up_channel("#general", "*") == ChannelInfo(id="200", tenant="100", name="general")


async def test_a_thread_that_nobody_told_us_of_is_asked_for() -> None:
    async with connected() as (discord, _, connection, events):
        discord.answers["GET /channels/301"] = {"id": "301", "type": 11, "parent_id": "200", "guild_id": "100"}
        await connection.dispatch("MESSAGE_CREATE", p.message(channel_id="301"))
        event = await asyncio.wait_for(events.get(), 10)
        assert event.address == HERE.in_thread("301")
