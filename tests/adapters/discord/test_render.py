"""Actions as calls of Discord's REST API."""

from typing import Any

import pytest

from adapters.discord import payloads as p
from dragoman import (
    Address,
    Content,
    Delete,
    DeliveryError,
    Edit,
    FileRef,
    LookUp,
    React,
    Send,
    Target,
    Typing,
    action_key,
)
from dragoman_discord.render import Call, calls, event_of, lookup, nonce, response, start_thread

HERE = Address(account="acme", tenant=p.GUILD, channel=p.GENERAL)
EVENT = f"discord/message/acme/{p.GUILD}/{p.GENERAL}/{p.SNOWFLAKE}"


def send(text: str = "hi", key: str = "k", **more: Any) -> Send:
    return Send(key=key, address=more.pop("address", HERE), content=Content(text=text), **more)


def body(call: Call) -> dict[str, Any]:
    assert isinstance(call.body, dict)
    return call.body


def test_a_send_posts_a_message_that_calls_nobody() -> None:
    [call] = calls(send("**hi** @everyone"))
    assert call.shown() == {
        "method": "POST",
        "path": "/channels/200/messages",
        "json": {
            "content": "**hi** @\u200beveryone",
            "allowed_mentions": {"parse": [], "users": [], "roles": [], "replied_user": False},
            "flags": 4,
            "nonce": nonce("k", 1),
            "enforce_nonce": True,
        },
    }


def test_previews_of_links_are_shown_if_wished() -> None:
    [call] = calls(send("https://a.b"), unfurl=True)
    assert "flags" not in body(call)


def test_a_long_text_is_several_messages_each_with_a_nonce_of_its_own() -> None:
    parts = calls(send("word " * 900))
    assert [call.part for call in parts] == [1, 2, 3]
    nonces = [body(call)["nonce"] for call in parts]
    assert len(set(nonces)) == 3
    assert all(0 < len(each) <= 25 for each in nonces)
    assert nonces == [body(call)["nonce"] for call in calls(send("word " * 900))]
    assert nonces[0] != body(calls(send("word", key="other"))[0])["nonce"]


def test_in_a_thread_it_is_posted_to_the_thread() -> None:
    [call] = calls(send(address=HERE.in_thread(p.THREAD)))
    assert call.ids == {"channel_id": p.THREAD}


def test_the_first_answer_to_a_message_is_a_reply_to_it() -> None:
    first, second = calls(send("word " * 450, key=action_key(EVENT, "x.y", 0)))
    assert body(first)["message_reference"] == {"message_id": p.SNOWFLAKE, "fail_if_not_exists": False}
    assert "message_reference" not in body(second)
    [later] = calls(send(key=action_key(EVENT, "x.y", 1), ordinal=1))
    [elsewhere] = calls(send(key=action_key(EVENT, "x.y", 0), address=HERE.in_thread(p.THREAD)))
    [unwished] = calls(send(key=action_key(EVENT, "x.y", 0)), replies=False)
    [slash] = calls(send(key=action_key(EVENT.replace("message", "slash"), "x.y", 0)))
    assert all("message_reference" not in body(call) for call in (later, elsewhere, unwished, slash))


def test_an_edit_replaces_the_first_message_and_adds_what_does_not_fit() -> None:
    edit = Edit(key="k", address=HERE, target=Target(id="7"), content=Content(text="word " * 450))
    first, second = calls(edit)
    assert (first.method, first.shown()["path"], first.part) == ("PATCH", "/channels/200/messages/7", 0)
    assert "nonce" not in body(first)
    assert (second.method, second.part, body(second)["nonce"]) == ("POST", 2, nonce("k", 2))


def test_an_edit_to_nothing_is_not_empty() -> None:
    [call] = calls(Edit(key="k", address=HERE, target=Target(id="7"), content=Content()))
    assert body(call) == {"content": "\u200b"}


def test_a_deletion() -> None:
    [call] = calls(Delete(key="k", address=HERE, target=Target(id="7")))
    assert call.shown() == {"method": "DELETE", "path": "/channels/200/messages/7"}


@pytest.mark.parametrize(
    ("emoji", "path"),
    [
        ("one", "1%EF%B8%8F%E2%83%A3"),
        (":+1:", "%F0%9F%91%8D"),
        ("wave::skin-tone-4", "%F0%9F%91%8B%F0%9F%8F%BD"),
        ("party", "party%3A500"),
        ("dance", "dance%3A501"),
        ("👀", "%F0%9F%91%80"),
        ("unknown", "unknown"),
    ],
)
def test_a_reaction(emoji: str, path: str) -> None:
    own = {"party": "party:500", "dance": "a:dance:501"}
    react = React(key="k", address=HERE, target=Target(id="7"), emoji=emoji)
    [call] = calls(react, emoji=own)
    assert call.shown() == {"method": "PUT", "path": f"/channels/200/messages/7/reactions/{path}/@me"}
    [away] = calls(react.model_copy(update={"remove": True}), emoji=own)
    assert away.method == "DELETE"


def test_typing_begins_and_ends_by_itself() -> None:
    [call] = calls(Typing(key="k", address=HERE))
    assert call.shown() == {"method": "POST", "path": "/channels/200/typing"}
    assert calls(Typing(key="k", address=HERE, status="")) == ()


def test_an_empty_text_is_no_call() -> None:
    assert calls(send("")) == ()


def test_files_are_links_below_the_text() -> None:
    content = Content(text="See", files=(FileRef(id="1", name="a_b.png", url="https://x.y/a b"), FileRef(id="2")))
    [call] = calls(Send(key="k", address=HERE, content=content))
    assert body(call)["content"] == "See\n\n[a_b.png](<https://x.y/a%20b>)\n2"


def test_what_discord_cannot_do_is_refused() -> None:
    with pytest.raises(DeliveryError, match="look_up"):
        calls(LookUp(key="k", address=HERE))
    with pytest.raises(DeliveryError, match="never sent"):
        calls(Delete(key="k", address=HERE, target=Target(key="other")))


def test_the_event_that_an_action_answers_is_in_its_key() -> None:
    key = "discord/slash/acme/100/200/5"
    assert event_of(send(key=action_key(key, "x.y", 0))) == (key, ("discord", "slash", "acme", "100", "200", "5"))
    assert event_of(send(key="free")) == event_of(send(key="slack/message/a|x|0")) == ("", ())


def test_a_thread_is_named_after_what_is_said_in_it() -> None:
    call = start_thread(send("**Build** 7 failed!", address=HERE.in_thread("77")))
    assert call.shown() == {
        "method": "POST",
        "path": "/channels/200/messages/77/threads",
        "json": {"name": "Build 7 failed"},
    }
    assert start_thread(send("!", address=HERE.in_thread("77"))).body == {"name": "Thread"}
    long = start_thread(send("w" * 300, address=HERE.in_thread("77"))).body
    assert long == {"name": "w" * 100}


def test_an_interactions_answer_has_no_nonce_and_is_no_reply() -> None:
    [call] = calls(send(key=action_key(EVENT, "x.y", 0)))
    assert response(body(call)).keys() == {"content", "allowed_mentions", "flags"}


def test_what_was_posted_is_looked_for_from_the_actions_first_hop_on() -> None:
    action = send(hops=(("gateway", p.AT + 60),))
    call = lookup(action)
    assert call.ids == {"channel_id": p.GENERAL}
    assert int(call.query["after"]) >> 22 == int(p.SNOWFLAKE) >> 22
    assert lookup(action, after="9").query["after"] == "9"
    assert "after" not in lookup(send()).query
