"""Messages and reactions over REST: what Discord takes, refuses and answers."""

import json
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from adapters.discord.spec_rig import rig


async def test_a_message_is_posted_read_edited_and_deleted() -> None:
    async with rig() as r:
        posted = await r.post("hello <@1>", flags=4, nonce="n1")
        assert (posted["content"], posted["flags"], posted["nonce"]) == ("hello <@1>", 4, "n1")
        where = f"/channels/{r.general.id}/messages/{posted['id']}"
        # Nonces are not kept.
        assert (await r.call(f"GET {where}")).body == {name: posted[name] for name in posted if name != "nonce"}
        edited = (await r.call(f"PATCH {where}", {"content": "changed"})).body
        assert edited["content"] == "changed"
        assert edited["edited_timestamp"] is not None
        assert (await r.call(f"DELETE {where}")).status == 204
        assert (await r.call(f"GET {where}")).code == 10008
        assert r.discord.said() == []


async def test_a_nonce_that_is_enforced_makes_no_second_message_for_some_minutes() -> None:
    async with rig() as r:
        first = await r.post("once", nonce="n1", enforce_nonce=True)
        again = await r.post("once", nonce="n1", enforce_nonce=True)
        assert again["id"] == first["id"]
        assert (await r.post("twice", nonce="n1"))["id"] != first["id"]
        r.discord.advance(301)
        assert (await r.post("later", nonce="n1", enforce_nonce=True))["content"] == "later"
        assert [message.content for message in r.discord.said()] == ["once", "twice", "later"]


