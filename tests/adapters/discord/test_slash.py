"""Slash commands that somebody used, as events."""

from typing import Any

import pytest

from adapters.discord import payloads as p
from dragoman import Address, Person, SlashCommand
from dragoman.wire import decode_event, encode
from dragoman_discord.normalise import normalise
from dragoman_discord.payload import PayloadError


def used(*options: dict[str, Any], name: str = "roll", **more: Any) -> SlashCommand:
    payload = p.dispatch("INTERACTION_CREATE", p.interaction(name, list(options), **more))
    [event] = normalise(payload, p.IDENTITY, "acme", p.places())
    assert isinstance(event, SlashCommand)
    return event


def test_a_command_is_said_to_the_bot_where_it_was_used() -> None:
    event = used({"name": "dice", "type": 3, "value": "2d6"})
    assert event == SlashCommand(
        key=f"discord/slash/acme/100/200/{p.SNOWFLAKE}",
        address=Address(account="acme", tenant="100", channel="200"),
        channel_name="general",
        conversation="channel",
        person=Person(id="20", name="Ann", locale="de"),
        addressed=True,
        occurred=p.AT,
        name="roll",
        options={"dice": "2d6"},
    )
    assert decode_event(encode(event)) == event


def test_without_options_there_is_nothing_to_read_from_the_text() -> None:
    assert used().options == {}
    assert used().text == ""


def test_sub_commands_are_words_of_the_name() -> None:
    start = {"name": "start", "type": 1, "options": [{"name": "app", "type": 3, "value": "web"}]}
    assert (used(start, name="deploy").name, used(start, name="deploy").options) == ("deploy start", {"app": "web"})
    group = {"name": "app", "type": 2, "options": [start]}
    assert used(group, name="deploy").name == "deploy app start"


RESOLVED = {
    "users": {"21": p.user("21", "bob")},
    "members": {"21": p.member(nick="Bo <b>")},
    "channels": {"200": {"id": "200", "name": "general", "type": 0}},
    "roles": {"404": {"id": "404", "name": "Ops"}},
}


@pytest.mark.parametrize(
    ("type", "value", "text"),
    [
        (3, "a b", "a b"),
        (4, 3, "3"),
        (5, True, "true"),
        (5, False, "false"),
        (10, 2.5, "2.5"),
        (10, 3.0, "3"),
        (6, "21", "<@21|Bo b>"),
        (6, "22", "<@22>"),
        (7, "200", "<#200|general>"),
        (8, "404", "<@&404>"),
        (9, "404", "<@&404>"),
        (9, "21", "<@21|Bo b>"),
    ],
)
def test_what_was_chosen_becomes_what_would_be_typed(type: int, value: Any, text: str) -> None:
    data = {"id": "1", "name": "x", "type": 1, "options": [{"name": "o", "type": type, "value": value}]}
    assert used(data={**data, "resolved": RESOLVED}).options == {"o": text}


def test_in_a_direct_message_there_is_a_user_and_no_member() -> None:
    data = p.interaction(user=p.user())
    del data["guild_id"], data["member"]
    [event] = normalise(p.dispatch("INTERACTION_CREATE", data), p.IDENTITY, "acme", p.places())
    assert (event.address.tenant, event.conversation) == ("@me", "direct")
    assert event.person == Person(id="20", name="Ann", locale="de")


@pytest.mark.parametrize("more", [{"type": 1}, {"type": 3}, {"type": 4}, {"data": {"type": 2, "name": "Report"}}])
def test_other_interactions_are_no_events(more: dict[str, Any]) -> None:
    assert normalise(p.dispatch("INTERACTION_CREATE", p.interaction(**more)), p.IDENTITY, "acme") == ()


@pytest.mark.parametrize("value", [None, [], {}])
def test_an_option_without_a_value_is_an_error(value: Any) -> None:
    with pytest.raises(PayloadError, match="must be a text, a number"):
        used({"name": "o", "type": 3, "value": value})


def test_sub_commands_without_an_end_are_an_error() -> None:
    deep: dict[str, Any] = {"name": "d", "type": 1}
    for _ in range(5):
        deep = {"name": "c", "type": 2, "options": [deep]}
    with pytest.raises(PayloadError, match="three deep"):
        used(deep)
