"""Uploads, private files and ``response_url`` as Slack documents them."""

import json
from typing import Any

import aiohttp
import pytest

from adapters.slack.spec_rig import Rig, refused, rig
from dragoman_slack.simulator import SlackSimulator


async def ticket(r: Rig, name: str = "a.txt", length: int = 3) -> dict[str, Any]:
    answer = await r.web.files_getUploadURLExternal(filename=name, length=length)
    assert isinstance(answer.data, dict)
    return answer.data


async def post(r: Rig, url: str, content: bytes) -> int:
    async with r.session.post(url, data=content) as answer:
        return answer.status


def complete(r: Rig, *ids: str, **more: Any) -> Any:
    body = {"files": [{"id": id, "title": "T"} for id in ids], **more}
    return r.web.api_call("files.completeUploadExternal", json=body)


async def test_an_upload_is_shared_as_a_message_with_its_files() -> None:
    async with rig() as r:
        root = await r.ann.say(r.general, "draw")
        first, second = await ticket(r), await ticket(r, "b.png", 1)
        assert await post(r, first["upload_url"], b"abc") == 200
        assert await post(r, second["upload_url"], b"b") == 200
        ids = [first["file_id"], second["file_id"]]
        answer = await complete(r, *ids, channel_id=r.general.id, thread_ts=root.ts, initial_comment="*two*")
        assert answer["files"] == [{"id": id, "title": "T"} for id in ids]
        (message,) = r.general.said
        assert (message.text, message.thread_ts, message.subtype) == ("*two*", root.ts, "file_share")
        assert [(file.name, file.title, file.content) for file in message.files or ()] == [
            ("a.txt", "T", b"abc"),
            ("b.png", "T", b"b"),
        ]
        [share] = (await r.web.files_info(file=ids[0]))["file"]["shares"]["public"][r.general.id]
        assert (share["ts"], share["thread_ts"]) == (message.ts, root.ts)
        assert (await refused(complete(r, *ids)))["error"] == "file_not_found"


async def test_without_a_channel_nobody_sees_it() -> None:
    async with rig() as r:
        begun = await ticket(r)
        await post(r, begun["upload_url"], b"abc")
        await complete(r, begun["file_id"])
        assert not r.slack.said()
        assert (await r.web.files_info(file=begun["file_id"]))["file"]["shares"] == {}


async def test_what_is_scanned_is_shared_later() -> None:
    async with rig() as r:
        r.acme.scanning = True
        begun = await ticket(r)
        await post(r, begun["upload_url"], b"abc")
        await complete(r, begun["file_id"], channel_id=r.general.id)
        assert not r.general.said
        r.acme.scanned()
        assert len(r.general.said) == 1


async def test_an_upload_that_slack_would_refuse_is_refused() -> None:
    async with rig() as r:
        r.acme.file_limit = 10
        empty = r.web.api_call("files.getUploadURLExternal", params={"filename": "a", "length": 0})
        assert (await refused(empty))["error"] == "missing_argument"
        assert (await refused(ticket(r, length=11)))["error"] == "file_upload_size_restricted"
        begun = await ticket(r)
        assert await post(r, begun["upload_url"], b"too long") == 400
        assert await post(r, f"{r.slack.origin}/upload/v1/{r.acme.id}/x", b"abc") == 404
        assert (await refused(complete(r, begun["file_id"], channel_id=r.general.id)))["error"] == "file_not_found"
        await post(r, begun["upload_url"], b"abc")
        outside = r.acme.channel("outside", bot=False)
        for channel, code in (("C0NOWHERE", "channel_not_found"), (outside.id, "not_in_channel")):
            assert (await refused(complete(r, begun["file_id"], channel_id=channel)))["error"] == code
        for files in ([], "x", [7]):
            wrong = r.web.api_call("files.completeUploadExternal", json={"files": files})
            assert (await refused(wrong))["error"] == "invalid_arguments"
        r.app.scopes.discard("files:write")
        assert (await refused(ticket(r)))["needed"] == "files:write"


