"""A real discord.py client lives with the simulator: whatever it parses, Discord could have sent."""

import asyncio
import io
from typing import Any

import discord
import pytest

from adapters.discord.spec_rig import Client, Rig, rig


async def test_a_client_logs_in_and_knows_the_guild() -> None:
    async with rig() as r:
        role = r.acme.role("crew", r.ann)
        emoji = r.acme.custom_emoji("blob")
        thread = await r.ann.start_thread(r.general, "plans")
        client = await r.client()
        assert client.user is not None
        assert str(client.user.id) == r.app.user.id
        (guild,) = client.guilds
        assert (guild.name, guild.owner_id) == ("acme", int(r.ann.id))
        assert {member.name for member in guild.members} == {"ann", "bob", "dragoman"}
        assert guild.get_role(int(role.id)) in guild.get_member(int(r.ann.id)).roles  # type: ignore[union-attr]
        assert [each.name for each in guild.emojis] == [emoji.name]
        assert [channel.name for channel in guild.text_channels] == ["general"]
        assert [(each.id, each.name) for each in guild.threads] == [(int(thread.id), "plans")]


async def test_what_people_do_arrives_as_discord_py_events() -> None:
    async with rig() as r:
        client = await r.client()
        said = await r.ann.say(r.general, "hello @dragoman and @bob in #general")
        message: discord.Message = await client.next("message", lambda each: each.author.name == "ann")
        assert message.content == f"hello <@{r.app.user.id}> and <@{r.bob.id}> in <#{r.general.id}>"
        assert [user.name for user in message.mentions] == ["dragoman", "bob"]
        assert message.author.display_name == "Ann Lee"
        answer = await r.bob.reply(said, "hi")
        replied = await client.next("message", lambda each: each.id == int(answer.id))
        assert replied.reference.message_id == message.id
        assert replied.type is discord.MessageType.reply
        assert replied.reference.resolved == message
        await r.ann.edit(said, "hello all")
        before, after = await client.next("message_edit", lambda _, after: after.id == message.id)
        assert (before.content, after.content) != (after.content, before.content)
        assert after.content == "hello all"
        assert after.edited_at is not None
        await r.bob.react(said, "🎲")
        reaction, user = await client.next("reaction_add")
        assert (str(reaction.emoji), user.name) == ("🎲", "bob")
        await r.bob.unreact(said, "🎲")
        await client.next("reaction_remove")
        await r.ann.typing(r.general)
        await client.next("typing")
        await r.ann.delete(said)
        gone = await client.next("message_delete")
        assert gone.id == message.id


async def test_custom_emoji_files_joins_and_roles_arrive() -> None:
    async with rig() as r:
        client = await r.client()
        blob = r.acme.custom_emoji("blob")
        said = await r.ann.upload(r.general, name="plan.txt", content=b"do it", text="see :blob:")
        message = await client.next("message")
        assert message.content == f"see <:blob:{blob.id}>"
        (attachment,) = message.attachments
        assert (attachment.filename, await attachment.read()) == ("plan.txt", b"do it")
        await r.bob.react(said, blob)
        reaction, _ = await client.next("reaction_add")
        assert reaction.emoji.id == int(blob.id)
        cho = r.acme.user("cho")
        assert (await client.next("member_join")).name == "cho"
        r.acme.role("crew", cho)
        _, member = await client.next("member_update", lambda _, after: len(after.roles) > 1)
        assert [role.name for role in member.roles] == ["@everyone", "crew"]
        await cho.change(r.acme, nick="Chief")
        await client.next("member_update", lambda _, after: after.nick == "Chief")
        await cho.leave(r.acme)
        assert (await client.next("member_remove")).name == "cho"


async def test_threads_and_direct_messages_arrive() -> None:
    async with rig() as r:
        client = await r.client()
        said = await r.ann.say(r.general, "a plan?")
        thread = await r.bob.start_thread(said, "plans")
        assert thread.id == said.id
        found = await client.next("thread_create")
        assert (found.id, found.name, found.parent.name) == (int(said.id), "plans", "general")
        await r.ann.say(thread, "in here")
        message = await client.next("message", lambda each: each.content == "in here")
        assert message.channel.id == found.id
        await r.ann.archive(thread)
        _, after = await client.next("thread_update", lambda _, after: after.archived)
        assert after.id == found.id
        await r.ann.say(r.ann.dm(), "psst")
        private = await client.next("message", lambda each: each.content == "psst")
        assert isinstance(private.channel, discord.DMChannel)
        assert private.author.name == "ann"


async def test_channels_come_change_and_go() -> None:
    async with rig() as r:
        client = await r.client()
        random = r.acme.channel("random")
        assert (await client.next("guild_channel_create")).name == "random"
        random.deny(r.acme.id, "SEND_MESSAGES")
        _, after = await client.next("guild_channel_update")
        assert after.overwrites_for(after.guild.default_role).send_messages is False
        r.acme.remove(random)
        assert (await client.next("guild_channel_delete")).name == "random"
        other = r.discord.guild("other")
        assert (await client.next("guild_join")).name == "other"
        r.app.leave(other)
        assert (await client.next("guild_remove")).name == "other"


