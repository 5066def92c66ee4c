"""The Web API refuses what Slack refuses, with Slack's own codes."""

from typing import Any

import pytest

from adapters.slack.spec_rig import Rig, refused, rig


async def _post(r: Rig, method: str, **options: Any) -> dict[str, Any]:
    async with r.session.post(r.slack.url + method, **options) as answer:
        body: dict[str, Any] = await answer.json()
        return body


async def test_a_bot_can_ask_who_it_is() -> None:
    async with rig() as r:
        answer = await r.web.auth_test()
        assert answer["user_id"] == r.app.user_id
        assert answer["bot_id"] == r.app.bot_id
        assert answer["team_id"] == r.acme.id
        assert answer.headers["X-OAuth-Scopes"] == ",".join(sorted(r.app.scopes))
        accepted = (await r.web.users_list()).headers["X-Accepted-OAuth-Scopes"]
        assert accepted == "users:read"


async def test_a_token_must_be_given_and_right_and_of_the_right_kind() -> None:
    async with rig() as r:
        assert (await _post(r, "auth.test"))["error"] == "not_authed"
        assert (await refused(r.client("xoxb-wrong").auth_test()))["error"] == "invalid_auth"
        assert (await refused(r.client(r.app.app_token).auth_test()))["error"] == "not_allowed_token_type"
        wrong = r.web.apps_connections_open(app_token=r.app.bot_token)
        assert (await refused(wrong))["error"] == "not_allowed_token_type"
        r.app.uninstalled = True
        assert (await refused(r.web.auth_test()))["error"] == "account_inactive"


async def test_a_token_may_come_as_an_argument() -> None:
    async with rig() as r:
        assert (await _post(r, "auth.test", data={"token": r.app.bot_token}))["ok"] is True


async def test_a_missing_scope_is_named_with_those_that_are_there() -> None:
    async with rig() as r:
        r.app.scopes = {"chat:write", "channels:read", "im:history"}
        answer = await refused(r.web.reactions_add(channel=r.general.id, timestamp="1.1", name="wave"))
        assert (answer["error"], answer["needed"]) == ("missing_scope", "reactions:write")
        assert answer["provided"] == "channels:read,chat:write,im:history"
        answer = await refused(r.web.conversations_history(channel=r.general.id))
        assert answer["needed"] == "channels:history"
        answer = await refused(r.web.conversations_list(types="public_channel,im"))
        assert answer["needed"] == "im:read"


async def test_unknown_and_retired_methods_are_told_apart() -> None:
    async with rig() as r:
        answer = await refused(r.web.api_call("chat.postMesage"))
        assert (answer["error"], answer["req_method"]) == ("unknown_method", "chat.postMesage")
        for method in (
            "files.upload",
            "rtm.start",
            "channels.history",
            "groups.list",
            "im.open",
            "mpim.open",
        ):
            assert (await _post(r, method))["error"] == "method_deprecated"


async def test_arguments_that_are_missing_misspelt_or_of_the_wrong_type_are_named() -> None:
    async with rig() as r:
        answer = await refused(r.web.api_call("chat.postMessage", json={"text": "x"}))
        assert answer["error"] == "invalid_arguments"
        assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]
        answer = await refused(r.web.chat_postMessage(channel=r.general.id, text="x", thread="1.1"))
        assert answer["response_metadata"]["messages"] == ["[ERROR] no such argument: thread"]
        answer = await refused(r.web.api_call("chat.postMessage", json={"channel": r.general.id, "text": 7}))
        assert "json-pointer:/text" in answer["response_metadata"]["messages"][0]
        answer = await refused(r.web.api_call("chat.postMessage", json={"a-b": 1}))
        assert answer["error"] == "invalid_arg_name"


async def test_an_unknown_argument_passes_when_the_simulator_is_not_strict() -> None:
    async with rig(strict=False) as r:
        await r.web.chat_postMessage(channel=r.general.id, text="x", thread="1.1")


async def test_bodies_that_cannot_be_read_are_refused() -> None:
    async with rig() as r:
        headers = {"Authorization": f"Bearer {r.app.bot_token}", "Content-Type": "application/json"}
        answer = await _post(r, "chat.postMessage", data=b"{", headers=headers)
        assert answer["error"] == "invalid_json"
        assert (await _post(r, "chat.postMessage", data=b"[]", headers=headers))["error"] == "json_not_object"
        headers["Content-Type"] = "application/xml"
        assert (await _post(r, "chat.postMessage", data=b"<x/>", headers=headers))["error"] == "invalid_post_type"


