"""Slash commands as events, and their way over a socket."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.adapter_rig import rig
from adapters.slack.payloads import slash
from dragoman import Address, Conversation, EventBase, Person, SlashCommand
from dragoman.wire import decode_event, encode
from dragoman_slack.payload import PayloadError
from dragoman_slack.slash import read_slash


def read(text: str = "2d20", kinds: dict[str, Conversation] | None = None, **more: Any) -> SlashCommand:
    return read_slash(slash(text, **more), "acme", at=5.0, kinds=kinds)


def test_a_command_is_said_to_the_bot_where_it_was_typed() -> None:
    event = read()
    assert event == SlashCommand(
        key="slack/slash/acme/T1/C1/U1/13345224609.738474920.8088930838d88f008e0",
        address=Address(account="acme", tenant="T1", channel="C1"),
        channel_name="general",
        conversation="channel",
        person=Person(id="U1"),
        addressed=True,
        occurred=5.0,
        name="roll",
        text="2d20",
    )
    assert event.options is None
    assert decode_event(encode(event)) == event


def test_the_text_is_plain_as_a_messages_is() -> None:
    assert read("a &lt;b&gt; &amp;amp; <@U2|worf> <#C3|d-social> <https://x.org|x>").text == (
        "a <b> &amp; <@U2> <#C3> x"
    )
    assert read(text="").text == read(text=None).text == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "kind", "name"),
    [
        ({"channel_id": "D1", "channel_name": "directmessage"}, "direct", ""),
        ({"channel_id": "G1", "channel_name": "privategroup"}, "channel", ""),
        ({"channel_id": "C2", "channel_name": "mpdm-ann--bob--dragoman-1"}, "group", "mpdm-ann--bob--dragoman-1"),
        ({"channel_id": "C2", "channel_name": ""}, "group", ""),
    ],
)
def test_the_kind_of_conversation_is_seen_from_id_and_name(more: dict[str, Any], kind: str, name: str) -> None:
    event = read(kinds={"C2": "group"}, **more)
    assert (event.conversation, event.channel_name) == (kind, name)


def test_in_an_organisation_the_tenant_is_the_organisation() -> None:
    assert read(is_enterprise_install="true", enterprise_id="E1").address.tenant == "E1"
    assert read(is_enterprise_install="false", enterprise_id="E1").address.tenant == "T1"


@pytest.mark.parametrize("field", ["team_id", "channel_id", "user_id", "trigger_id", "command"])
def test_what_is_missing_is_named(field: str) -> None:
    with pytest.raises(PayloadError, match=f"{field} is missing"):
        read_slash({**slash(), field: None}, "acme", at=5.0)


Values: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.text(max_size=300) | st.just({})


@given(st.dictionaries(st.sampled_from(sorted(slash())), Values))
def test_any_payload_is_an_event_or_an_error_that_says_what_is_wrong(changes: dict[str, Any]) -> None:
    try:
        event = read_slash({**slash(), **changes}, "acme", at=5.0)
    except PayloadError as error:
        said = str(error)
    else:
        said = ""
        assert decode_event(encode(event)) == event
    assert not said or any(field in said for field in (*changes, "enterprise_id", "command"))


async def test_a_command_comes_in_and_is_acknowledged_with_nothing() -> None:
    async with rig() as r:
        bob = r.acme.user("bob")
        used = await r.ann.slash("/Roll 2d20 for @bob in #general & <me>", r.general)
        [event] = await r.got(1)
        assert isinstance(event, SlashCommand)
        assert (event.name, event.text) == ("roll", f"2d20 for <@{bob.id}> in <#{r.general.id}> & <me>")
        assert event.address == r.address()
        assert event.key.endswith(f"/{r.general.id}/{r.ann.id}/{used.event_id}")
        await r.slack.until(lambda: used.accepted)
        assert (used.attempts, used.acks) == (1, 1)


@pytest.mark.parametrize("where", ["direct", "group", "private"])
async def test_commands_come_from_every_kind_of_conversation(where: str) -> None:
    async with rig() as r:
        bob = r.acme.user("bob")
        places = {"direct": r.ann.dm(), "group": r.acme.group(r.ann, bob), "private": r.acme.channel("x", private=True)}
        await r.ann.slash("/roll", places[where])
        [event] = await r.got(1)
        assert event.conversation == ("channel" if where == "private" else where)
        assert event.address.channel == places[where].id


async def test_a_command_that_was_not_taken_is_not_acknowledged_and_does_not_come_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with rig(ack_timeout=0.05) as r:

        async def taking(event: EventBase) -> None:
            raise OSError("disk full")

        r.taking = taking
        used = await r.ann.slash("/roll", r.general)
        await r.slack.until(lambda: used.lost)
        assert (used.attempts, used.acks) == (1, 0)
        assert "whoever used it is told that it failed" in caplog.text


async def test_a_broken_command_is_acknowledged_and_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as r:
        app = r.acme.app
        used = app.command(r.ann, r.general, "", "")
        await r.slack.until(lambda: used.accepted)
        assert r.events == []
        assert "command is missing" in caplog.text or "command must be" in caplog.text
