"""A real bot that joins a channel of Slack and one of Discord: what people do in one of them is seen in the other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dragoman_discord.simulator import Channel as DiscordChannel
from dragoman_discord.simulator import DiscordSimulator
from dragoman_discord.simulator import Message as DiscordMessage
from dragoman_discord.simulator import User as DiscordUser
from dragoman_slack.simulator import Channel as SlackChannel
from dragoman_slack.simulator import Message as SlackMessage
from dragoman_slack.simulator import SlackSimulator
from dragoman_slack.simulator import User as SlackUser
from support.bot import RunningBot, settings_for

JOINED = """
[skills.bridge.labels]
acme = "Slack"
guild = "Discord"

[[skills.bridge.bridges]]
channels = ["acme:#general", "guild:#general"]
"""
#: Messages from each side.
MANY = 100


@dataclass
class Town:
    """Two channels that are joined, and who is in them."""

    slack: SlackSimulator
    discord: DiscordSimulator
    ours: SlackChannel
    theirs: DiscordChannel
    ann: SlackUser
    bo: SlackUser
    cat: DiscordUser
    dan: DiscordUser

    async def copy_of(self, message: SlackMessage) -> DiscordMessage:
        """Its copy on Discord, when it is there."""
        found = await self.discord.until(lambda: [m for m in self.theirs.said if m.text.endswith(message.text)], 30)
        return found[0]

    async def copy_from(self, message: DiscordMessage) -> SlackMessage:
        """Its copy on Slack, when it is there."""
        found = await self.slack.until(lambda: [m for m in self.ours.said if m.text.endswith(message.text)], 30)
        return found[0]

    def here(self, thread: str | None = None) -> list[str]:
        """What the bot has said in the channel on Slack, or in a thread of it."""
        return [m.text for m in self.ours.said if (m.thread_ts if m.is_reply else None) == thread]


@asynccontextmanager
async def town(folder: Path, name: str) -> AsyncIterator[Town]:
    async with SlackSimulator() as slack, DiscordSimulator() as discord:
        acme, guild = slack.workspace("acme"), discord.guild("acme")
        ann, bo, cat, dan = acme.user("ann"), acme.user("bo"), guild.user("cat"), guild.user("dan")
        ours, theirs = acme.channel("general"), guild.channel("general")
        app = discord.application("dragoman")
        account = (
            f'[accounts.guild]\nplatform = "discord"\ntoken = "{app.token}"\napi_url = "{discord.api_url}"\n'
            f'gateway_url = "{discord.gateway_url}"\ncdn_url = "{discord.origin}"\nidentify_delay = 0\n'
        )
        toml = settings_for(
            slack, {"acme": acme}, broker="embedded", name=name, skills='"bridge", "dice"', more=account + JOINED
        )
        bot = RunningBot(folder, toml)
        await asyncio.to_thread(bot.__enter__)
        try:
            await slack.connected(1, timeout=40)
            await discord.connected(1, timeout=40)
            yield Town(slack, discord, ours, theirs, ann, bo, cat, dan)
        finally:
            await asyncio.to_thread(bot.stop)
        assert " ERROR " not in bot.logged()


async def test_two_hundred_messages_cross_both_ways(tmp_path: Path, namespace: str) -> None:
    """With edits, deletions and threads; none is lost, doubled or out of order in a channel."""
    async with town(tmp_path, namespace) as t:
        root, other_root = await t.ann.say(t.ours, "a Slack thread"), await t.cat.say(t.theirs, "a Discord thread")
        copy, other_copy = await t.copy_of(root), await t.copy_from(other_root)
        thread = await t.cat.start_thread(other_root, "a thread")
        there: dict[str | None, list[str]] = {None: ["**ann** (Slack): a Slack thread"], root.ts: []}
        here: dict[str | None, list[str]] = {None: ["*Cat* (Discord): a Discord thread"], other_copy.ts: []}
        later: list[tuple[int, SlackMessage, DiscordMessage]] = []
        for number in range(MANY):
            speaker, partner = (t.ann, t.cat) if number % 3 else (t.bo, t.dan)
            below = number % 5 == 4
            said = await speaker.say(t.ours, f"from Slack {number}", thread=root if below else None)
            also = await partner.say(thread if below else t.theirs, f"from Discord {number}")
            ends = ""
            if number % 7 == 3:
                await speaker.edit(said, f"from Slack {number} edited")
                await partner.edit(also, f"from Discord {number} edited")
                ends = " edited"
            if number % 9 == 5:
                await speaker.delete(said)
                await partner.delete(also)
            elif number % 9 == 7:
                later.append((number, said, also))
            else:
                there[root.ts if below else None].append(f"**{speaker.name}** (Slack): from Slack {number}{ends}")
                here[other_copy.ts if below else None].append(
                    f"*{partner.global_name}* (Discord): from Discord {number}{ends}"
                )
        for _, said, also in later:
            speaker, partner = t.ours.workspace.users[said.user], also.author
            await speaker.delete(said)
            await partner.delete(also)

        def on_discord() -> dict[str | None, list[str]]:
            below = [m.text for m in copy.thread.said] if copy.thread is not None else []
            return {None: [m.text for m in t.theirs.said], root.ts: below}

        def on_slack() -> dict[str | None, list[str]]:
            return {None: t.here(), other_copy.ts: t.here(other_copy.ts)}

        with contextlib.suppress(TimeoutError):  # what is wrong is told better below
            await t.discord.until(lambda: on_discord() == there, 60)
            await t.slack.until(lambda: on_slack() == here, 60)
        assert on_discord() == there
        assert on_slack() == here
        await t.slack.settled()
    # Nothing came after it, and it has finished what it had in hand.
    assert (on_discord(), on_slack()) == (there, here)


async def test_files_reactions_and_long_texts_cross_both_ways(tmp_path: Path, namespace: str) -> None:
    async with town(tmp_path, namespace) as t:
        picture, sheet = bytes(range(256)) * 500, b"a,b\n1,2\n"
        said = await t.ann.say(t.ours, "look", files=[("picture.png", picture), ("sheet.csv", sheet)])
        also = await t.cat.say(t.theirs, "", files={"picture.png": picture})
        shown = await t.discord.until(lambda: [m for m in t.theirs.said if len(m.attachments) == 2], 30)
        assert [(file.name, file.content) for file in shown[0].attachments] == [
            ("picture.png", picture),
            ("sheet.csv", sheet),
        ]
        (seen,) = await t.slack.until(lambda: [m for m in t.ours.said if m.files], 30)
        assert [(file.name, file.content) for file in seen.files or ()] == [("picture.png", picture)]
        words = await t.copy_of(said)
        assert words.text == "**ann** (Slack): look"
        assert "*Cat* (Discord): 📎 picture.png" in t.here()

        # On Discord people reply to the copies, which the bot has said, and do not mean the bot.
        await t.dan.reply(words, "nice")
        await t.slack.until(lambda: "*Dan* (Discord): nice" in t.here(), 30)

        # The bot's emoji stays until the last one elsewhere has taken theirs away, and one that Discord does not
        # have stops nothing.
        await t.bo.react(said, "shipit")
        for who in (t.ann, t.bo):
            await who.react(said, "tada")
        await t.dan.react(words, "👋")
        await t.discord.until(lambda: list(words.reactions) == ["👋", "🎉"], 30)
        await t.slack.until(lambda: "wave" in said.reactions, 30)
        await t.ann.unreact(said, "tada")
        await t.dan.unreact(words, "👋")
        await t.slack.until(lambda: "wave" not in said.reactions, 30)
        assert len(words.reactions["🎉"]) == 1
        await t.bo.unreact(said, "tada")
        await t.discord.until(lambda: not words.reactions.get("🎉"), 30)

        # A text that Discord cannot hold in one message is edited and deleted whole.
        long = " ".join(f"word{number}" for number in range(1000))
        told = await t.ann.say(t.ours, long)
        await t.discord.until(lambda: t.theirs.said[-1].text.endswith("word999"), 30)
        await t.ann.edit(told, f"{long} more")
        await t.discord.until(lambda: t.theirs.said[-1].text.endswith("word999 more"), 30)
        texts = [m.text for m in t.theirs.said if "word" in m.text]
        assert " ".join(texts) == f"**ann** (Slack): {long} more"
        await t.ann.delete(told)
        await t.ann.delete(said)
        await t.discord.until(lambda: t.theirs.said == [], 30)
        await t.cat.delete(also)
        await t.slack.until(lambda: t.here() == ["*Dan* (Discord): nice"], 30)
