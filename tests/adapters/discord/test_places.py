"""What the gateway tells of guilds and channels."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import payloads as p
from dragoman_discord.places import Guild, Places


def test_a_guild_has_channels_threads_roles_and_emoji() -> None:
    places = p.places()
    thread, general = places.get(p.THREAD), places.get(p.GENERAL)
    assert thread is not None
    assert general is not None
    assert (thread.thread, thread.parent, thread.guild) == (True, p.GENERAL, p.GUILD)
    assert (general.thread, general.name, general.last, general.writable) == (False, "general", "1", True)
    guild = places.guild(p.GUILD)
    assert guild.emoji == {"party": "party:500", "dance": "a:dance:501"}
    assert [role.name for role in guild.roles.values() if role.admin] == ["Bosses"]
    assert [role.name for role in guild.roles.values() if role.bot] == ["dragoman"]


def test_what_changes_is_known() -> None:
    places = p.places()
    places.tell("CHANNEL_UPDATE", {"id": p.GENERAL, "type": 0, "name": "lobby", "guild_id": p.GUILD})
    places.tell("THREAD_DELETE", {"id": p.THREAD, "guild_id": p.GUILD})
    places.tell("CHANNEL_CREATE", {"id": "210", "type": 0, "name": "new", "guild_id": p.GUILD})
    places.tell("GUILD_ROLE_UPDATE", {"guild_id": p.GUILD, "role": {"id": "404", "name": "Crew", "permissions": "8"}})
    places.tell("GUILD_ROLE_DELETE", {"guild_id": p.GUILD, "role_id": "401"})
    places.tell("GUILD_EMOJIS_UPDATE", {"guild_id": p.GUILD, "emojis": []})
    places.tell("GUILD_UPDATE", {"id": p.GUILD, "name": "Acme", "owner_id": p.ANN, "system_channel_id": None})
    places.tell("THREAD_LIST_SYNC", {"guild_id": p.GUILD, "threads": [{"id": "301", "type": 12, "parent_id": "200"}]})
    assert {place.id: place.name for place in places} == {p.GENERAL: "lobby", p.FORUM: "help", "210": "new", "301": ""}
    guild = places.guild(p.GUILD)
    crew = places.role(p.GUILD, "404")
    assert crew is not None
    assert (crew.name, crew.admin, "401" in guild.roles) == ("Crew", True, False)
    assert (guild.emoji, guild.owner, guild.welcome) == ({}, p.ANN, "")


def test_a_guild_that_is_away_keeps_its_names_and_one_that_we_left_does_not() -> None:
    places = p.places()
    places.tell("GUILD_DELETE", {"id": p.GUILD, "unavailable": True})
    assert places.get(p.GENERAL) is not None
    places.tell("GUILD_DELETE", {"id": p.GUILD})
    assert (list(places), places.guilds) == ([], {})


def test_a_guild_that_is_told_of_again_has_only_the_channels_that_are_there() -> None:
    places = p.places()
    places.tell("GUILD_CREATE", {**p.guild(), "channels": [], "threads": []})
    assert list(places) == []


def test_where_a_command_was_used_is_known() -> None:
    places = Places()
    places.tell("INTERACTION_CREATE", p.interaction(channel={"id": "301", "type": 11, "parent_id": "200"}))
    thread = places.get("301")
    assert thread is not None
    assert (thread.thread, thread.guild) == (True, p.GUILD)


def test_of_what_is_not_known_there_is_nothing() -> None:
    assert Places().guild("9") == Guild("9")
    assert Places().role("9", "8") is None


KINDS = ["GUILD_CREATE", "GUILD_DELETE", "CHANNEL_UPDATE", "THREAD_LIST_SYNC", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE"]
FIELDS = ["id", "guild_id", "role", "role_id", "roles", "channels", "threads", "channel", "emojis", "type"]
Leaf = st.sampled_from([None, True, 5, "x", "", "100", "200", [], {}, [5], [{"id": "1"}], {"id": "1", "type": 0}])


@pytest.mark.parametrize("kind", [*KINDS, "GUILD_EMOJIS_UPDATE", "INTERACTION_CREATE"])
@given(
    st.dictionaries(st.sampled_from(["id", "guild_id", "role", "role_id", "roles", "channels", "emojis", "type"]), Leaf)
)
def test_any_garbage_is_left_out(kind: str, data: dict[str, Any]) -> None:
    places = p.places()
    places.tell(kind, data)
    assert all(isinstance(place.name, str) and place.id.isdecimal() for place in places)


def test_of_a_guild_all_is_told_at_once_until_the_bot_leaves_it() -> None:
    places = Places()
    assert not places.complete
    places.tell("READY", {"guilds": []})
    assert places.complete
    places.tell("GUILD_UPDATE", p.guild())
    assert not places.told
    places.tell("GUILD_CREATE", {"id": p.GUILD, "unavailable": True})
    assert not places.told
    places.tell("GUILD_CREATE", {**p.guild(), "unavailable": False})
    assert places.told == {p.GUILD}
    places.tell("GUILD_DELETE", {"id": p.GUILD, "unavailable": True})
    assert places.told == {p.GUILD}
    places.tell("GUILD_DELETE", {"id": p.GUILD})
    assert not places.told