async def test_a_deleted_file_is_gone_everywhere() -> None:
    async with rig() as r:
        message = await r.ann.say(r.general, "see", files=[("a/b.txt", b"abc")])
        assert message.files is not None
        (file,) = message.files
        assert file.channels == [r.general.id]
        file.deleted = True
        assert (await refused(r.web.files_info(file=file.id)))["error"] == "file_deleted"
        async with r.session.get(file.url, headers={"Authorization": f"Bearer {r.app.bot_token}"}) as answer:
            assert answer.status == 404


async def test_events_say_only_the_id_of_a_strangers_file() -> None:
    async with rig() as r:
        bot = await r.connect()
        zoe = r.acme.user("zoe", team="T0ELSEWHERE")
        await zoe.say(r.general, "from afar", files=[("plan.pdf", b"%PDF")])
        [event] = await bot.got(1)
        [file] = event["files"]
        assert (file["mode"], file["file_access"]) == ("file_access", "check_file_info")
        assert "url_private" not in file
        assert (await r.web.files_info(file=file["id"]))["file"]["url_private"]


async def answered(session: aiohttp.ClientSession, url: str, **body: Any) -> tuple[int, str]:
    async with session.post(url, json=body) as answer:
        said = await answer.text()
        return answer.status, json.loads(said)["error"] if said.startswith("{") else said


async def test_a_response_url_takes_five_answers_within_half_an_hour() -> None:
    async with rig() as r:
        outside = r.acme.channel("outside", bot=False)
        url = (await r.ann.slash("/roll", outside)).payload["response_url"]
        assert await answered(r.session, url) == (400, "no_text")
        assert await answered(r.session, url, text="psst") == (200, "ok")
        assert [message.text for message in r.slack.shown_to(r.ann)] == ["psst"]
        for n in range(4):
            assert await answered(r.session, url, text=str(n), response_type="in_channel") == (200, "ok")
        assert await answered(r.session, url, text="5", response_type="in_channel") == (404, "used_url")
        assert [message.text for message in outside.said] == ["0", "1", "2", "3"]
        late = (await r.ann.slash("/roll", outside)).payload["response_url"]
        next(reversed(r.app.replies.values())).ends = 0.0
        assert await answered(r.session, late, text="x") == (404, "expired_url")
        async with r.session.post(f"{r.slack.origin}/commands/{r.acme.id}/x", json={"text": "x"}) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("team", ["", "T0OTHER"])
async def test_an_app_of_an_organisation_must_name_the_workspace(team: str) -> None:
    async with rig() as r:
        r.app.organisation = "E0SIM"
        code = "team_access_not_granted" if team else "missing_argument"
        assert (await refused(r.web.conversations_list(team_id=team)))["error"] == code
        assert (await refused(r.web.usergroups_list(team_id=team)))["error"] == code
        assert (await r.web.conversations_list(team_id=r.acme.id))["channels"]
        assert (await r.web.auth_test())["enterprise_id"] == "E0SIM"
        assert (await r.web.auth_teams_list())["teams"] == [{"id": r.acme.id, "name": "acme"}]


def test_a_group_that_changes_is_told_to_those_who_listen() -> None:
    slack = SlackSimulator()
    acme = slack.workspace("acme")
    ann, bob = acme.user("ann"), acme.user("bob")
    ops = acme.usergroup("ops", ann)
    ops.change(users=[bob])
    changed, updated = (delivery.payload["event"] for delivery in slack.deliveries)
    assert (changed["added_users"], changed["removed_users"]) == ([bob.id], [ann.id])
    assert (updated["type"], updated["subteam"]["users"]) == ("subteam_updated", [bob.id])
    acme.app.scopes.discard("usergroups:read")
    ops.change(disabled=True)
    assert len(slack.deliveries) == 2
    assert ops.disabled
