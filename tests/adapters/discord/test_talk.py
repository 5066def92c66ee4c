"""The adapter on the simulated Discord: people talk, and it stays up."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adapters.discord.adapter_rig import Rig, make, rig
from dragoman import (
    AccountError,
    Content,
    Context,
    Delete,
    Deleted,
    Edit,
    Edited,
    EventBase,
    MemberJoined,
    Message,
    PersonChanged,
    React,
    Reaction,
    Skill,
    SlashCommand,
    Target,
    Typing,
    User,
    action_key,
)
from dragoman_discord.simulator import DiscordSimulator


async def test_check_says_who_we_are_and_what_is_off() -> None:
    async with rig(running=False) as r:
        assert await r.adapter.check() == f"dragoman ({r.app.user.id})"
    async with DiscordSimulator() as discord:
        discord.application("dragoman", privileged=0)
        r = Rig(discord)
        with pytest.raises(AccountError, match="Server Members Intent and Message Content Intent"):
            await r.adapter.check()
        with pytest.raises(AccountError, match=r"privileged intents.*4014"):
            async with asyncio.timeout(10):
                await r.adapter.run(r.receive, r.ready.set)
        await r.adapter.close()


async def test_a_wrong_token_ends_it_at_once() -> None:
    async with rig(running=False, settings={"token": "wrong.token"}) as r:
        with pytest.raises(AccountError, match="does not take the token"):
            async with asyncio.timeout(10):
                await r.adapter.run(r.receive, r.ready.set)


async def test_a_conversation() -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, "@dragoman **hello** @ann #general")
        [event] = await r.got(1)
        assert isinstance(event, Message)
        assert (event.addressed, event.address, event.channel_name) == (True, r.address(), "general")
        assert event.person is not None
        assert event.person.name == "Ann"
        assert event.request == f"**hello** <@{r.ann.id}> <#{r.general.id}>"
        assert event.content.text.endswith(
            f" **hello** [@Ann](dragoman:user/{r.ann.id}) [#general](dragoman:channel/{r.general.id})"
        )
        answer = r.send(f"Hi {User(id=r.ann.id, name='Ann').mention}!", action_key(event.key, "x.y", 0))
        sent = await r.adapter.perform(answer)
        reply = await r.general.reply_to(said)
        assert (reply.id, reply.content, reply.reference) == (sent.ids[0], f"Hi <@{r.ann.id}>!", said.id)

        await r.ann.reply(reply, "and again")
        [_, again] = await r.got(2)
        assert isinstance(again, Message)
        assert (again.addressed, again.request) == (True, "and again")

        edit = Edit(key="e", address=r.address(), target=Target(id=reply.id), content=Content(text="*changed*"))
        assert (await r.adapter.perform(edit)).ids == (reply.id,)
        assert reply.content == "*changed*"
        await r.adapter.perform(React(key="r", address=r.address(), target=Target(id=said.id), emoji="eyes"))
        await r.adapter.perform(
            React(key="q", address=r.address(), target=Target(id=said.id), emoji="eyes", remove=True)
        )
        await r.adapter.perform(Typing(key="t", address=r.address()))
        await r.adapter.perform(Delete(key="d", address=r.address(), target=Target(id=reply.id)))
        assert reply.deleted
        assert len(r.events) == 2, "nothing that the bot did is an event"


async def test_edits_deletions_reactions_joins_and_changes() -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, "one")
        await r.ann.edit(said, "two")
        await r.ann.react(said, "👍")
        await r.ann.unreact(said, "👍")
        await r.ann.delete(said)
        bob = r.acme.user("bob")
        ops = r.acme.role("Ops")
        r.acme.change(bob, nick="Bobby", roles=[ops])
        events = await r.got(7)
        kinds: list[type[Any]] = [Message, Edited, Reaction, Reaction, Deleted, MemberJoined, PersonChanged]
        assert [type(event) for event in events] == kinds
        reaction, changed = events[2], events[6]
        assert isinstance(reaction, Reaction)
        assert (reaction.emoji, reaction.id, reaction.added) == ("+1", said.id, True)
        assert changed.person is not None
        assert (changed.person.name, changed.person.roles) == ("Bobby", ("member", "ops"))
        assert len({event.key for event in events}) == 7


async def test_direct_messages_both_ways() -> None:
    async with rig() as r:
        dm = r.ann.dm()
        said = await r.ann.say(dm, "help")
        [event] = await r.got(1)
        assert (event.conversation, event.addressed, event.address.tenant) == ("direct", True, "@me")
        await r.adapter.perform(r.send("Yes?", action_key(event.key, "x.y", 0), address=event.address))
        assert (await dm.reply_to(said)).content == "Yes?"
        channel = await r.adapter.look_up_channel(f"@{r.ann.id}", r.acme.id)
        assert channel is not None
        assert channel.id == dm.id


async def test_threads_both_ways() -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, "look")
        thread = await r.ann.start_thread(said, "a thread")
        await r.ann.say(thread, "inside")
        events = await r.discord.until(lambda: [event for event in r.events if event.address.thread])
        assert events[0].address == r.address(thread=thread.id)
        await r.adapter.perform(r.send("me too", address=events[0].address))
        await r.discord.until(lambda: [message.content for message in thread.said] == ["me too"])


async def test_an_answer_in_a_thread_that_is_not_there_yet_starts_it() -> None:
    async with rig() as r:
        said = await r.ann.say(r.general, "look")
        await r.adapter.perform(r.send("Details follow", address=r.address(thread=said.id)))
        assert said.thread is not None
        assert [message.content for message in said.thread.said] == ["Details follow"]


async def test_a_repeated_send_is_no_second_message_even_if_discord_did_not_say_that_it_was_done() -> None:
    async with rig() as r:
        r.discord.hang_up("POST /channels/{channel_id}/messages", performed=True)
        with pytest.raises(Exception, match="no answer"):
            await r.adapter.perform(r.send("once"))
        sent = await r.adapter.perform(r.send("once", again=True))
        assert [message.id for message in r.general.said] == list(sent.ids)


async def test_after_a_restart_what_was_sent_is_found() -> None:
    async with rig(running=False) as r:
        sent = await r.adapter.perform(r.send("once"))
        r.discord.advance(1000)  # the nonce is forgotten
        restarted = make(r.discord)
        assert (await restarted.perform(r.send("once", again=True))).ids == sent.ids
        await restarted.close()
        assert len(r.general.said) == 1


# Slash commands


def dice() -> Skill:
    skill = Skill("dice")

    @skill.command()
    def roll(ctx: Context, dice: str = "1d6", times: int = 1) -> str:
        """Roll dice."""
        return ""

    @skill.command(name="deploy start")
    def start(ctx: Context, who: User, sure: bool) -> str:
        """Begin."""
        return ""

    return skill


async def test_commands_are_offered_once_used_and_answered() -> None:
    async with rig() as r:
        await r.adapter.offer([dice().manifest()])
        before = len(r.discord.calls)
        await r.adapter.offer([dice().manifest()])
        other = make(r.discord)
        await other.offer([dice().manifest()])
        await other.close()
        assert {call.route.split(" ")[0] for call in list(r.discord.calls)[before:]} == {"GET"}
        used = await r.ann.slash(r.general, "deploy start", who=r.ann, sure=True)
        [event] = await r.got(1)
        assert isinstance(event, SlashCommand)
        assert (event.name, event.options) == ("deploy start", {"who": f"<@{r.ann.id}|Ann>", "sure": "true"})
        assert event.person is not None
        assert event.person.locale == "en-US"
        for ordinal, text in enumerate(("one", "two")):
            key = action_key(event.key, "dice.start", ordinal)
            sent = await r.adapter.perform(r.send(text, key, ordinal=ordinal))
            assert sent.ids == (used.said[ordinal].id,)
        assert [message.content for message in used.said] == ["one", "two"]
        assert used.callback == 4
        edit = Edit(key="e", address=event.address, target=Target(id=used.said[0].id), content=Content(text="1"))
        await r.adapter.perform(edit)
        assert used.said[0].content == "1"


async def test_a_slow_answer_is_announced_and_a_very_late_one_goes_to_the_channel() -> None:
    async with rig(settings={"patience": 0}) as r:
        await r.adapter.offer([dice().manifest()])
        used = await r.ann.slash(r.general, "roll", times=2)
        await r.discord.until(lambda: used.state == "thinking")
        [event] = await r.got(1)
        await r.adapter.perform(r.send("slow", action_key(event.key, "dice.roll", 0)))
        assert [message.content for message in used.said] == ["slow"]
        assert used.callback == 5
        r.discord.advance(1000)
        await r.adapter.perform(r.send("late", action_key(event.key, "dice.roll", 1), ordinal=1))
        assert [message.content for message in r.general.said] == ["slow", "late"]
        assert len(used.said) == 1


# Staying up


@pytest.mark.parametrize(
    "trouble",
    [
        lambda discord: discord.reconnect(),
        lambda discord: discord.invalidate(resumable=True),
        lambda discord: discord.invalidate(),
        lambda discord: discord.drop_sockets(),
        lambda discord: discord.close_sockets(4000),
        lambda discord: discord.close_sockets(4009),
        lambda discord: (discord.expire_sessions(), discord.drop_sockets()),
        lambda discord: discord.send_raw("{"),
        lambda discord: discord.dispatch("MESSAGE_CREATE", {"id": None}),
        lambda discord: discord.dispatch("SOMETHING_NEW", {}),
        lambda discord: discord.ask_heartbeat(),
    ],
    ids=["op 7", "op 9 resumable", "op 9", "dropped", "4000", "4009", "expired", "raw", "malformed", "new", "op 1"],
)
async def test_whatever_happens_to_the_connection_every_message_comes_once(
    trouble: Callable[[DiscordSimulator], Any],
) -> None:
    async with rig() as r:
        for number in range(5):
            await r.ann.say(r.general, f"a{number}")
        await r.got(5)
        trouble(r.discord)
        for number in range(20):
            await r.ann.say(r.general, f"b{number}")
        texts = await r.texts(25)
        await r.discord.connected()
        await r.ann.say(r.general, "end")
        texts = await r.texts(26)
        assert sorted(texts) == sorted([*(f"a{n}" for n in range(5)), *(f"b{n}" for n in range(20)), "end"])


async def test_what_was_said_directly_while_there_was_no_session_is_read() -> None:
    async with rig() as r:
        await r.ann.say(r.ann.dm(), "before")
        await r.got(1)
        r.discord.refuse_connections(1)
        r.discord.expire_sessions()
        r.discord.drop_sockets()
        await r.ann.say(r.ann.dm(), "meanwhile")
        await r.ann.say(r.general, "and here")
        assert sorted(await r.texts(3)) == ["and here", "before", "meanwhile"]
        assert r.discord.identifies == 2


async def test_silence_is_noticed() -> None:
    async with rig(settings={"heartbeat_timeout": 0.3}, heartbeat_interval=0.1) as r:
        r.discord.silence()
        await r.ann.say(r.general, "unheard")
        await r.discord.until(lambda: not any(app.connected for app in r.discord.applications.values()))
        r.discord.recover()
        assert await r.texts(1) == ["unheard"]


async def test_what_could_not_be_taken_is_taken_later() -> None:
    async with rig() as r:
        failures = 2

        async def taking(event: EventBase) -> None:
            nonlocal failures
            failures -= 1
            if failures >= 0:
                raise OSError("disk full")

        r.taking = taking
        for number in range(3):
            await r.ann.say(r.general, f"{number}")
        assert await r.texts(3) == ["0", "1", "2"]


async def test_several_shards_share_the_guilds() -> None:
    async with rig(settings={"shards": 3}) as r:
        others = [r.discord.guild(f"guild{number}") for number in range(4)]
        for guild in others:
            await guild.user(f"{guild.name}-ann").say(guild.channel("lobby"), guild.name)
        texts = await r.texts(8)
        assert sorted(texts) == [guild.name for guild in others]
