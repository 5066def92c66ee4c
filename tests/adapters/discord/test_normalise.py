"""Discord's events as Dragoman's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import payloads as p
from dragoman import Address, Deleted, Edited, Event, FileRef, MemberJoined, Message, Person, PersonChanged, Reaction
from dragoman.wire import decode_event, encode
from dragoman_discord.normalise import INTENTS, READERS, normalise
from dragoman_discord.payload import PayloadError
from dragoman_discord.places import Places


def read(kind: str, data: dict[str, Any], *, sequence: int = 7, session: str = "s") -> tuple[Event, ...]:
    payload = p.dispatch(kind, data, sequence)
    return normalise(payload, p.IDENTITY, "acme", p.places(), session=session, now=5.0)


def said(content: str, **more: Any) -> Message:
    [event] = read("MESSAGE_CREATE", p.message(content, **more))
    assert isinstance(event, Message)
    return event


# Messages


def test_a_message_in_a_channel() -> None:
    event = said("**hello** <@21>", mentions=[p.user("21", "bob")])
    assert event == Message(
        key=f"discord/message/acme/100/200/{p.SNOWFLAKE}",
        address=Address(account="acme", tenant="100", channel="200"),
        channel_name="general",
        conversation="channel",
        person=Person(id="20", name="Ann"),
        occurred=p.AT,
        id=p.SNOWFLAKE,
        content=event.content,
        request="**hello** <@21>",
    )
    assert event.content.text == "**hello** [@Bob](dragoman:user/21)"
    assert event.content.plain == "**hello** <@21>"
    assert decode_event(encode(event)) == event


def test_a_message_in_a_thread_is_in_its_parent_channel() -> None:
    event = said("hello", channel_id=p.THREAD)
    assert event.address == Address(account="acme", tenant="100", channel="200", thread="300")
    assert event.channel_name == "general"
    assert event.key == f"discord/message/acme/100/300/{p.SNOWFLAKE}"


def test_the_key_of_a_message_does_not_depend_on_what_is_known_of_its_channel() -> None:
    payload = p.dispatch("MESSAGE_CREATE", p.message(channel_id=p.THREAD))
    [unknown] = normalise(payload, p.IDENTITY, "acme")
    assert unknown.key == said("hello", channel_id=p.THREAD).key
    assert unknown.address.thread is None


def test_a_direct_message_is_said_to_the_bot() -> None:
    [event] = read("MESSAGE_CREATE", p.direct("roll"))
    assert isinstance(event, Message)
    assert (event.address.tenant, event.conversation, event.addressed, event.request) == ("@me", "direct", True, "roll")
    assert event.channel_name == ""


@pytest.mark.parametrize(
    ("content", "request_"),
    [
        ("<@10> roll 2d6", "roll 2d6"),
        ("<@!10>: roll 2d6", "roll 2d6"),
        ("<@&403>, roll 2d6", "roll 2d6"),
        ("roll 2d6 <@10>", "roll 2d6"),
        ("<@10>", ""),
    ],
)
def test_a_mention_of_the_bot_or_of_its_role_addresses_it(content: str, request_: str) -> None:
    event = said(content)
    assert (event.addressed, event.request) == (True, request_)


@pytest.mark.parametrize("content", ["roll 2d6", "<@20> roll", "<@&404> roll", "\\@dragoman roll", "<@100>"])
def test_what_does_not_mention_the_bot_is_not_addressed_to_it(content: str) -> None:
    assert not said(content).addressed


def test_a_reply_to_what_the_bot_said_is_addressed_to_it() -> None:
    ours, theirs = p.message(author=p.user(p.BOT, "dragoman")), p.message()
    assert said("thanks", type=19, referenced_message=ours).addressed
    assert not said("thanks", type=19, referenced_message=theirs).addressed
    assert not said("thanks", type=19, referenced_message=None).addressed
    assert not said("look", referenced_message=ours, message_reference={"type": 1, "message_id": "1"}).addressed


def test_a_reply_tells_what_it_answers() -> None:
    reference = {"type": 0, "message_id": "77", "channel_id": "1"}
    assert said("thanks", type=19, message_reference=reference).replies_to == "77"
    for more in ({"message_reference": reference}, {"type": 19}, {"type": 19, "message_reference": {"type": 0}}):
        assert said("thanks", **more).replies_to is None


def test_a_nickname_comes_before_a_display_name_and_that_before_a_user_name() -> None:
    assert said("x", member=p.member(nick="Annie")).person == Person(id="20", name="Annie")
    assert said("x", author=p.user(global_name=None)).person == Person(id="20", name="ann")


@pytest.mark.parametrize("more", [{"author": p.user("30", "bot", bot=True)}, {"webhook_id": "31"}])
def test_programs_are_known_as_such(more: dict[str, Any]) -> None:
    person = said("x", **more).person
    assert person is not None
    assert person.bot


@pytest.mark.parametrize(
    "more",
    [{"author": p.user(p.BOT, "dragoman", bot=True)}, {"type": 7}, {"type": 6}, {"type": 21}, {"type": None}],
    ids=["ourselves", "joined", "pinned", "thread starter", "untyped"],
)
def test_our_own_words_and_discords_notices_are_no_events(more: dict[str, Any]) -> None:
    assert read("MESSAGE_CREATE", p.message(**more)) == ()


def test_attachments_are_files() -> None:
    file = {
        "id": "700",
        "filename": "a.png",
        "content_type": "image/png",
        "size": 12,
        "url": "https://cdn.discordapp.com/a.png",
        "proxy_url": "",
    }
    event = said("", attachments=[file, {"id": "701", "filename": "b"}])
    assert event.content.files == (
        FileRef(id="700", name="a.png", media_type="image/png", size=12, url="https://cdn.discordapp.com/a.png"),
        FileRef(id="701", name="b"),
    )
    assert event.content.text == ""


def test_emoji_are_shortcodes() -> None:
    event = said("👋 <:party:500> <a:dance:501> ❤️")
    assert event.content.plain == ":wave: :party: :dance: :heart:"
    assert event.content.text == (
        ":wave: [:party:](dragoman:emoji/party:500) [:dance:](dragoman:emoji/a:dance:501) :heart:"
    )


# Edits and deletions


def test_an_edit_has_the_new_content_and_a_key_of_its_own() -> None:
    when = "2016-04-30T11:20:00.500000+00:00"
    [event] = read("MESSAGE_UPDATE", p.message("<@10> roll", edited_timestamp=when))
    assert isinstance(event, Edited)
    assert (event.content.plain, event.request, event.addressed) == ("<@10> roll", "roll", True)
    assert event.key.startswith(f"discord/edited/acme/100/200/{p.SNOWFLAKE}/2016-04-30T11%3A20")
    assert event.occurred == pytest.approx(1462015200.5)


@pytest.mark.parametrize("more", [{}, {"author": None, "edited_timestamp": "2016-04-30T11:20:00+00:00"}])
def test_an_update_that_is_no_edit_is_none(more: dict[str, Any]) -> None:
    assert read("MESSAGE_UPDATE", p.message(**more)) == ()


def test_a_deletion() -> None:
    [event] = read("MESSAGE_DELETE", {"id": "1", "channel_id": "300", "guild_id": "100"})
    assert event == Deleted(
        key="discord/deleted/acme/100/300/1",
        address=Address(account="acme", tenant="100", channel="200", thread="300"),
        channel_name="general",
        conversation="channel",
        occurred=5.0,
        id="1",
    )


def test_many_deletions_at_once_are_many_events() -> None:
    events = read("MESSAGE_DELETE_BULK", {"ids": ["1", "2"], "channel_id": "200", "guild_id": "100"})
    assert [event.key for event in events] == ["discord/deleted/acme/100/200/1", "discord/deleted/acme/100/200/2"]


# Reactions and people


def reaction(**more: Any) -> dict[str, Any]:
    emoji = {"id": None, "name": "1️⃣"}
    return {"user_id": "20", "channel_id": "200", "message_id": "1", "guild_id": "100", "emoji": emoji, **more}


def test_a_reaction_has_the_shortcode() -> None:
    [event] = read("MESSAGE_REACTION_ADD", reaction(member={**p.member(nick="Annie"), "user": p.user()}))
    assert isinstance(event, Reaction)
    assert (event.emoji, event.added, event.id) == ("one", True, "1")
    assert event.person == Person(id="20", name="Annie")


def test_a_guilds_own_emoji_has_its_name_and_one_that_is_gone_its_id() -> None:
    [own] = read("MESSAGE_REACTION_ADD", reaction(emoji={"id": "500", "name": "party"}))
    [gone] = read("MESSAGE_REACTION_REMOVE", reaction(emoji={"id": "500", "name": None}))
    assert isinstance(own, Reaction)
    assert isinstance(gone, Reaction)
    assert (own.emoji, gone.emoji, gone.added) == ("party", "500", False)


def test_a_reaction_again_is_another_one_and_one_that_is_repeated_is_not() -> None:
    [first] = read("MESSAGE_REACTION_ADD", reaction(), sequence=7)
    [again] = read("MESSAGE_REACTION_ADD", reaction(), sequence=9)
    [later] = read("MESSAGE_REACTION_ADD", reaction(), sequence=7, session="other")
    [repeated] = read("MESSAGE_REACTION_ADD", reaction(), sequence=7)
    assert len({first.key, again.key, later.key}) == 3
    assert repeated.key == first.key


def test_our_own_reactions_are_no_events() -> None:
    assert read("MESSAGE_REACTION_ADD", reaction(user_id=p.BOT)) == ()


def test_who_joins_a_guild_joins_the_channel_where_discord_says_so() -> None:
    data = {**p.member(roles=["404"]), "user": p.user(), "guild_id": "100"}
    [event] = read("GUILD_MEMBER_ADD", data)
    assert isinstance(event, MemberJoined)
    assert event.address == Address(account="acme", tenant="100", channel="200")
    assert event.channel_name == "general"
    assert event.person == Person(id="20", name="Ann", roles=("member", "ops"))
    [elsewhere] = normalise(p.dispatch("GUILD_MEMBER_ADD", data), p.IDENTITY, "acme")
    assert (elsewhere.address.channel, elsewhere.conversation) == ("@20", "direct")


def test_who_changes_is_complete() -> None:
    data = {**p.member(nick="Annie", roles=["401", "402"]), "user": p.user(), "guild_id": "100"}
    [event] = read("GUILD_MEMBER_UPDATE", data)
    assert isinstance(event, PersonChanged)
    assert event.person == Person(id="20", name="Annie", roles=("admin", "member", "bosses"))
    assert event.address.channel == "@20"


def test_a_role_that_is_called_admin_makes_nobody_one() -> None:
    data = {**p.member(roles=["402"]), "user": p.user(), "guild_id": "100"}
    [event] = read("GUILD_MEMBER_UPDATE", data)
    assert event.person is not None
    assert event.person.roles == ("member",)


def test_the_owner_is_an_admin() -> None:
    data = {**p.member(), "user": p.user(p.BOB, "bob"), "guild_id": "100"}
    [event] = read("GUILD_MEMBER_UPDATE", data)
    assert event.person is not None
    assert event.person.roles == ("owner", "admin", "member")


# Everything else


@pytest.mark.parametrize("kind", ["TYPING_START", "PRESENCE_UPDATE", "GUILD_CREATE", "SOMETHING_NEW"])
def test_what_we_do_not_read_is_no_event(kind: str) -> None:
    assert read(kind, {"id": "1"}) == ()


def test_every_kind_that_is_read_is_asked_for() -> None:
    # Interactions come without an intent: https://docs.discord.com/developers/events/gateway#list-of-intents
    needs = {
        "MESSAGE_CREATE": "guild_messages",
        "MESSAGE_UPDATE": "guild_messages",
        "MESSAGE_DELETE": "guild_messages",
        "MESSAGE_DELETE_BULK": "guild_messages",
        "MESSAGE_REACTION_ADD": "guild_reactions",
        "MESSAGE_REACTION_REMOVE": "guild_reactions",
        "GUILD_MEMBER_ADD": "members",
        "GUILD_MEMBER_UPDATE": "members",
    }
    assert needs.keys() == READERS.keys() - {"INTERACTION_CREATE"}
    assert set(needs.values()) <= INTENTS.keys()


def test_the_intents_are_those_of_the_sdk() -> None:
    from discord import Intents

    assert {name: getattr(Intents, name).flag for name in INTENTS} == dict(INTENTS)


@pytest.mark.parametrize("field", ["id", "channel_id", "author"])
def test_what_is_missing_is_named(field: str) -> None:
    with pytest.raises(PayloadError, match=f"d.{field} is missing"):
        read("MESSAGE_CREATE", {**p.message(), field: None})


Leaf: st.SearchStrategy[Any] = (
    st.sampled_from([None, True, 0, -1, 1.5, "", "1", "x", "\ud800", "9" * 25, "2020-01-01T00:00:00Z", "<@1> \\_"])
    | st.integers()
    | st.text(st.sampled_from("ab1\x00é\ud800<@>:/%"), max_size=10)
)
Json = Leaf | st.lists(Leaf, max_size=2) | st.dictionaries(st.sampled_from(["id", "name", "user"]), Leaf, max_size=2)


DATA = {
    "MESSAGE_CREATE": p.message(mentions=[p.user()], attachments=[{"id": "1"}], referenced_message=p.message()),
    "MESSAGE_UPDATE": p.message(edited_timestamp="2016-04-30T11:20:00+00:00"),
    "MESSAGE_DELETE": {"id": "1", "channel_id": "300", "guild_id": "100"},
    "MESSAGE_DELETE_BULK": {"ids": ["1", "2"], "channel_id": "200", "guild_id": "100"},
    "MESSAGE_REACTION_ADD": reaction(member={"user": p.user()}),
    "GUILD_MEMBER_ADD": {**p.member(roles=["404"]), "user": p.user(), "guild_id": "100"},
    "GUILD_MEMBER_UPDATE": {**p.member(roles=["404"]), "user": p.user(), "guild_id": "100"},
    "INTERACTION_CREATE": p.interaction(options=[{"name": "a", "type": 6, "value": "20"}]),
    "GUILD_CREATE": p.guild(),
    "CHANNEL_UPDATE": p.guild()["channels"][0],
    "GUILD_ROLE_UPDATE": {"guild_id": "100", "role": p.guild()["roles"][1]},
}


def attempt(payload: dict[str, Any], places: Places) -> tuple[tuple[Event, ...], str | None]:
    """The events, or which field is wrong."""
    try:
        return normalise(payload, p.IDENTITY, "acme", places), None
    except PayloadError as error:
        return (), error.field


@given(st.data())
def test_any_payload_is_events_or_an_error_that_says_what_is_wrong(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(DATA)))
    changes = data.draw(st.dictionaries(st.sampled_from(sorted(DATA[kind])), Json, max_size=3))
    payload = p.dispatch(kind, {**DATA[kind], **changes})
    places = p.places()
    places.tell(kind, payload["d"])
    events, said = attempt(payload, places)
    assert said is None or said
    for event in events:
        assert decode_event(encode(event)) == event


@given(st.dictionaries(st.sampled_from(["op", "t", "s", "d"]), Json))
def test_any_garbage_is_no_crash(payload: dict[str, Any]) -> None:
    events, said = attempt(payload, Places())
    assert events == ()
    assert said in (None, "t", "d")
