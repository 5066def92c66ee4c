"""Actions as API calls."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.action import ActionBase, Delete, Edit, React, Send, Target, Typing
from dragoman.address import Address
from dragoman.content import Content, FileRef
from dragoman.errors import DeliveryError
from dragoman_slack.render import Call, calls, file_name, lookup

CHANNEL = Address(account="acme", tenant="T1", channel="C1")
THREAD = CHANNEL.in_thread("1.000001")
ID = Target(id="2.000002")


def send(text: str, where: Address = CHANNEL, **more: Any) -> Send:
    return Send(key="k", address=where, content=Content(text=text), **more)


EVERY_ACTION: list[ActionBase] = [
    send("hi"),
    send("hi", THREAD),
    send("word " * 3000),
    Send(key="k", address=THREAD, content=Content(text="see", files=(FileRef(id="x", name="a.txt", blob="0" * 64),))),
    Edit(key="k", address=CHANNEL, target=ID, content=Content(text="new")),
    Edit(key="k", address=THREAD, target=ID, content=Content(text="word " * 3000)),
    Delete(key="k", address=CHANNEL, target=ID),
    React(key="k", address=CHANNEL, target=ID, emoji="wave"),
    React(key="k", address=CHANNEL, target=ID, emoji="wave", remove=True),
    Typing(key="k", address=THREAD),
]


def test_a_message_carries_the_key_of_its_action() -> None:
    (call,) = calls(send("**hi** <you>"))
    assert call == Call(
        "chat.postMessage",
        {
            "channel": "C1",
            "text": "*hi* &lt;you&gt;",
            "mrkdwn": True,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {
                "event_type": "dragoman_action",
                "event_payload": {"key": "k", "part": 1, "parts": 1},
            },
        },
        part=1,
    )


def test_a_reply_goes_into_its_thread() -> None:
    (call,) = calls(send("hi", THREAD), unfurl=True)
    assert call.arguments["thread_ts"] == "1.000001"
    assert call.arguments["unfurl_links"] is True


def test_a_long_text_is_several_messages_that_know_their_place() -> None:
    found = calls(send("word " * 3000))
    assert [call.part for call in found] == [1, 2, 3, 4]
    payloads = [call.arguments["metadata"]["event_payload"] for call in found]
    assert payloads == [{"key": "k", "part": n, "parts": 4} for n in (1, 2, 3, 4)]


def test_a_text_without_anything_to_say_is_not_sent() -> None:
    assert calls(send(" \n")) == ()


def test_files_are_linked_below_the_text() -> None:
    content = Content(text="see", files=(FileRef(id="F1", name="a_b [1].txt", url="https://x.org/f"), FileRef(id="F2")))
    (call,) = calls(Send(key="k", address=CHANNEL, content=content))
    assert call.arguments["text"] == "see\n\n<https://x.org/f|a_b [1].txt>\nF2"


def test_files_that_are_kept_follow_the_text_in_one_message() -> None:
    kept = (FileRef(id="x", name='../a/pie "1".png', blob="0" * 64, size=7), FileRef(id="y", name="b\n", blob="1" * 64))
    content = Content(text="see", files=(*kept, FileRef(id="F2", name="c.txt")))
    post, first, second, share = calls(Send(key="k", address=THREAD, content=content))
    assert (post.arguments["text"], post.part) == ("see\n\nc.txt", 1)
    assert first == Call("files.getUploadURLExternal", {"filename": 'pie "1".png', "length": 7}, files=kept[:1])
    assert second == Call("files.getUploadURLExternal", {"filename": "b"}, files=kept[1:])
    arguments = {"files": [{"title": 'pie "1".png'}, {"title": "b"}], "channel_id": "C1", "thread_ts": "1.000001"}
    assert share == Call("files.completeUploadExternal", arguments, part=2, files=kept)


def test_files_alone_are_one_message_and_an_edit_adds_them() -> None:
    content = Content(files=(FileRef(id="x", name="a.txt", blob="0" * 64),))
    assert [(call.method, call.part) for call in calls(Send(key="k", address=CHANNEL, content=content))] == [
        ("files.getUploadURLExternal", 0),
        ("files.completeUploadExternal", 1),
    ]
    edit = Edit(key="k", address=CHANNEL, target=ID, content=content.model_copy(update={"text": "new"}))
    assert [(call.method, call.part) for call in calls(edit)] == [
        ("chat.update", 0),
        ("files.getUploadURLExternal", 0),
        ("files.completeUploadExternal", 2),
    ]


@given(st.text())
def test_the_name_of_a_file_is_one_line_without_folders(name: str) -> None:
    found = file_name(FileRef(id="F1", name=name))
    assert found
    assert found.isprintable()
    assert "/" not in found
    assert "\\" not in found
    assert name != found or file_name(FileRef(id="F1", name=f"a/{name}")) == name


def test_an_edit_that_does_not_fit_goes_on_in_new_messages() -> None:
    found = calls(Edit(key="k", address=THREAD, target=ID, content=Content(text="word " * 2000)))
    assert [call.method for call in found] == ["chat.update", "chat.postMessage", "chat.postMessage"]
    assert found[0].arguments["ts"] == "2.000002"
    assert [call.part for call in found] == [0, 2, 3]
    assert found[1].arguments["thread_ts"] == "1.000001"


def test_deleting_and_reacting() -> None:
    assert calls(Delete(key="k", address=CHANNEL, target=ID)) == (
        Call("chat.delete", {"channel": "C1", "ts": "2.000002"}),
    )
    arguments = {"channel": "C1", "timestamp": "2.000002", "name": "wave"}
    assert calls(React(key="k", address=CHANNEL, target=ID, emoji=":wave:")) == (Call("reactions.add", arguments),)
    assert calls(React(key="k", address=CHANNEL, target=ID, emoji="wave", remove=True)) == (
        Call("reactions.remove", arguments),
    )


def test_typing_shows_in_threads_only() -> None:
    assert calls(Typing(key="k", address=CHANNEL)) == ()
    (call,) = calls(Typing(key="k", address=THREAD, status="thinks"))
    assert call.arguments == {"channel_id": "C1", "thread_ts": "1.000001", "status": "thinks"}


def test_an_action_that_slack_does_not_have_is_refused() -> None:
    with pytest.raises(DeliveryError, match="cannot perform"):
        calls(ActionBase(kind="dance", key="k", address=CHANNEL))
    with pytest.raises(DeliveryError, match="never sent"):
        calls(Delete(key="k", address=CHANNEL, target=Target(key="other")))


def test_what_was_sent_is_looked_up_where_it_went() -> None:
    found = lookup(send("hi", hops=(("slack", 1000.0), ("gateway", 1001.0))))
    assert found.method == "conversations.history"
    assert found.arguments == {
        "channel": "C1",
        "limit": 200,
        "include_all_metadata": True,
        "oldest": "940.000000",
    }
    replies = lookup(send("hi", THREAD))
    assert replies.method == "conversations.replies"
    assert replies.arguments["ts"] == "1.000001"
    assert "oldest" not in replies.arguments


#: Arguments and methods newer than Slack's published specification of 2021, with the page that has them.
DOCS = "https://docs.slack.dev/reference/methods/"
NEWER = {
    ("chat.postMessage", "metadata"): f"{DOCS}chat.postMessage",
    ("conversations.history", "include_all_metadata"): f"{DOCS}conversations.history",
    ("conversations.replies", "include_all_metadata"): f"{DOCS}conversations.replies",
    ("files.getUploadURLExternal", "filename"): f"{DOCS}files.getUploadURLExternal",
    ("files.getUploadURLExternal", "length"): f"{DOCS}files.getUploadURLExternal",
    ("files.completeUploadExternal", "files"): f"{DOCS}files.completeUploadExternal",
    ("files.completeUploadExternal", "channel_id"): f"{DOCS}files.completeUploadExternal",
    ("files.completeUploadExternal", "thread_ts"): f"{DOCS}files.completeUploadExternal",
    ("assistant.threads.setStatus", "channel_id"): f"{DOCS}assistant.threads.setStatus",
    ("assistant.threads.setStatus", "thread_ts"): f"{DOCS}assistant.threads.setStatus",
    ("assistant.threads.setStatus", "status"): f"{DOCS}assistant.threads.setStatus",
}


def published() -> dict[str, Any]:
    folder = os.environ.get("DRAGOMAN_API_SPECS")
    if folder is None:
        if os.environ.get("CI") == "true":
            pytest.fail("set DRAGOMAN_API_SPECS to the folder with slack-web-openapi-v2.json")
        pytest.skip("DRAGOMAN_API_SPECS is not set: no published specification to hold the calls against")
    loaded: dict[str, Any] = json.loads((Path(folder) / "slack-web-openapi-v2.json").read_text())
    return loaded


def test_every_argument_is_in_slacks_published_specification() -> None:
    paths = published()["paths"]
    for action in EVERY_ACTION:
        for call in (*calls(action), lookup(action)):
            operations = paths.get(f"/{call.method}", {})
            known = {parameter["name"] for found in operations.values() for parameter in found["parameters"]}
            unknown = {name for name in call.arguments if name not in known}
            assert {(call.method, name) for name in unknown} <= set(NEWER)