async def test_older_reading_methods_do_not_see_a_json_body() -> None:
    async with rig() as r:
        answer = await refused(r.web.api_call("users.info", json={"user": r.ann.id}))
        assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: user"]


async def test_a_channel_must_exist_and_the_bot_must_be_in_it() -> None:
    async with rig() as r:
        outside = r.acme.channel("outside", members=[r.ann], bot=False)
        secret = r.acme.channel("secret", private=True, members=[r.ann], bot=False)
        closed = r.acme.channel("closed")
        closed.archived = True
        for channel, error in (
            ("C0NOWHERE00", "channel_not_found"),
            (secret.id, "channel_not_found"),
            (outside.id, "not_in_channel"),
            (closed.id, "is_archived"),
        ):
            assert (await refused(r.web.chat_postMessage(channel=channel, text="x")))["error"] == error
        assert (await refused(r.web.conversations_history(channel=outside.id)))["error"] == "not_in_channel"
        r.app.scopes.add("chat:write.public")
        await r.web.chat_postMessage(channel=outside.id, text="x")


async def test_texts_may_be_neither_missing_nor_too_long() -> None:
    async with rig() as r:
        assert (await refused(r.web.api_call("chat.postMessage", json={"channel": r.general.id})))["error"] == "no_text"
        sent = await r.web.chat_postMessage(channel=r.general.id, text="x" * 40_000)
        long = r.web.chat_postMessage(channel=r.general.id, text="x" * 40_001)
        assert (await refused(long))["error"] == "msg_too_long"
        edit = r.web.chat_update(channel=r.general.id, ts=sent["ts"], text="x" * 4_001)
        assert (await refused(edit))["error"] == "msg_too_long"
        both = r.web.api_call("chat.postMessage", json={"channel": "general", "text": "x", "markdown_text": "y"})
        assert (await refused(both))["error"] == "markdown_text_conflict"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ("{", "invalid_blocks_format"),
        ({"type": "divider"}, "invalid_blocks_format"),
        ([{"type": "devider"}], "invalid_blocks"),
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([{"type": "section"}], "invalid_blocks"),
        ([_section("x" * 3001)], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "invalid_blocks"),
        ([{"type": "actions", "elements": []}], "invalid_blocks"),
        ([{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}], "invalid_blocks"),
        ([{"type": "image", "image_url": "https://x.example/y.png"}], "invalid_blocks"),
        ([_section("x" * 3000)] * 5, "msg_blocks_too_long"),
        ([{"type": "actions", "elements": [{"type": "button", "text": "Go"}]}], "invalid_blocks"),
    ],
)
async def test_bad_blocks_are_refused(blocks: Any, error: str) -> None:
    async with rig() as r:
        call = r.web.api_call("chat.postMessage", json={"channel": r.general.id, "text": "x", "blocks": blocks})
        assert (await refused(call))["error"] == error


async def test_good_blocks_are_kept_and_bad_ones_say_where() -> None:
    async with rig() as r:
        button = {
            "type": "button",
            "text": {"type": "plain_text", "text": "Go"},
            "action_id": "go",
            "value": "1",
        }
        blocks = [_section("*hi*"), {"type": "divider"}, {"type": "actions", "elements": [button]}]
        sent = await r.web.chat_postMessage(channel=r.general.id, text="hi", blocks=blocks)
        assert [block["type"] for block in sent["message"]["blocks"]] == ["section", "divider", "actions"]
        answer = await refused(r.web.chat_postMessage(channel=r.general.id, text="x", blocks=[_section("")]))
        assert "/blocks/0" in answer["response_metadata"]["messages"][0]


async def test_attachments_and_metadata_are_checked() -> None:
    async with rig() as r:
        many = r.web.chat_postMessage(channel=r.general.id, text="x", attachments=[{"text": "x"}] * 101)
        assert (await refused(many))["error"] == "too_many_attachments"
        wrong: tuple[Any, ...] = ({"event_type": "x"}, {"event_type": "", "event_payload": {}}, "{")
        for metadata in wrong:
            call = r.web.chat_postMessage(channel=r.general.id, text="x", metadata=metadata)
            assert (await refused(call))["error"] == "invalid_metadata_format"