async def test_a_client_posts_edits_reacts_and_deletes() -> None:
    async with rig() as r:
        client = await r.client()
        channel: Any = client.get_channel(int(r.general.id))
        asked = await r.ann.say(r.general, "roll @dragoman")
        question = await client.next("message", lambda each: each.author.name == "ann")
        async with channel.typing():
            posted = await question.reply("6", nonce="abc", mention_author=False)
        answer = await r.general.reply_to(asked)
        assert (answer.content, answer.reference, answer.mentions) == ("6", asked.id, [])
        assert r.discord.typings == [(r.general, r.app.user)]
        assert posted.reference.message_id == question.id
        await posted.edit(content="6!")
        assert answer.content == "6!"
        await posted.add_reaction("🎲")
        assert answer.reactions == {"🎲": [r.app.user.id]}
        assert [user.id async for user in (await posted.fetch()).reactions[0].users()] == [int(r.app.user.id)]
        await posted.remove_reaction("🎲", client.user)
        assert answer.reactions == {}
        file = await channel.send(file=discord.File(io.BytesIO(b"bytes"), "a.bin", description="a file"))
        assert await (await channel.fetch_message(file.id)).attachments[0].read() == b"bytes"
        assert [each.id async for each in channel.history(limit=2)] == [file.id, posted.id]
        await posted.delete()
        assert answer.deleted
        assert [each.content for each in r.discord.said(channel=r.general)] == [""]
        thread = await question.create_thread(name="more")
        await thread.send("in the thread")
        assert asked.thread is not None
        assert [each.content for each in asked.thread.said] == ["in the thread"]
        loose = await channel.create_thread(name="loose", type=discord.ChannelType.public_thread)
        assert loose.name == "loose"
        user = await client.fetch_user(int(r.bob.id))
        await user.send("psst")
        assert [each.content for each in r.bob.dm().said] == ["psst"]
        assert (await (await client.fetch_guild(int(r.acme.id))).fetch_member(int(r.ann.id))).name == "ann"


async def test_a_slash_command_with_typed_options_is_answered() -> None:
    async with rig() as r:
        client = await r.client()
        tree = discord.app_commands.CommandTree(client)

        @tree.command(description="Roll dice")
        async def roll(
            interaction: discord.Interaction[Any], dice: str, times: int = 1, who: discord.Member | None = None
        ) -> None:
            await interaction.response.send_message(f"{dice} {times} {who and who.name}")
            await interaction.followup.send("and more", ephemeral=True)
            await interaction.edit_original_response(content="edited")

        @tree.command(description="Think", guild=discord.Object(int(r.acme.id)))
        async def think(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.defer()
            await interaction.followup.send("thought")

        await tree.sync()
        await tree.sync(guild=discord.Object(int(r.acme.id)))
        rolled = await r.ann.slash(r.general, "roll", dice="2d6", times=3, who=r.bob)
        await r.discord.until(lambda: len(rolled.said) == 2 and rolled.said[0].content == "edited")
        first, second = rolled.said
        assert second.ephemeral
        assert second.seen_by is r.ann
        assert r.general.messages == [first]
        assert rolled.state == "answered"
        thinking = await r.ann.slash(r.general, "think")
        assert (await thinking.reply()).content == "thought"
        assert len(thinking.messages) == 1
        direct = await r.ann.slash(r.ann.dm(), "roll", dice="d4")
        await r.discord.until(lambda: direct.said and direct.said[0].content == "edited")
        with pytest.raises(ValueError, match="nobody offers /think"):
            await r.ann.slash(r.ann.dm(), "think")


async def test_a_slash_command_completes_what_is_typed() -> None:
    async with rig() as r:
        client = await r.client()
        tree = discord.app_commands.CommandTree(client)

        @tree.command(description="Roll dice")
        async def roll(interaction: discord.Interaction[Any], dice: str) -> None: ...

        @roll.autocomplete("dice")
        async def complete(
            interaction: discord.Interaction[Any], current: str
        ) -> list[discord.app_commands.Choice[str]]:
            return [discord.app_commands.Choice(name=f"{current}6", value=f"{current}6")]

        await tree.sync()
        typing = await r.ann.complete(r.general, "roll", "dice", "2d")
        assert [choice["value"] for choice in await typing.completions()] == ["2d6"]


async def test_other_bots_and_joins_arrive() -> None:
    async with rig() as r:
        client = await r.client()
        other = r.discord.application("other")
        posted = await r.call(f"POST /channels/{r.general.id}/messages", {"content": "beep"}, token=other.token)
        message = await client.next("message", lambda each: each.content == "beep")
        assert message.author.bot
        assert (str(message.author.id), str(message.id)) == (other.user.id, posted.body["id"])
        r.acme.system = r.general
        r.acme.user("cho")
        joined = await client.next("message", lambda each: each.type is discord.MessageType.new_member)
        assert joined.author.name == "cho"


@pytest.mark.parametrize("how", ["reconnect", "invalidate"])
async def test_a_client_resumes_and_misses_nothing(how: str) -> None:
    async with rig() as r:
        client = await r.client()
        await r.ann.say(r.general, "one")
        await client.next("message", lambda each: each.content == "one")
        getattr(r.discord, how)(**({"resumable": True} if how == "invalidate" else {}))
        for text in ("two", "three"):
            await r.ann.say(r.general, text)
        await client.next("resumed")
        await client.next("message", lambda each: each.content == "three")
        texts = [args[0].content for name, args in client.heard if name == "message"]
        assert texts == ["one", "two", "three"]
        assert (r.discord.identifies, r.discord.resumes) == (1, 1)


async def test_a_wrong_token_and_missing_intents_are_refused() -> None:
    async with rig() as r:
        token, r.app.token = r.app.token, "another"
        with pytest.raises(discord.LoginFailure):
            await _start(r, token)
        r.app.privileged = 0
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await _start(r, r.app.token)


async def _start(r: Rig, token: str) -> None:
    client = Client(r.discord, discord.Intents.all())
    try:
        async with asyncio.timeout(10):
            await client.start(token)
    finally:
        await client.close()
