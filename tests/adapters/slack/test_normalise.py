"""Slack's payloads as events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.payloads import BOT, TS, changed, deleted, joined, mention, message, outer, reaction
from dragoman.address import Address
from dragoman.content import FileRef
from dragoman.event import Deleted, Edited, Event, MemberJoined, Message, Person, Reaction
from dragoman.wire import encode
from dragoman_slack.groups import GROUP_EVENTS
from dragoman_slack.normalise import READERS, SUBSCRIPTIONS, PayloadError, normalise


def read(event: dict[str, Any], **more: Any) -> Event | None:
    return normalise(outer(event, **more), BOT, "acme")


def read_message(event: dict[str, Any], **more: Any) -> Message:
    found = read(event, **more)
    assert isinstance(found, Message)
    return found


def test_a_message_in_a_channel() -> None:
    found = read_message(message("a*b &lt;c&gt; *bold*"))
    assert found.address == Address(account="acme", tenant="T1", channel="C1")
    assert found.key == f"slack/message/acme/T1/C1/{TS}"
    assert found.conversation == "channel"
    assert found.person == Person(id="U1")
    assert found.id == TS
    assert found.occurred == 1355517523.000005
    assert found.content.text == "a\\*b \\<c\\> **bold**"
    assert found.content.plain == "a*b <c> *bold*"
    assert found.request == found.content.plain
    assert not found.addressed


@pytest.mark.parametrize(
    ("channel", "channel_type", "expected"),
    [
        ("C1", "channel", "channel"),
        ("C1", "group", "channel"),
        ("G1", "group", "channel"),
        ("G1", "mpim", "group"),
        ("C1", "mpim", "group"),
        ("D1", "im", "direct"),
    ],
)
def test_the_kind_of_conversation_is_what_slack_says(channel: str, channel_type: str, expected: str) -> None:
    assert read_message(message(channel=channel, channel_type=channel_type)).conversation == expected


def test_where_slack_does_not_say_the_kind_it_is_what_was_seen_before() -> None:
    found = normalise(outer(mention(channel="G1")), BOT, "acme", {"G1": "group"})
    assert found is not None
    assert found.conversation == "group"
    unknown = read(mention(channel="G1"))
    assert unknown is not None
    assert unknown.conversation == "channel"


@pytest.mark.parametrize(
    ("text", "request_text"),
    [
        ("<@UBOT> roll 2d6", "roll 2d6"),
        ("<@UBOT>: roll &lt;2d6&gt;", "roll <2d6>"),
        ("<@UBOT|dragoman>, ask <@U2|bob> in <#C1|general>", "ask <@U2> in <#C1>"),
        ("please <@UBOT> roll", "please roll"),
        ("<@UBOT>", ""),
    ],
)
def test_a_mention_addresses_the_bot_and_is_not_part_of_the_request(text: str, request_text: str) -> None:
    found = read_message(message(text))
    assert found.addressed
    assert found.request == request_text
    assert found.content.plain.count("<@UBOT>") == 1


def test_a_typed_mention_of_the_bot_is_only_text() -> None:
    found = read_message(message("&lt;@UBOT&gt; hi"))
    assert not found.addressed
    assert found.request == "<@UBOT> hi"


def test_a_direct_message_is_addressed_to_the_bot() -> None:
    found = read_message(message(" roll ", channel="D1", channel_type="im"))
    assert found.addressed
    assert found.request == "roll"


@pytest.mark.parametrize(
    "more", [{}, {"thread_ts": "1355517000.000001"}, {"files": [{"id": "F1"}]}, {"user_team": "T2"}]
)
@pytest.mark.parametrize("text", ["<@UBOT> hello *you*", "hi <@UBOT>"])
def test_message_and_app_mention_are_one_event(more: dict[str, Any], text: str) -> None:
    assert read(message(text, **more)) == read(mention(text, **more))


def test_a_reply_has_its_thread_and_its_root_has_none() -> None:
    assert read_message(message(thread_ts="1355517000.000001")).address.thread == "1355517000.000001"
    assert read_message(message(thread_ts=TS)).address.thread is None


def test_files_come_as_references() -> None:
    file = {
        "id": "F1",
        "name": "cat.png",
        "mimetype": "image/png",
        "size": 12,
        "url_private": "https://files.slack.com/F1",
        "url_private_download": "https://files.slack.com/F1/download",
    }
    found = read_message(
        message("", subtype="file_share", files=[file, {"id": "F2", "file_access": "check_file_info"}])
    )
    assert found.content.files == (
        FileRef(
            id="F1",
            name="cat.png",
            media_type="image/png",
            size=12,
            url="https://files.slack.com/F1/download",
        ),
        FileRef(id="F2"),
    )


def test_another_bot_is_a_bot() -> None:
    found = read_message(message(bot_id="B2", bot_profile={"id": "B2", "name": "ci"}))
    assert found.person == Person(id="U1", name="ci", bot=True)
    classic = message("built", subtype="bot_message", bot_id="B2", username="CI")
    del classic["user"]
    assert read_message(classic).person == Person(id="B2", name="CI", bot=True)


def test_the_tenant_is_the_installation_and_the_person_has_their_own() -> None:
    found = read_message(message(user_team="T2", team="T2"), team_id="T2")
    assert found.address.tenant == "T1"
    assert found.person == Person(id="U1", tenant="T2")
    organisation = [{"enterprise_id": "E1", "team_id": "T1", "is_enterprise_install": True}]
    assert read_message(message(), authorizations=organisation).address.tenant == "E1"
    assert read_message(message(), authorizations=[]).address.tenant == "T1"


@pytest.mark.parametrize(
    "event",
    [
        message(user="UBOT"),
        message(bot_id="BBOT", user="U5"),
        message(subtype="bot_message", bot_id="BBOT"),
        message(subtype="channel_topic", topic="t"),
        message(subtype="channel_join"),
        message(subtype="message_replied"),
        message(hidden=True),
        mention(user="UBOT"),
        changed(user="UBOT"),
        changed(bot_id="BBOT"),
        changed(edited={"user": "UBOT", "ts": "1358878755.000000"}),
        deleted(user="UBOT"),
        deleted(bot_id="BBOT"),
        reaction(user="UBOT"),
        reaction(item={"type": "file", "file": "F1"}),
        joined(user="UBOT"),
        {"type": "channel_rename", "channel": {}},
    ],
)
def test_what_the_bot_does_itself_and_what_nobody_says_is_ignored(event: dict[str, Any]) -> None:
    assert read(event) is None


def test_an_edit() -> None:
    found = read(changed(text="<@UBOT> roll *now*"))
    assert isinstance(found, Edited)
    assert found.key == f"slack/edited/acme/T1/C1/{TS}/1358878755.000000"
    assert found.id == TS
    assert found.content.text == "[@UBOT](dragoman:user/UBOT) roll **now**"
    assert (found.request, found.addressed) == ("roll *now*", True)
    assert found.person == Person(id="U1")
    assert found.occurred == 1358878755.0


def test_an_unfurled_link_is_no_edit() -> None:
    never_edited = changed()
    del never_edited["message"]["edited"]
    assert read(never_edited) is None
    edited_before = changed()
    edited_before["previous_message"]["edited"] = dict(edited_before["message"]["edited"])
    assert read(edited_before) is None


def test_a_deletion() -> None:
    found = read(deleted(thread_ts="1355517000.000001"))
    assert isinstance(found, Deleted)
    assert found.key == f"slack/deleted/acme/T1/C1/{TS}/1358878755.000001"
    assert (found.id, found.person) == (TS, None)
    assert found.address.thread == "1355517000.000001"


def test_a_deleted_message_with_replies_is_deleted_too() -> None:
    event = changed(subtype="tombstone", text="This message was deleted.", user="USLACKBOT")
    found = read(event)
    assert isinstance(found, Deleted)
    assert found.id == TS
    event["previous_message"]["user"] = "UBOT"
    assert read(event) is None


def test_reactions() -> None:
    added, removed = read(reaction()), read(reaction("reaction_removed"))
    assert isinstance(added, Reaction)
    assert isinstance(removed, Reaction)
    assert (added.id, added.emoji, added.added, removed.added) == (TS, "thumbsup", True, False)
    assert added.key == f"slack/reaction/acme/T1/C1/{TS}/U1/thumbsup/added/1360782804.083113"
    assert added.person == Person(id="U1")
    assert added.occurred == 1360782804.083113
    mpim = read(reaction(item={"type": "message", "channel": "C1", "ts": TS, "channel_type": "mpim"}))
    assert mpim is not None
    assert mpim.conversation == "group"


def test_somebody_joins() -> None:
    found = read(joined())
    assert isinstance(found, MemberJoined)
    assert found.invited_by == "U9"
    assert found.key == "slack/member_joined/acme/T1/C1/U1/1360782804.083113"
    bare = joined()
    del bare["event_ts"], bare["inviter"]
    without = read(bare)
    assert isinstance(without, MemberJoined)
    assert without.key == "slack/member_joined/acme/T1/C1/U1/Ev1"
    assert (without.invited_by, without.occurred) == (None, 1355517523.0)


@pytest.mark.parametrize("make", [message, mention, changed, deleted, reaction, joined])
@given(data=st.data())
def test_a_broken_payload_is_named_and_nothing_else_is_raised(make: Any, data: st.DataObject) -> None:
    payload = outer(make())
    places = list(_places(payload))
    parent, name, path = data.draw(st.sampled_from(places))
    junk = data.draw(st.sampled_from([None, "", 7, 1.5, True, [], [1], {}, {"x": 1}, "not a ts", "\ud800"]))
    if junk is None:
        del parent[name]
    else:
        parent[name] = junk
    blamed = ""
    try:
        found = normalise(payload, BOT, "acme")
    except PayloadError as error:
        blamed = error.field
    else:
        assert found is None or encode(found)
    assert not blamed or path.split(".")[0] == blamed.split(".")[0]


def _places(value: Any, path: str = "") -> Any:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, child in list(pairs):
        yield value, name, f"{path}.{name}".strip(".")
        if isinstance(child, dict | list):
            yield from _places(child, f"{path}.{name}")


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (message(ts=None), "event.ts"),
        (message(ts="soon"), "event.ts"),
        (message(user=None), "event.user"),
        ({**message(), "text": 7}, "event.text"),
        (message(channel=""), "event.channel"),
        (message(files=[{"name": "x"}]), "event.files.0.id"),
        (message(files="F1"), "event.files"),
        (changed(edited={"user": "U1"}), "event.message.edited.ts"),
        (reaction(item=None), "event.item"),
        (joined(user=None), "event.user"),
        ({}, "event.type"),
    ],
)
def test_the_error_names_the_field(event: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError) as caught:
        read(event)
    assert caught.value.field == field


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
STAMPS = st.from_regex(r"[1-9][0-9]{0,9}\.[0-9]{6}", fullmatch=True)


@st.composite
def occurrences(draw: st.DrawFn) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What happened, as a tuple that tells it from everything else; and its payload."""
    kind = draw(st.sampled_from(["message", "edited", "deleted", "reaction_added", "reaction_removed", "joined"]))
    channel, user, ts, other = draw(IDS), draw(IDS), draw(STAMPS), draw(STAMPS)
    match kind:
        case "message":
            return (kind, channel, ts), message(channel=channel, ts=ts)
        case "edited":
            event = changed(ts=ts, edited={"user": "U1", "ts": other})
            return (kind, channel, ts, other), {**event, "channel": channel}
        case "deleted":
            event = {**deleted(), "channel": channel, "deleted_ts": ts, "event_ts": other}
            return (kind, channel, ts, other), event
        case "joined":
            return (kind, channel, user, ts), joined(channel=channel, user=user, event_ts=ts)
    emoji = draw(IDS)
    item = {"type": "message", "channel": channel, "ts": ts}
    event = reaction(kind, item=item, user=user, reaction=emoji, event_ts=other)
    return (kind, channel, ts, user, emoji, other), event


@given(occurrences(), occurrences())
def test_different_things_never_share_a_key_and_one_thing_always_does(
    one: tuple[tuple[Any, ...], dict[str, Any]], two: tuple[tuple[Any, ...], dict[str, Any]]
) -> None:
    first, again, second = read(one[1]), read(one[1], event_id="Ev2"), read(two[1])
    if first is None or second is None or again is None:
        return
    assert first.key == again.key
    assert (first.key == second.key) == (one[0] == two[0])


def test_every_subscribed_event_has_a_reader_and_no_other() -> None:
    assert {kind for kind, _ in SUBSCRIPTIONS.values()} == set(READERS) | GROUP_EVENTS
