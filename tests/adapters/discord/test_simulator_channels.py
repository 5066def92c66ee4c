"""Channels, direct messages, threads and guilds over REST."""

import pytest

from adapters.discord.spec_rig import rig
from dragoman_discord.simulator.channel import FORUM


async def test_a_direct_conversation_is_opened_once() -> None:
    async with rig() as r:
        opened = (await r.call("POST /users/@me/channels", {"recipient_id": r.ann.id})).body
        assert (opened["type"], [user["id"] for user in opened["recipients"]]) == (1, [r.ann.id])
        assert (await r.call("POST /users/@me/channels", {"recipient_id": r.ann.id})).body["id"] == opened["id"]
        assert r.ann.dm().id == opened["id"]
        assert (await r.call("POST /users/@me/channels", {"recipient_id": "1"})).code == 50033
        assert (await r.call("POST /users/@me/channels", {"recipient_id": r.app.user.id})).code == 50007
        assert (await r.call("POST /users/@me/channels", {})).code == 50035
        posted = await r.call(f"POST /channels/{opened['id']}/messages", {"content": "psst"})
        assert [message.id for message in r.ann.dm().said] == [posted.body["id"]]


async def test_a_thread_from_a_message_has_its_id_and_there_is_only_one() -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, "plan?")
        where = f"POST /channels/{r.general.id}/messages/{said.id}/threads"
        answer = await r.call(where, {"name": "plans", "auto_archive_duration": 60})
        assert answer.status == 201
        assert (answer.body["id"], answer.body["type"], answer.body["parent_id"]) == (said.id, 11, r.general.id)
        assert answer.body["member"]["user_id"] == r.app.user.id
        assert answer.body["thread_metadata"]["auto_archive_duration"] == 60
        shown = (await r.call(f"GET /channels/{r.general.id}/messages/{said.id}")).body
        assert (shown["thread"]["name"], shown["flags"]) == ("plans", 32)
        assert (await r.call(where, {"name": "again"})).code == 160004
        posted = await r.call(f"POST /channels/{said.id}/messages", {"content": "here"})
        assert posted.status == 200
        assert said.thread is not None
        assert (await r.general.reply_to(said)).channel is said.thread
        assert [message.type for message in said.thread.messages] == [21, 0]


async def test_a_thread_without_a_message_is_private_unless_it_says_otherwise() -> None:
    async with rig() as r:
        where = f"POST /channels/{r.general.id}/threads"
        secret = await r.call(where, {"name": "secret"})
        assert (secret.status, secret.body["type"]) == (201, 12)
        open_ = await r.call(where, {"name": "open", "type": 11})
        assert open_.body["type"] == 11
        assert [message.type for message in r.general.messages] == [18]
        active = (await r.call(f"GET /guilds/{r.acme.id}/threads/active")).body
        assert [thread["name"] for thread in active["threads"]] == ["secret", "open"]
        with pytest.raises(ValueError, match="has no VIEW_CHANNEL"):
            await r.bob.say(r.acme.threads[secret.body["id"]], "let me in")
        assert (await r.call(where, {"name": "x", "type": 0})).code == 50035
        assert (await r.call(where, {"name": ""})).code == 50035
        assert (await r.call(where, {"name": "x", "auto_archive_duration": 7})).code == 50035
        assert (await r.call(f"POST /channels/{open_.body['id']}/threads", {"name": "x", "type": 11})).code == 50024
        r.general.deny(r.app.user, "CREATE_PUBLIC_THREADS")
        assert (await r.call(where, {"name": "x", "type": 11})).code == 50013


async def test_an_archived_thread_opens_when_somebody_writes_and_a_locked_one_does_not() -> None:
    async with rig() as r:
        thread = await r.ann.start_thread(r.general, "plans")
        where = f"POST /channels/{thread.id}/messages"
        await r.ann.archive(thread)
        posted = (await r.call(where, {"content": "wake"})).body
        assert not thread.archived
        await r.ann.archive(thread, locked=True)
        assert (await r.call(where, {"content": "wake"})).code == 50083
        assert (await r.call(f"PATCH /channels/{thread.id}/messages/{posted['id']}", {"content": "x"})).code == 50083
        assert (await r.call(f"PUT /channels/{thread.id}/messages/{posted['id']}/reactions/🎲/@me")).code == 50083
        assert (await r.call(f"PUT /channels/{thread.id}/thread-members/@me")).code == 50083


async def test_a_channel_is_shown_and_changed_by_who_may() -> None:
    async with rig() as r:
        where = f"/channels/{r.general.id}"
        assert (await r.call(f"GET {where}")).body["name"] == "general"
        assert (await r.call(f"PATCH {where}", {"name": "talk"})).code == 50013
        r.acme.role("mod", r.app.user, permissions=["MANAGE_CHANNELS"])
        assert (await r.call(f"PATCH {where}", {"name": "talk", "topic": "anything"})).body["topic"] == "anything"
        assert r.general.name == "talk"
        assert (await r.call(f"PATCH {where}", {"name": ""})).code == 50035
        assert (await r.call(f"PUT {where}/thread-members/@me")).code == 50024
        forum = r.acme.channel("forum", type=FORUM)
        assert (await r.call(f"POST /channels/{forum.id}/messages", {"content": "x"})).code == 50024


