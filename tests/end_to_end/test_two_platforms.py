"""The same skills, untouched, on Slack and on Discord side by side: one gateway, one queue for each skill."""

import asyncio
from pathlib import Path

from dragoman_discord.simulator import DiscordSimulator
from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for


async def test_one_question_on_two_platforms(tmp_path: Path, namespace: str) -> None:
    async with SlackSimulator() as slack, DiscordSimulator() as discord:
        acme, guild = slack.workspace("acme"), discord.guild("acme")
        ann, bob = acme.user("ann"), guild.user("bob")
        ours, theirs = acme.channel("general", members=[ann]), guild.channel("general")
        app = discord.application("dragoman")
        more = (
            f'[accounts.guild]\nplatform = "discord"\ntoken = "{app.token}"\napi_url = "{discord.api_url}"\n'
            f'gateway_url = "{discord.gateway_url}"\nidentify_delay = 0\n'
        )
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace, more=more)
        bot = RunningBot(tmp_path, toml)
        await asyncio.to_thread(bot.__enter__)
        try:
            await slack.connected(1, timeout=40)
            await discord.connected(1, timeout=40)
            asked = await ann.say(ours, "@dragoman echo both")
            assert (await ours.reply_to(asked, timeout=30)).text == "echo both"
            also = await bob.say(theirs, f"<@{app.user.id}> echo both")
            assert (await theirs.reply_to(also, timeout=30)).text == "echo both"

            # The command that a skill declares is a slash command there, with its parameters.
            await discord.until(lambda: "roll" in {command.name for command in app.commands.values()}, 30)
            used = await bob.slash(theirs, "roll", dice="1d1", times=2)
            answer = await used.reply(timeout=30)
            assert answer.text == "🎲 **1**\n🎲 **1**"
        finally:
            await asyncio.to_thread(bot.stop)