@pytest.mark.parametrize(
    ("body", "where", "code"),
    [
        ({"content": "x" * 2001}, "content", "BASE_TYPE_MAX_LENGTH"),
        ({"content": 5}, "content", "STRING_TYPE_CONVERT"),
        ({"content": "a", "nonce": "n" * 26}, "nonce", "BASE_TYPE_MAX_LENGTH"),
        ({"content": "a", "allowed_mentions": {"parse": ["all"]}}, "allowed_mentions.parse.0", "BASE_TYPE_CHOICES"),
        (
            {"content": "a", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            "allowed_mentions",
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        ),
        (
            {"content": "a", "message_reference": {"message_id": "x"}},
            "message_reference.message_id",
            "NUMBER_TYPE_COERCE",
        ),
        (
            {"content": "a", "message_reference": {"message_id": "1"}},
            "message_reference",
            "MESSAGE_REFERENCE_UNKNOWN_MESSAGE",
        ),
        ({"content": "a", "flags": "x"}, "flags", "NUMBER_TYPE_COERCE"),
        ({"embeds": [{"title": "t" * 257}]}, "embeds.0.title", "BASE_TYPE_MAX_LENGTH"),
        ({"embeds": [{"description": "d" * 4000}] * 2}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"),
        ({"content": "a", "attachments": [{"id": "0"}]}, "attachments.0", "ATTACHMENT_NOT_FOUND"),
    ],
)
async def test_a_field_that_is_wrong_is_named_in_the_tree_of_errors(body: Any, where: str, code: str) -> None:
    async with rig() as r:
        answer = await r.call(f"POST /channels/{r.general.id}/messages", body)
        assert (answer.status, answer.code, answer.body["message"]) == (400, 50035, "Invalid Form Body")
        node = answer.body["errors"]
        for part in where.split("."):
            node = node[part]
        assert [error["code"] for error in node["_errors"]] == [code]
        assert r.general.messages == []


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": "  \n"}, {"content": None, "embeds": []}])
async def test_an_empty_message_is_refused(body: Any) -> None:
    async with rig() as r:
        assert (await r.call(f"POST /channels/{r.general.id}/messages", body)).code == 50006


async def test_two_thousand_characters_are_taken() -> None:
    async with rig() as r:
        assert len((await r.post("x" * 2000))["content"]) == 2000


async def test_only_who_may_be_told_is_told() -> None:
    async with rig() as r:
        crew = r.acme.role("crew", mentionable=False)
        text = f"{r.ann.mention} {r.bob.mention} {crew.mention} @everyone"
        everybody = await r.post(text)
        assert [user["id"] for user in everybody["mentions"]] == [r.ann.id, r.bob.id]
        assert everybody["mention_everyone"] is True
        assert everybody["mention_roles"] == [crew.id]
        nobody = await r.post(text, allowed_mentions={"parse": []})
        assert (nobody["mentions"], nobody["mention_roles"], nobody["mention_everyone"]) == ([], [], False)
        one = await r.post(text, allowed_mentions={"users": [r.ann.id], "roles": [crew.id]})
        assert [user["id"] for user in one["mentions"]] == [r.ann.id]
        assert one["mention_everyone"] is False
        r.general.deny(r.app.user, "MENTION_EVERYONE")
        meek = await r.post(text)
        assert (meek["mention_everyone"], meek["mention_roles"]) == (False, [])


async def test_a_reply_refers_and_tells_its_author_if_it_may() -> None:
    async with rig() as r:
        asked = await r.ann.say(r.general, "well?")
        reference = {"message_id": asked.id}
        told = await r.post("yes", message_reference=reference)
        assert told["type"] == 19
        assert told["referenced_message"]["id"] == asked.id
        assert told["message_reference"]["guild_id"] == r.acme.id
        assert [user["id"] for user in told["mentions"]] == [r.ann.id]
        quiet = await r.post("yes", message_reference=reference, allowed_mentions={"parse": [], "replied_user": False})
        assert quiet["mentions"] == []
        await r.ann.delete(asked)
        gone = await r.post("yes", message_reference={**reference, "fail_if_not_exists": False})
        assert (gone["type"], "message_reference" in gone) == (0, False)
        listed = (await r.call(f"GET /channels/{r.general.id}/messages?limit=3")).body
        assert listed[-1]["referenced_message"] is None
        assert await r.general.reply_to(asked) is r.general.find(told["id"])


async def test_files_are_uploaded_kept_and_fetched() -> None:
    async with rig(largest_file=1000) as r:
        where = f"POST /channels/{r.general.id}/messages"

        def form(content: bytes, body: dict[str, Any]) -> aiohttp.FormData:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", json.dumps(body), content_type="application/json")
            data.add_field("files[0]", content, filename="plan.txt", content_type="text/plain")
            return data

        body = {"content": "see", "attachments": [{"id": "0", "description": "a plan"}]}
        posted = (await r.call(where, data=form(b"do it", body))).body
        (attachment,) = posted["attachments"]
        assert (attachment["filename"], attachment["size"], attachment["description"]) == ("plan.txt", 5, "a plan")
        async with r.session.get(attachment["url"]) as response:
            assert (await response.read(), response.content_type) == (b"do it", "text/plain")
        for forged in (attachment["url"].replace("hm=", "hm=0"), attachment["url"].partition("?")[0]):
            async with r.session.get(forged) as response:
                assert response.status == 404
        r.discord.advance(r.discord.attachment_lifetime + 1)
        async with r.session.get(attachment["url"]) as response:
            assert response.status == 404
        fresh = (await r.call(f"GET /channels/{r.general.id}/messages/{posted['id']}")).body["attachments"][0]["url"]
        async with r.session.get(fresh) as response:
            assert await response.read() == b"do it"
        assert (await r.call(where, data=form(b"x" * 1001, {}))).code == 40005
        edited = (await r.call(f"PATCH /channels/{r.general.id}/messages/{posted['id']}", {"attachments": []})).body
        assert edited["attachments"] == []
        r.general.deny(r.app.user, "ATTACH_FILES")
        assert (await r.call(where, data=form(b"x", {}))).code == 50013


async def test_a_message_has_ten_files_each_as_large_as_it_may_be() -> None:
    async with rig(largest_file=1000) as r:
        where = f"/channels/{r.general.id}/messages"

        def form(*sizes: int) -> aiohttp.FormData:
            data = aiohttp.FormData(quote_fields=False)
            data.add_field("payload_json", "{}", content_type="application/json")
            for number, size in enumerate(sizes):
                data.add_field(f"files[{number}]", b"x" * size, filename=f"{number}.bin")
            return data

        posted = (await r.call(f"POST {where}", data=form(1000, 1000))).body
        assert [file["size"] for file in posted["attachments"]] == [1000, 1000]
        assert (await r.call(f"POST {where}", data=form(*[1] * 11))).code == 50035
        r.discord.largest_request = 1999
        assert (await r.call(f"POST {where}", data=form(1000, 1000))).code == 40005
        kept = [{"id": file["id"]} for file in posted["attachments"]]
        body = json.dumps({"attachments": [*kept, *({"id": str(number)} for number in range(9))]})
        data = form(*[1] * 9)
        data._fields.pop(0)
        data.add_field("payload_json", body, content_type="application/json")
        assert (await r.call(f"PATCH {where}/{posted['id']}", data=data)).code == 50035


@pytest.mark.parametrize(
    ("name", "filename", "title"),
    [
        ("plan.txt", "plan.txt", None),
        ('say "hi".txt', "say_hi.txt", 'say "hi"'),
        ("größe.txt", "groe.txt", "größe"),
        ("_x_.png", "x_.png", "_x_"),
        ("画.png", "unknown.png", "画"),
        ("画", "unknown", "画"),
    ],
)
async def test_names_of_files_are_cleansed_and_titles_say_what_they_were(
    name: str, filename: str, title: str | None
) -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, files={name: b"x"})
        [attachment] = said.payload()["attachments"]
        assert (attachment["filename"], attachment.get("title")) == (filename, title)
        assert quote(filename) in attachment["url"]


async def test_pages_go_before_after_and_around() -> None:
    async with rig() as r:
        ids = [(await r.ann.say(r.general, str(number))).id for number in range(10)]
        await r.ann.delete(r.general.messages[4])

        async def page(query: str) -> list[int]:
            answer = await r.call(f"GET /channels/{r.general.id}/messages?{query}")
            return [ids.index(message["id"]) for message in answer.body]

        assert await page("limit=3") == [9, 8, 7]
        assert await page(f"limit=3&before={ids[7]}") == [6, 5, 3]
        assert await page(f"limit=3&after={ids[2]}") == [6, 5, 3]
        assert await page(f"limit=3&around={ids[6]}") == [7, 6, 5]
        assert await page(f"after={ids[9]}") == []
        assert (await r.call(f"GET /channels/{r.general.id}/messages?limit=101")).code == 50035
        assert (await r.call(f"GET /channels/{r.general.id}/messages?after=x")).code == 50035
        assert (await r.call(f"GET /channels/{r.general.id}/messages?after=1&before=2")).code == 50035


async def test_only_its_own_messages_may_a_bot_change() -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, "mine")
        where = f"/channels/{r.general.id}/messages/{said.id}"
        assert (await r.call(f"PATCH {where}", {"content": "stolen"})).code == 50005
        assert (await r.call(f"DELETE {where}")).code == 50013
        r.acme.role("mod", r.app.user, permissions=["MANAGE_MESSAGES"])
        assert (await r.call(f"DELETE {where}")).status == 204
        private = await r.ann.say(r.ann.dm(), "mine")
        assert (await r.call(f"DELETE /channels/{private.channel.id}/messages/{private.id}")).code == 50003


