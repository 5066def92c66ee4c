"""The gateway by hand: opcodes, close codes, intents, shards, sessions, compression."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adapters.discord.spec_rig import Rig, Wire, rig
from dragoman_discord.simulator import intents

UNPRIVILEGED = intents.DEFAULT


async def test_hello_comes_first_and_heartbeats_are_acknowledged() -> None:
    async with rig(heartbeat_interval=7.5) as r:
        wire = await r.wire()
        assert await wire.until(10) == {"heartbeat_interval": 7500, "_trace": ["simulator"]}
        await wire.send(1, None)
        assert await wire.until(11) is None
        r.discord.ask_heartbeat()
        await wire.until(1)


async def test_ready_says_who_and_guilds_follow() -> None:
    async with rig() as r:
        wire = await r.wire()
        ready = await wire.identify(r.app)
        assert ready["user"]["id"] == r.app.user.id
        assert ready["application"] == {"id": r.app.id, "flags": r.app.flags}
        assert ready["guilds"] == [{"id": r.acme.id, "unavailable": True}]
        assert ready["resume_gateway_url"] == r.discord.resume_url
        guild = await wire.until("GUILD_CREATE")
        assert guild["unavailable"] is False
        assert guild["member_count"] == 3
        # Everybody is in it: the session has the presence intent.
        assert {member["user"]["username"] for member in guild["members"]} == {"ann", "bob", "dragoman"}
        assert [channel["name"] for channel in guild["channels"]] == ["general"]


async def test_without_the_presence_intent_a_guild_has_only_the_bot_itself_and_others_are_asked_for() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app, UNPRIVILEGED | intents.GUILD_MEMBERS)
        assert [each["user"]["id"] for each in (await wire.until("GUILD_CREATE"))["members"]] == [r.app.user.id]
        await wire.send(8, {"guild_id": r.acme.id, "query": "", "limit": 0, "nonce": "all"})
        chunk = await wire.until("GUILD_MEMBERS_CHUNK")
        assert (len(chunk["members"]), chunk["chunk_count"], chunk["nonce"]) == (3, 1, "all")
        await wire.send(8, {"guild_id": r.acme.id, "user_ids": [r.ann.id, "1"]})
        chunk = await wire.until("GUILD_MEMBERS_CHUNK")
        assert [each["user"]["id"] for each in chunk["members"]] == [r.ann.id]
        assert chunk["not_found"] == ["1"]
        await wire.send(8, {"guild_id": r.acme.id, "query": "bo", "limit": 5})
        assert [each["user"]["username"] for each in (await wire.until("GUILD_MEMBERS_CHUNK"))["members"]] == ["bob"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"intents": 1 << 30}, 4013),
        ({"intents": "all"}, 4013),
        ({"shard": [2, 2]}, 4010),
        ({"shard": "0"}, 4010),
        ({"properties": None}, 4002),
    ],
)
async def test_what_identify_may_not_say_closes_the_connection(data: dict[str, Any], code: int) -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.send(2, {"token": r.app.token, "intents": 0, "properties": {}, **data})
        assert await wire.code() == code


@pytest.mark.parametrize("intent", [intents.GUILD_MEMBERS, intents.GUILD_PRESENCES, intents.MESSAGE_CONTENT])
async def test_privileged_intents_that_are_not_turned_on_close_it(intent: int) -> None:
    async with rig() as r:
        r.app.privileged = intents.PRIVILEGED & ~intent
        wire = await r.wire()
        await wire.send(2, {"token": r.app.token, "intents": intent, "properties": {}})
        assert await wire.code() == 4014
        other = await r.wire()
        await other.identify(r.app, intents.KNOWN & ~intent)


async def test_a_bot_with_too_many_guilds_must_shard() -> None:
    async with rig(guilds_a_shard=1) as r:
        r.discord.guild("other")
        wire = await r.wire()
        await wire.send(2, {"token": r.app.token, "intents": 0, "properties": {}})
        assert await wire.code() == 4011
        assert (await r.call("GET /gateway/bot")).body["shards"] == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no json", 4002),
        ("[]", 4002),
        ('{"op": 99}', 4001),
        ('{"op": 3, "d": {}}', 4003),
        ('{"op": 8, "d": {}}', 4003),
        ('{"op": 1, "d": "' + "x" * 4096 + '"}', 4002),
        ('{"op": 6, "d": {}}', 4004),
    ],
)
async def test_what_may_not_be_sent_closes_it(text: str, code: int) -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.ws.send_str(text)
        assert await wire.code() == code


async def test_a_second_identify_closes_it() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app)
        await wire.send(2, {"token": r.app.token, "intents": 0, "properties": {}})
        assert await wire.code() == 4005


async def test_more_than_120_payloads_in_a_minute_close_it() -> None:
    async with rig() as r:
        wire = await r.wire()
        for _ in range(121):
            await wire.send(1, None)
        assert await wire.code() == 4008


async def test_another_version_closes_it() -> None:
    async with rig() as r:
        assert await (await r.wire(version=6)).code() == 4012


async def test_too_many_sessions_at_once_are_invalid() -> None:
    async with rig(identify_interval=5.0) as r:
        await (await r.wire()).identify(r.app)
        wire = await r.wire()
        await wire.send(2, {"token": r.app.token, "intents": 0, "properties": {}})
        assert await wire.until(9) is False
        r.discord.advance(5)
        await wire.identify(r.app)


async def test_no_heartbeat_closes_it_and_ends_the_session() -> None:
    async with rig(heartbeat_interval=0.05) as r:
        wire = await r.wire()
        ready = await wire.identify(r.app)
        assert await wire.code() == 4009
        assert r.discord.timeouts == 1
        assert await _resumed(r, ready, 1) is None


async def test_events_come_only_with_their_intents() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app, intents.GUILDS | intents.DIRECT_MESSAGES)
        await wire.until("GUILD_CREATE")
        said = await r.ann.say(r.general, "not seen")
        await r.ann.react(said, "🎲")
        r.acme.user("cho")
        await r.ann.typing(r.general)
        await r.ann.say(r.ann.dm(), "seen")
        assert (await wire.receive())["d"]["content"] == "seen"  # type: ignore[index]


async def test_content_is_empty_without_its_intent_unless_it_is_meant_for_the_bot() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app, UNPRIVILEGED)
        await r.ann.upload(r.general, name="a.txt", content=b"a", text="secret")
        hidden = await wire.until("MESSAGE_CREATE")
        assert (hidden["content"], hidden["attachments"]) == ("", [])
        await r.ann.say(r.general, "hello @dragoman")
        assert (await wire.until("MESSAGE_CREATE"))["content"] == f"hello {r.app.user.mention}"
        own = await r.post("mine")
        assert (await wire.until("MESSAGE_CREATE"))["content"] == "mine"
        await r.bob.say(r.bob.dm(), "private")
        assert (await wire.until("MESSAGE_CREATE"))["content"] == "private"
        r.app.privileged = 0
        listed = (await r.call(f"GET /channels/{r.general.id}/messages")).body
        assert [each["content"] for each in listed] == [own["content"], f"hello {r.app.user.mention}", ""]


async def test_shards_share_the_guilds_and_the_first_has_direct_messages() -> None:
    async with rig() as r:
        guilds = [r.acme, *(r.discord.guild(f"guild{number}") for number in range(5))]
        wires = []
        for shard in range(2):
            wire = await r.wire()
            ready = await wire.identify(r.app, shard=[shard, 2])
            mine = {guild.id for guild in guilds if (int(guild.id) >> 22) % 2 == shard}
            assert {each["id"] for each in ready["guilds"]} == mine
            for _ in mine:
                await wire.until("GUILD_CREATE")
            wires.append(wire)
        for guild in guilds:
            channel, user = guild.channel("talk"), guild.user(f"user-{guild.name}")
            await user.say(channel, "hi")
            seen = await wires[(int(guild.id) >> 22) % 2].until("MESSAGE_CREATE")
            assert seen["guild_id"] == guild.id
        await r.ann.say(r.ann.dm(), "psst")
        assert (await wires[0].until("MESSAGE_CREATE"))["content"] == "psst"


# Sessions


async def _resumed(r: Rig, ready: dict[str, Any], seq: int) -> Wire | None:
    """A connection that resumes; `None` if it may not."""
    wire = await r.wire(ready["resume_gateway_url"])
    await wire.until(10)
    await wire.send(6, {"token": r.app.token, "session_id": ready["session_id"], "seq": seq})
    if (await wire.receive())["op"] == 9:  # type: ignore[index]
        assert wire.seen[-1]["d"] is False
        return None
    return wire


async def test_a_session_without_a_connection_is_told_afterwards() -> None:
    async with rig() as r:
        wire = await r.wire()
        ready = await wire.identify(r.app)
        await wire.until("GUILD_CREATE")
        seq = wire.seen[-1]["s"]
        assert r.discord.drop_sockets() == 1
        await r.discord.until(lambda: not r.app.connected)
        for number in range(3):
            await r.ann.say(r.general, f"missed {number}")
        again = await _resumed(r, ready, seq)
        assert again is not None
        await again.until("RESUMED")
        missed = [payload for payload in again.seen if payload["t"] == "MESSAGE_CREATE"]
        assert [payload["d"]["content"] for payload in missed] == ["missed 0", "missed 1", "missed 2"]
        assert [payload["s"] for payload in again.seen if payload["t"]] == [seq + 1, seq + 2, seq + 3, seq + 4]
        await r.ann.say(r.general, "live")
        assert (await again.until("MESSAGE_CREATE"))["content"] == "live"


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_client_that_says_goodbye_ends_its_session(code: int) -> None:
    async with rig() as r:
        wire = await r.wire()
        ready = await wire.identify(r.app)
        await wire.ws.close(code=code)
        await r.discord.until(lambda: not r.app.connected)
        assert await _resumed(r, ready, 1) is None


async def test_a_session_ends_after_a_while_or_when_it_is_forgotten() -> None:
    async with rig(resume_window=60) as r:
        ends: tuple[Callable[[], None], ...] = (lambda: r.discord.advance(61), r.discord.expire_sessions)
        for end in ends:
            wire = await r.wire()
            ready = await wire.identify(r.app)
            await wire.ws.close(code=4000)
            await r.discord.until(lambda: not r.app.connected)
            end()
            assert await _resumed(r, ready, 1) is None


async def test_a_sequence_that_was_never_sent_closes_it() -> None:
    async with rig() as r:
        wire = await r.wire()
        ready = await wire.identify(r.app)
        await wire.ws.close(code=4000)
        again = await r.wire()
        await again.send(6, {"token": r.app.token, "session_id": ready["session_id"], "seq": 999})
        assert await again.code() == 4007


async def test_what_is_too_long_ago_cannot_be_replayed() -> None:
    async with rig(keep=2) as r:
        wire = await r.wire()
        ready = await wire.identify(r.app)
        await wire.ws.close(code=4000)
        await r.discord.until(lambda: not r.app.connected)
        for _ in range(3):
            await r.ann.say(r.general, "missed")
        assert await _resumed(r, ready, 2) is None


async def test_op_7_and_op_9_on_demand() -> None:
    async with rig() as r:
        wire = await r.wire()
        ready = await wire.identify(r.app)
        r.discord.reconnect()
        await wire.until(7)
        r.discord.invalidate(resumable=True)
        assert await wire.until(9) is True
        seq = max(payload["s"] or 0 for payload in wire.seen)
        again = await _resumed(r, ready, seq)
        assert again is not None
        # The old connection is closed: the session has another one.
        assert await wire.code() == 4000
        r.discord.invalidate()
        assert await again.until(9) is False
        assert await _resumed(r, ready, seq) is None


async def test_sockets_are_closed_with_any_code_and_connections_refused() -> None:
    async with rig() as r:
        wire = await r.wire()
        assert r.discord.close_sockets(4000) == 1
        assert await wire.code() == 4000
        r.discord.refuse_connections(1)
        with pytest.raises(Exception, match="503"):
            await r.wire()
        await r.wire()


async def test_a_silent_gateway_says_nothing_until_it_speaks() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app)
        await wire.until("GUILD_CREATE")
        r.discord.silence()
        await r.ann.say(r.general, "later")
        waiting = asyncio.create_task(wire.until("MESSAGE_CREATE"))
        assert (await r.call("GET /users/@me")).status == 200
        assert not waiting.done()
        r.discord.speak()
        assert (await waiting)["content"] == "later"


async def test_zlib_stream_is_one_stream_over_the_whole_connection() -> None:
    async with rig() as r:
        wire = await r.wire(compress="zlib-stream")
        await wire.identify(r.app)
        await r.ann.say(r.general, "packed")
        assert (await wire.until("MESSAGE_CREATE"))["content"] == "packed"


async def test_an_unknown_compression_is_refused() -> None:
    async with rig() as r:
        assert await (await r.wire(compress="lzw")).code() == 4002


async def test_anything_can_be_sent_to_see_what_a_bot_does_with_it() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app)
        await wire.until("GUILD_CREATE")
        r.discord.dispatch("NEW_THING", {"odd": True})
        assert await wire.until("NEW_THING") == {"odd": True}
        r.discord.send_raw("garbage")
        assert (await wire.ws.receive()).data == "garbage"