async def test_typing_is_remembered() -> None:
    async with rig() as r:
        assert (await r.call(f"POST /channels/{r.general.id}/typing")).status == 204
        assert r.discord.typings == [(r.general, r.app.user)]


async def test_a_guild_its_roles_members_channels_and_emoji_are_shown() -> None:
    async with rig() as r:
        crew = r.acme.role("crew", r.ann, permissions=["ADMINISTRATOR"])
        r.acme.custom_emoji("blob")
        here = f"GET /guilds/{r.acme.id}"
        guild = (await r.call(f"{here}?with_counts=true")).body
        assert (guild["name"], guild["owner_id"], guild["approximate_member_count"]) == ("acme", r.ann.id, 3)
        assert [role["name"] for role in (await r.call(f"{here}/roles")).body] == ["@everyone", "dragoman", "crew"]
        assert (await r.call(f"{here}/members/{r.ann.id}")).body["roles"] == [crew.id]
        assert len((await r.call(f"{here}/members?limit=1000")).body) == 3
        assert [each["user"]["id"] for each in (await r.call(f"{here}/members/search?query=an&limit=5")).body] == [
            r.ann.id
        ]
        assert [channel["id"] for channel in (await r.call(f"{here}/channels")).body] == [r.general.id]
        assert [emoji["name"] for emoji in (await r.call(f"{here}/emojis")).body] == ["blob"]
        assert [each["id"] for each in (await r.call("GET /users/@me/guilds")).body] == [r.acme.id]
        assert (await r.call(f"GET /users/{r.bob.id}")).body["username"] == "bob"
        assert (await r.call("GET /users/1")).code == 10013
        assert (await r.call(f"{here}/members/1")).code == 10013
        stranger = r.discord.person("stranger")
        assert (await r.call(f"{here}/members/{stranger.id}")).code == 10007
        assert (await r.call("GET /guilds/1")).code == 10004
        r.app.privileged = 0
        assert (await r.call(f"{here}/members")).code == 50001
        r.app.leave(r.acme)
        assert (await r.call(here)).code == 50001


async def test_the_bot_and_the_gateway_are_shown() -> None:
    async with rig() as r:
        assert (await r.call("GET /users/@me")).body["id"] == r.app.user.id
        for path in ("/oauth2/applications/@me", "/applications/@me"):
            about = (await r.call(f"GET {path}")).body
            assert (about["id"], about["flags"]) == (r.app.id, 1 << 13 | 1 << 15 | 1 << 19)
        gateway = (await r.call("GET /gateway/bot")).body
        assert (gateway["url"], gateway["shards"]) == (r.discord.gateway_url, 1)
        assert gateway["session_start_limit"]["remaining"] == 1000


async def test_people_can_only_do_what_discord_lets_them() -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, "mine")
        stranger = r.discord.person("stranger")
        for refused in (
            stranger.say(r.general, "hi"),
            stranger.react(said, "🎲"),
            r.bob.edit(said, "x"),
            r.bob.delete(said),
            r.bob.say(r.ann.dm(), "x"),
            r.ann.say(r.general, ""),
            r.ann.unreact(said, "🎲"),
        ):
            with pytest.raises(ValueError, match=r"\w"):
                await refused
        with pytest.raises(ValueError, match="already"):
            r.acme.user("ann")
        with pytest.raises(ValueError, match="already"):
            r.acme.channel("general")


async def test_what_is_typed_becomes_references() -> None:
    async with rig() as r:
        crew = r.acme.role("crew")
        blob = r.acme.custom_emoji("blob", animated=True)
        said = await r.ann.say(r.general, "@bob, @crew. #general :blob: @nobody a@bob https://x/@bob @everyone")
        assert said.content == (
            f"<@{r.bob.id}>, <@&{crew.id}>. <#{r.general.id}> <a:blob:{blob.id}> @nobody a@bob https://x/@bob @everyone"
        )
        assert (said.mentions, said.mention_roles, said.mention_everyone) == ([r.bob.id], [crew.id], True)
        meek = await r.bob.say(r.general, "@everyone")
        assert not meek.mention_everyone
        raw = await r.ann.say(r.general, "@bob", raw=True)
        assert raw.content == "@bob"


async def test_waiting_says_what_was_waited_for() -> None:
    async with rig() as r:
        asked = await r.ann.say(r.general, "well?")
        with pytest.raises(TimeoutError, match=r"a reply to 'well\?'.*the bots said last: nothing"):
            await r.general.reply_to(asked, timeout=0.01)
