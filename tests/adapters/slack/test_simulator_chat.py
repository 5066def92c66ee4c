"""What the bot says, changes and reads back."""

from typing import Any

import pytest

from adapters.slack.spec_rig import refused, rig


async def test_a_reply_can_be_waited_for() -> None:
    async with rig() as r:
        bot = await r.connect()
        message = await r.ann.say(r.general, "@dragoman hello")
        await bot.got(2)
        await r.web.chat_postMessage(channel=r.general.id, text="hello <you> & all", thread_ts=message.ts)
        reply = await r.general.reply_to(message)
        assert reply.text == "hello &lt;you&gt; &amp; all"
        assert r.slack.said(thread=message) == r.general.said == [reply]
        assert r.slack.calls[-1].method == "chat.postMessage"
        assert r.slack.calls[-1].app is r.app


async def test_waiting_in_vain_tells_what_was_said_instead() -> None:
    async with rig() as r:
        message = await r.ann.say(r.general, "hello")
        await r.web.chat_postMessage(channel=r.ann.dm().id, text="wrong place")
        with pytest.raises(TimeoutError, match="wrong place"):
            await r.general.reply_to(message, timeout=0.01)


async def test_a_post_may_name_a_channel_or_a_person() -> None:
    async with rig() as r:
        assert (await r.web.chat_postMessage(channel="#general", text="x"))["channel"] == r.general.id
        assert (await r.web.chat_postMessage(channel=r.ann.id, text="x"))["channel"] == r.ann.dm().id


async def test_only_the_bots_own_messages_can_be_changed_and_deleted_by_it() -> None:
    async with rig() as r:
        theirs = await r.ann.say(r.general, "mine")
        where = r.general.id
        assert (await refused(r.web.chat_update(channel=where, ts=theirs.ts, text="x")))["error"] == (
            "cant_update_message"
        )
        assert (await refused(r.web.chat_delete(channel=where, ts=theirs.ts)))["error"] == "cant_delete_message"
        sent = await r.web.chat_postMessage(channel=where, text="one")
        changed = await r.web.chat_update(channel=where, ts=sent["ts"], text="two")
        assert changed["text"] == "two"
        assert changed["message"]["edited"]["user"] == r.app.user_id
        await r.web.chat_delete(channel=where, ts=sent["ts"])
        assert (await refused(r.web.chat_delete(channel=where, ts=sent["ts"])))["error"] == "message_not_found"
        assert r.general.messages == [theirs]


async def test_blocks_and_metadata_stay_until_they_are_taken_away() -> None:
    async with rig() as r:
        metadata = {"event_type": "dragoman", "event_payload": {"key": "1"}}
        sent = await r.web.chat_postMessage(
            channel=r.general.id, text="x", blocks=[{"type": "divider"}], metadata=metadata
        )
        [message] = r.general.said
        await r.web.chat_update(channel=r.general.id, ts=sent["ts"], text="y")
        assert message.blocks is not None
        assert message.blocks[0]["type"] == "divider"
        assert message.metadata == metadata
        await r.web.chat_update(channel=r.general.id, ts=sent["ts"], text="y", blocks=[], metadata={})
        assert message.metadata is None
        assert message.blocks[0]["type"] == "rich_text"


async def test_metadata_is_read_back_only_when_asked_for() -> None:
    async with rig() as r:
        metadata = {"event_type": "dragoman", "event_payload": {"key": "1"}}
        parent = await r.ann.say(r.general, "hello")
        await r.web.chat_postMessage(channel=r.general.id, text="x", metadata=metadata, thread_ts=parent.ts)
        await r.web.chat_postMessage(channel=r.general.id, text="y", metadata=metadata)
        plain = await r.web.conversations_history(channel=r.general.id)
        assert all("metadata" not in message for message in plain["messages"])
        full = await r.web.conversations_history(channel=r.general.id, include_all_metadata=True)
        assert full["messages"][0]["metadata"] == metadata
        thread = await r.web.conversations_replies(channel=r.general.id, ts=parent.ts, include_all_metadata=True)
        assert thread["messages"][1]["metadata"] == metadata


async def test_history_is_read_in_pages_from_the_latest_and_leaves_threads_out() -> None:
    async with rig() as r:
        said = [await r.ann.say(r.general, str(number)) for number in range(5)]
        await r.bob.say(r.general, "in a thread", thread=said[0])
        await r.bob.say(r.general, "in both", thread=said[0], broadcast=True)
        texts: list[str] = []
        async for page in await r.web.conversations_history(channel=r.general.id, limit=2):
            assert len(page["messages"]) <= 2
            texts += [message["text"] for message in page["messages"]]
        assert texts == ["in both", "4", "3", "2", "1", "0"]


async def test_history_between_two_times_counts_the_ends_only_when_inclusive() -> None:
    async with rig() as r:
        said = [await r.ann.say(r.general, str(number)) for number in range(5)]
        span: dict[str, Any] = {"oldest": said[1].ts, "latest": said[3].ts}
        inside = await r.web.conversations_history(channel=r.general.id, **span)
        assert [message["text"] for message in inside["messages"]] == ["2"]
        ends = await r.web.conversations_history(channel=r.general.id, inclusive=True, **span)
        assert [message["text"] for message in ends["messages"]] == ["3", "2", "1"]