async def test_reactions_are_refused_as_slack_does() -> None:
    async with rig() as r:
        message = await r.ann.say(r.general, "hello")
        here: dict[str, Any] = {"channel": r.general.id, "timestamp": message.ts}
        await r.web.reactions_add(name="wave", **here)
        assert (await refused(r.web.reactions_add(name="wave", **here)))["error"] == "already_reacted"
        assert (await refused(r.web.reactions_add(name=":no!:", **here)))["error"] == "invalid_name"
        assert (await refused(r.web.reactions_remove(name="tada", **here)))["error"] == "no_reaction"
        assert (await refused(r.web.reactions_remove(name="wave")))["error"] == "no_item_specified"
        bad = r.web.reactions_add(name="wave", channel=r.general.id, timestamp="yesterday")
        assert (await refused(bad))["error"] == "bad_timestamp"
        gone = r.web.reactions_add(name="wave", channel=r.general.id, timestamp="1.000001")
        assert (await refused(gone))["error"] == "message_not_found"
        got = await r.web.reactions_get(**here)
        assert got["message"]["reactions"] == [{"name": "wave", "users": [r.app.user_id], "count": 1}]


async def test_people_bots_files_and_teams_are_described() -> None:
    async with rig() as r:
        user = (await r.web.users_info(user=r.ann.id, include_locale=True))["user"]
        assert (user["real_name"], user["locale"], user["is_bot"]) == ("Ann Lee", "en-US", False)
        assert (await refused(r.web.users_info(user="U0NOBODY")))["error"] == "user_not_found"
        assert (await r.web.users_lookupByEmail(email="ann@acme.example"))["user"]["id"] == r.ann.id
        assert (await refused(r.web.users_lookupByEmail(email="x@y.z")))["error"] == "users_not_found"
        assert (await r.web.bots_info(bot=r.app.bot_id))["bot"]["user_id"] == r.app.user_id
        assert (await refused(r.web.bots_info(bot="B0NOBODY")))["error"] == "bot_not_found"
        assert (await r.web.team_info())["team"]["name"] == "acme"
        message = await r.ann.upload(r.general, name="a.txt", size=3)
        assert message.files is not None
        assert (await r.web.files_info(file=message.files[0].id))["file"]["size"] == 3
        assert (await refused(r.web.files_info(file="F0NOTHING")))["error"] == "file_not_found"
        assert (await r.web.emoji_list())["emoji"] == {}


async def test_api_test_echoes_and_fails_on_request() -> None:
    async with rig() as r:
        assert (await r.web.api_test(foo="bar"))["args"] == {"foo": "bar"}
        assert (await refused(r.web.api_test(error="my_error")))["error"] == "my_error"


async def test_user_groups_are_listed_with_what_was_asked_for() -> None:
    async with rig() as r:
        ops, old = r.acme.usergroup("ops", r.ann), r.acme.usergroup("old", r.bob)
        old.disabled = 1_700_000_001
        [short] = (await r.web.usergroups_list())["usergroups"]
        assert (short["id"], short["handle"], short["team_id"]) == (ops.id, "ops", r.acme.id)
        assert not short.keys() & {"users", "user_count"}
        everything = await r.web.usergroups_list(include_users=True, include_count=True, include_disabled=True)
        assert [(g["handle"], g["users"], g["user_count"]) for g in everything["usergroups"]] == [
            ("ops", [r.ann.id], 1),
            ("old", [r.bob.id], 1),
        ]
        r.app.scopes.discard("usergroups:read")
        assert (await refused(r.web.usergroups_list()))["needed"] == "usergroups:read"


async def test_what_people_are_here_is_in_the_user_object() -> None:
    async with rig() as r:
        made = [r.acme.user("amy", admin=True), r.acme.user("oz", owner=True), r.acme.user("gus", guest=True), r.bob]
        flags = ("is_admin", "is_owner", "is_restricted")
        users = [(await r.web.users_info(user=person.id))["user"] for person in made]
        assert [[flag for flag in flags if user[flag]] for user in users] == [
            ["is_admin"],
            ["is_admin", "is_owner"],
            ["is_restricted"],
            [],
        ]
