"""What the bot is told when people do something."""

import pytest

from adapters.slack.spec_rig import rig


async def test_a_message_in_a_channel_arrives_with_everything_that_slack_sends() -> None:
    async with rig() as r:
        bot = await r.connect()
        message = await r.ann.say(r.general, "hello")
        [event] = await bot.got(1)
        assert event == {
            "type": "message",
            "user": r.ann.id,
            "text": "hello",
            "ts": message.ts,
            "client_msg_id": message.client_msg_id,
            "team": r.acme.id,
            "blocks": message.blocks,
            "channel": r.general.id,
            "event_ts": message.ts,
            "channel_type": "channel",
        }
        payload = bot.requests[0].payload
        assert payload["type"] == "event_callback"
        assert payload["team_id"] == r.acme.id
        assert payload["api_app_id"] == r.app.id
        assert payload["event_id"].startswith("Ev")
        assert isinstance(payload["event_time"], int)
        assert payload["authorizations"] == [
            {
                "enterprise_id": None,
                "team_id": r.acme.id,
                "user_id": r.app.user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ]
        assert bot.requests[0].retry_attempt == 0


async def test_a_mention_arrives_as_a_message_and_as_app_mention() -> None:
    async with rig() as r:
        bot = await r.connect()
        await r.ann.say(r.general, "@dragoman roll 2d6")
        message, mention = await bot.got(2)
        assert (message["type"], mention["type"]) == ("message", "app_mention")
        assert message["text"] == mention["text"] == f"<@{r.app.user_id}> roll 2d6"
        assert "channel_type" not in mention
        elements = message["blocks"][0]["elements"][0]["elements"]
        assert elements == [{"type": "user", "user_id": r.app.user_id}, {"type": "text", "text": " roll 2d6"}]


async def test_a_direct_message_is_a_message_im_and_never_a_mention() -> None:
    async with rig() as r:
        bot = await r.connect()
        await r.ann.say(r.ann.dm(), "@dragoman hello")
        [event] = await bot.got(1)
        assert event["channel_type"] == "im"
        assert event["channel"].startswith("D")


async def test_private_channels_and_groups_of_people_have_their_own_channel_types() -> None:
    async with rig() as r:
        bot = await r.connect()
        secret = r.acme.channel("secret", private=True, members=[r.ann])
        await r.ann.say(secret, "psst")
        await r.ann.say(r.acme.group(r.ann, r.bob), "we three")
        assert [event["channel_type"] for event in await bot.got(2)] == ["group", "mpim"]


async def test_what_is_typed_is_escaped_and_names_become_references() -> None:
    async with rig() as r:
        message = await r.ann.say(r.general, "a & b <c> @bob, see #general or https://example.com/?a=1&b @nobody")
        assert message.text == (
            f"a &amp; b &lt;c&gt; <@{r.bob.id}>, see <#{r.general.id}|general> "
            "or <https://example.com/?a=1&amp;b> @nobody"
        )
        assert (await r.ann.say(r.general, f"<@{r.bob.id}> hi")).text == f"<@{r.bob.id}> hi"
        assert (await r.ann.say(r.general, "mail me@bob.example")).text == "mail me@bob.example"


async def test_an_edit_arrives_with_the_message_before_and_after() -> None:
    async with rig() as r:
        bot = await r.connect()
        message = await r.ann.say(r.general, "helo")
        await r.ann.edit(message, "hello")
        _, event = await bot.got(2)
        assert event["subtype"] == "message_changed"
        assert event["hidden"] is True
        assert event["channel"] == r.general.id
        assert event["message"]["text"] == "hello"
        assert event["message"]["ts"] == message.ts
        assert event["message"]["edited"] == {"user": r.ann.id, "ts": event["ts"]}
        assert event["previous_message"]["text"] == "helo"


async def test_a_deletion_names_the_deleted_message() -> None:
    async with rig() as r:
        bot = await r.connect()
        message = await r.ann.say(r.general, "oops")
        await r.ann.delete(message)
        _, event = await bot.got(2)
        assert event["subtype"] == "message_deleted"
        assert event["deleted_ts"] == message.ts
        assert event["previous_message"]["text"] == "oops"
        assert r.general.messages == []


async def test_a_deleted_message_with_replies_leaves_a_tombstone() -> None:
    async with rig() as r:
        bot = await r.connect()
        parent = await r.ann.say(r.general, "question")
        await r.bob.say(r.general, "answer", thread=parent)
        await r.ann.delete(parent)
        *_, event = await bot.got(3)
        assert event["subtype"] == "message_changed"
        assert event["message"]["subtype"] == "tombstone"
        assert event["previous_message"]["text"] == "question"


async def test_reactions_arrive_when_they_are_put_and_taken_away() -> None:
    async with rig() as r:
        bot = await r.connect()
        message = await r.ann.say(r.general, "hello")
        await r.bob.react(message, "wave")
        await r.bob.unreact(message, "wave")
        _, added, removed = await bot.got(3)
        assert added == {
            "type": "reaction_added",
            "user": r.bob.id,
            "reaction": "wave",
            "item": {"type": "message", "channel": r.general.id, "ts": message.ts},
            "item_user": r.ann.id,
            "event_ts": added["event_ts"],
        }
        assert removed["type"] == "reaction_removed"
        assert removed["event_ts"] > added["event_ts"]
        assert message.reactions == {}


async def test_whoever_joins_is_announced_twice_as_slack_does() -> None:
    async with rig() as r:
        bot = await r.connect()
        small = r.acme.channel("small", members=[r.ann])
        await r.bob.join(small)
        joined, notice = await bot.got(2)
        assert (joined["type"], joined["user"], joined["channel_type"]) == (
            "member_joined_channel",
            r.bob.id,
            "C",
        )
        assert (notice["subtype"], notice["user"]) == ("channel_join", r.bob.id)


async def test_an_invited_bot_hears_of_its_own_coming() -> None:
    async with rig() as r:
        bot = await r.connect()
        small = r.acme.channel("small", members=[r.ann], bot=False)
        await r.ann.say(small, "the bot does not hear this")
        await r.ann.invite(small, r.app.user)
        joined, _ = await bot.got(2)
        assert (joined["user"], joined["inviter"]) == (r.app.user_id, r.ann.id)


async def test_the_bots_own_words_come_back_as_a_message_of_the_bot() -> None:
    async with rig() as r:
        bot = await r.connect()
        await r.web.chat_postMessage(channel=r.general.id, text="I am <@U0SIM000001>")
        [event] = await bot.got(1)
        assert event["bot_id"] == r.app.bot_id
        assert event["app_id"] == r.app.id
        assert event["user"] == r.app.user_id
        assert "subtype" not in event


async def test_an_answer_in_a_thread_names_the_thread() -> None:
    async with rig() as r:
        bot = await r.connect()
        parent = await r.ann.say(r.general, "question")
        reply = await r.bob.say(r.general, "answer", thread=parent)
        _, event = await bot.got(2)
        assert event["thread_ts"] == parent.ts
        assert event["parent_user_id"] == r.ann.id
        assert reply.is_reply
        assert not parent.is_reply


async def test_a_shared_file_arrives_with_its_metadata_and_can_be_fetched_with_the_bots_token() -> None:
    async with rig() as r:
        bot = await r.connect()
        await r.ann.upload(r.general, name="cat.png", content=b"meow", text="my cat")
        [event] = await bot.got(1)
        assert event["subtype"] == "file_share"
        [file] = event["files"]
        assert (file["name"], file["size"], file["mimetype"]) == ("cat.png", 4, "image/png")
        headers = {"Authorization": f"Bearer {r.app.bot_token}"}
        async with r.session.get(file["url_private"], headers=headers) as answer:
            assert await answer.read() == b"meow"
        async with r.session.get(file["url_private"], allow_redirects=False) as answer:
            assert answer.status == 302
        r.app.scopes.discard("files:read")
        async with r.session.get(file["url_private"], headers=headers) as answer:
            assert answer.content_type == "text/html"


async def test_only_what_the_app_is_subscribed_to_arrives() -> None:
    async with rig() as r:
        bot = await r.connect()
        r.app.events = {"message.channels"}
        message = await r.ann.say(r.general, "@dragoman hello")
        await r.ann.react(message, "wave")
        await r.ann.say(r.ann.dm(), "hello")
        [event] = await bot.got(1)
        assert event["type"] == "message"


async def test_a_guest_from_another_workspace_is_shown_as_one() -> None:
    async with rig() as r:
        bot = await r.connect()
        zoe = r.acme.user("zoe", team="T0ELSEWHERE")
        await r.web.users_info(user=zoe.id)
        await zoe.say(r.general, "hello")
        [event] = await bot.got(1)
        assert event["user_team"] == "T0ELSEWHERE"
        assert (await r.web.users_info(user=zoe.id))["user"]["team_id"] == "T0ELSEWHERE"


async def test_a_message_says_when_the_bot_has_accepted_every_event_about_it() -> None:
    async with rig() as r:
        bot = await r.connect()
        bot.acking = False
        message = await r.ann.say(r.general, "@dragoman hello")
        await r.slack.until(lambda: len(bot.requests) == 2)
        assert message.accepted is None
        for request in bot.requests:
            r.app.link.acknowledge(request.envelope_id)
        assert message.accepted is not None


async def test_a_changed_profile_arrives_with_the_whole_user_wherever_the_bot_is() -> None:
    async with rig() as r:
        bot = await r.connect()
        r.acme.channel("small", members=[r.ann], bot=False)
        await r.ann.change(name="anna", tz="Asia/Tokyo", locale="ja-JP", is_owner=True)
        [event] = await bot.got(1)
        assert event["type"] == "user_change"
        user = event["user"]
        assert (user["id"], user["tz"], user["locale"], user["is_owner"]) == (r.ann.id, "Asia/Tokyo", "ja-JP", True)
        assert user["profile"]["display_name"] == "anna"
        assert event["cache_ts"] == user["updated"]
        assert (await r.ann.say(r.general, "@anna")).text == f"<@{r.ann.id}>"


async def test_a_changed_profile_is_told_only_to_who_may_read_people() -> None:
    async with rig() as r:
        bot = await r.connect()
        r.app.scopes.discard("users:read")
        await r.ann.change(tz="Asia/Tokyo")
        await r.ann.say(r.general, "hello")
        [event] = await bot.got(1)
        assert event["type"] == "message"


async def test_only_what_people_have_can_be_changed_and_names_are_unique() -> None:
    async with rig() as r:
        with pytest.raises(ValueError, match="id cannot be changed"):
            await r.ann.change(id="U2")
        with pytest.raises(ValueError, match="there is a bob already"):
            await r.ann.change(name="bob")
        await r.ann.change(name="ann")
        assert r.acme.find_user("ann") is r.ann


async def test_a_slash_command_arrives_with_everything_that_slack_sends() -> None:
    async with rig() as r:
        bot = await r.connect()
        used = await r.ann.slash("/todo ask @bob to bake & <eat> in #general", r.general)
        await r.slack.until(lambda: used.accepted)
        [request] = bot.requests
        assert request.type == "slash_commands"
        assert request.accepts_response_payload
        assert request.retry_attempt is None
        assert request.payload == {
            "token": request.payload["token"],
            "team_id": r.acme.id,
            "team_domain": "acme",
            "channel_id": r.general.id,
            "channel_name": "general",
            "user_id": r.ann.id,
            "user_name": "ann",
            "command": "/todo",
            "text": f"ask <@{r.bob.id}|bob> to bake &amp; &lt;eat&gt; in <#{r.general.id}|general>",
            "api_app_id": r.app.id,
            "is_enterprise_install": "false",
            "response_url": request.payload["response_url"],
            "trigger_id": used.event_id,
        }
        assert used.kind == "slash_commands"


async def test_conversations_without_a_public_name_are_named_as_slack_does() -> None:
    async with rig() as r:
        secret = r.acme.channel("secret", private=True)
        places = [r.ann.dm(), secret, r.acme.group(r.ann, r.bob)]
        await r.connect()
        names = [(await r.ann.slash("/todo", place)).payload["channel_name"] for place in places]
        assert names == ["directmessage", "privategroup", "mpdm-ann--bob--dragoman-1"]


async def test_without_escaping_the_text_is_what_was_typed() -> None:
    async with rig() as r:
        await r.connect()
        r.app.escaped = False
        assert (await r.ann.slash("/todo @bob &", r.general)).payload["text"] == "@bob &"


async def test_a_command_that_no_app_has_is_refused() -> None:
    async with rig() as r:
        r.app.commands = {"/roll"}
        for line in ("/todo x", "roll"):
            with pytest.raises(ValueError, match="is not a valid command"):
                await r.ann.slash(line, r.general)
        r.app.scopes.discard("commands")
        with pytest.raises(ValueError, match="/roll is not a valid command"):
            await r.ann.slash("/roll", r.general)


async def test_a_command_is_sent_once_whatever_happens() -> None:
    async with rig(ack_timeout=0.05, retry_delays=(0.0, 0.0)) as r:
        assert (await r.ann.slash("/todo", r.general)).lost
        bot = await r.connect()
        bot.acking = False
        late = await r.ann.slash("/todo", r.general)
        await r.slack.until(lambda: late.lost)
        assert late.attempts == 1
    async with rig() as r:
        bot = await r.connect()
        bot.acking = False
        cut = await r.ann.slash("/todo", r.general)
        await r.slack.until(lambda: bot.requests)
        r.slack.drop_sockets()
        await r.slack.until(lambda: cut.lost)
        assert (cut.attempts, r.slack.pending) == (1, 0)