async def test_a_thread_is_read_from_its_parent_on() -> None:
    async with rig() as r:
        parent = await r.ann.say(r.general, "question")
        replies = [await r.bob.say(r.general, str(number), thread=parent) for number in range(5)]
        texts: list[str] = []
        async for page in await r.web.conversations_replies(channel=r.general.id, ts=replies[2].ts, limit=3):
            texts += [message["text"] for message in page["messages"]]
        assert texts == ["question", "0", "1", "2", "3", "4"]
        later = await r.web.conversations_replies(channel=r.general.id, ts=parent.ts, oldest=replies[3].ts)
        assert [message["text"] for message in later["messages"]] == ["question", "4"]
        assert later["messages"][0]["reply_count"] == 5
        gone = r.web.conversations_replies(channel=r.general.id, ts="1.000001")
        assert (await refused(gone))["error"] == "thread_not_found"
        lost = r.web.chat_postMessage(channel=r.general.id, text="x", thread_ts="1.000001")
        assert (await refused(lost))["error"] == "thread_not_found"


async def test_an_ephemeral_message_is_seen_by_one_member_only() -> None:
    async with rig() as r:
        await r.web.chat_postEphemeral(channel=r.general.id, user=r.ann.id, text="psst")
        assert [message.text for message in r.slack.shown_to(r.ann)] == ["psst"]
        assert r.general.messages == []
        stranger = r.web.chat_postEphemeral(channel=r.general.id, user="U0NOBODY", text="x")
        assert (await refused(stranger))["error"] == "user_not_in_channel"


async def test_a_permalink_names_the_thread() -> None:
    async with rig() as r:
        parent = await r.ann.say(r.general, "question")
        reply = await r.ann.say(r.general, "answer", thread=parent)
        link = (await r.web.chat_getPermalink(channel=r.general.id, message_ts=reply.ts))["permalink"]
        assert link == (
            f"https://acme.slack.com/archives/{r.general.id}/p{reply.ts.replace('.', '')}"
            f"?thread_ts={parent.ts}&cid={r.general.id}"
        )


async def test_a_status_shows_until_the_bot_answers() -> None:
    async with rig() as r:
        message = await r.ann.say(r.ann.dm(), "hello")
        place = message.channel
        await r.web.assistant_threads_setStatus(channel_id=place.id, thread_ts=message.ts, status="is thinking...")
        assert place.status == {message.ts: "is thinking..."}
        await r.web.chat_postMessage(channel=place.id, text="done", thread_ts=message.ts)
        assert place.status == {}
        await r.web.assistant_threads_setStatus(channel_id=place.id, thread_ts=message.ts, status="")
        assert [status for _, _, status in r.slack.statuses] == ["is thinking...", ""]
        bad = r.web.assistant_threads_setStatus(channel_id=place.id, thread_ts="1.1", status="x")
        assert (await refused(bad))["error"] == "invalid_thread_ts"


async def test_conversations_are_listed_by_type_in_pages() -> None:
    async with rig() as r:
        secret = r.acme.channel("secret", private=True)
        r.acme.channel("hidden", private=True, members=[r.ann], bot=False)
        dm, group = r.ann.dm(), r.acme.group(r.ann, r.bob)
        kinds = "public_channel,private_channel,im,mpim"
        ids: list[str] = []
        async for page in await r.web.conversations_list(types=kinds, limit=1):
            ids += [channel["id"] for channel in page["channels"]]
        assert ids == [r.general.id, secret.id, dm.id, group.id]
        assert [c["id"] for c in (await r.web.conversations_list())["channels"]] == [r.general.id]
        assert (await refused(r.web.conversations_list(types="dms")))["error"] == "invalid_types"
        mine = await r.web.users_conversations(types=kinds)
        assert len(mine["channels"]) == 4
        info = await r.web.conversations_info(channel=r.general.id, include_num_members=True)
        assert info["channel"]["num_members"] == 3
        assert (await r.web.conversations_info(channel=dm.id))["channel"]["user"] == r.ann.id
        members = await r.web.conversations_members(channel=group.id)
        assert set(members["members"]) == {r.ann.id, r.bob.id, r.app.user_id}


async def test_direct_messages_and_groups_are_opened_once() -> None:
    async with rig() as r:
        opened = await r.web.conversations_open(users=r.ann.id)
        assert opened["channel"] == {"id": r.ann.dm().id}
        group = await r.web.conversations_open(users=[r.ann.id, r.bob.id], return_im=True)
        assert group["channel"]["is_mpim"] is True
        assert group["channel"]["id"] == r.acme.group(r.ann, r.bob).id
        assert (await refused(r.web.api_call("conversations.open")))["error"] == "users_list_not_supplied"
        assert (await refused(r.web.conversations_open(users="U0NOBODY")))["error"] == "user_not_found"


async def test_the_bot_joins_and_leaves_public_channels() -> None:
    async with rig() as r:
        outside = r.acme.channel("outside", members=[r.ann], bot=False)
        assert (await r.web.conversations_join(channel=outside.id))["channel"]["is_member"] is True
        assert (await r.web.conversations_join(channel=outside.id))["warning"] == "already_in_channel"
        await r.web.conversations_leave(channel=outside.id)
        assert r.app.user_id not in outside.members
        wrong = r.web.conversations_join(channel=r.ann.dm().id)
        assert (await refused(wrong))["error"] == "method_not_supported_for_channel_type"


async def test_people_cannot_do_what_slack_would_not_let_them() -> None:
    async with rig() as r:
        small = r.acme.channel("small", members=[r.ann])
        with pytest.raises(ValueError, match="join"):
            await r.bob.say(small, "hello")
        message = await r.ann.say(small, "hello")
        with pytest.raises(ValueError, match="cannot change"):
            await r.bob.edit(message, "goodbye")
        await r.ann.react(message, "wave")
        with pytest.raises(ValueError, match="already"):
            await r.ann.react(message, "wave")