async def test_who_sees_nothing_may_do_nothing() -> None:
    async with rig() as r:
        secret = r.acme.channel("secret", members=[r.ann])
        assert (await r.call(f"POST /channels/{secret.id}/messages", {"content": "x"})).code == 50001
        assert (await r.call("POST /channels/1/messages", {"content": "x"})).code == 10003
        assert (await r.call("POST /channels/x/messages", {"content": "x"})).code == 50035
        other = r.discord.person("other")
        theirs = r.discord.direct(r.ann, other)
        assert (await r.call(f"GET /channels/{theirs.id}/messages")).code == 10003
        r.general.deny(r.acme.id, "SEND_MESSAGES")
        assert (await r.call(f"POST /channels/{r.general.id}/messages", {"content": "x"})).code == 50013
        assert (await r.call(f"POST /channels/{r.general.id}/typing")).code == 50013
        r.general.deny(r.acme.id)
        await r.post("now")
        r.ann.refuses_dms = True
        assert (await r.call(f"POST /channels/{r.ann.dm().id}/messages", {"content": "x"})).code == 50007


async def test_reactions_are_put_listed_and_taken_away() -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, "hi")
        blob = r.acme.custom_emoji("blob")
        where = f"/channels/{r.general.id}/messages/{said.id}/reactions"
        for emoji in ("🎲", blob.reaction):
            assert (await r.call(f"PUT {where}/{emoji}/@me")).status == 204
            assert (await r.call(f"PUT {where}/{emoji}/@me")).status == 204
        await r.ann.react(said, "🎲")
        assert said.reactions == {"🎲": [r.app.user.id, r.ann.id], blob.reaction: [r.app.user.id]}
        shown = (await r.call(f"GET /channels/{r.general.id}/messages/{said.id}")).body["reactions"]
        assert [(each["emoji"]["name"], each["count"], each["me"]) for each in shown] == [
            ("🎲", 2, True),
            ("blob", 1, True),
        ]
        assert [user["username"] for user in (await r.call(f"GET {where}/🎲?limit=1")).body] == ["ann"]
        assert (await r.call(f"DELETE {where}/🎲/@me")).status == 204
        assert (await r.call(f"DELETE {where}/🎲/{r.ann.id}")).code == 50013
        assert said.reactions["🎲"] == [r.ann.id]
        for unknown in ("die", "blob:1", "x"):
            assert (await r.call(f"PUT {where}/{unknown}/@me")).code == 10014
        for number in range(18):
            await r.ann.react(said, chr(0x1F600 + number))
        assert (await r.call(f"PUT {where}/🧀/@me")).code == 30010


async def test_calls_that_are_no_calls() -> None:
    async with rig() as r:
        assert (await r.call("GET /users/@me", token="wrong")).status == 401
        answer = await r.call("GET /users/@me", token="")
        assert (answer.status, answer.body) == (401, {"message": "401: Unauthorized", "code": 0})
        assert (await r.call("GET /nothing")).body == {"message": "404: Not Found", "code": 0}
        headers = {"Content-Type": "application/json"}
        async with r.session.post(
            f"{r.discord.api_url}/channels/{r.general.id}/messages",
            data="{",
            headers={**headers, "Authorization": f"Bot {r.app.token}"},
        ) as response:
            assert (response.status, (await response.json())["code"]) == (400, 50109)
        assert (await r.call(f"POST /channels/{r.general.id}/messages", [])).code == 50035
