"""Who somebody is comes from the platform, by way of the gateway's directory, before their first message is routed."""

import asyncio
from pathlib import Path

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for

SKILL = """
from dragoman import Context, Cooldown, Skill, User

skill = Skill("people")


@skill.command()
def whoami(ctx: Context) -> str:
    person = ctx.person
    return f"{person.name} in {person.timezone} as {' and '.join(person.roles)} in #{ctx.event.channel_name}"


@skill.command()
def whois(ctx: Context, user: User) -> str:
    return ctx.look_up(user).name


@skill.command(allow=("admin",))
def secret() -> str:
    return "the secret"


@skill.command(name="deploy start", cooldown=Cooldown(times=1, per=3600, scope="bot"))
def start(ctx: Context, app: str) -> None:
    ctx.reply(f"deploying {app}")
    ctx.send("#announcements", f"{app} is being deployed")
    ctx.send(ctx.person, "you did that")
"""

RULES = """
[[rules]]
allow = false
commands = ["whois"]
channels = ["#quiet"]
reason = "Not here, please."
"""


async def test_people_roles_rules_and_channels_by_name(tmp_path: Path, namespace: str) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann", tz="Asia/Tokyo", admin=True)
        bob = acme.user("bob")
        general, quiet = acme.channel("general", members=[ann, bob]), acme.channel("quiet", members=[ann])
        news = acme.channel("announcements", members=[ann])
        acme.app.commands = {"/deploy"}
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace, more=RULES)
        bot = RunningBot(tmp_path, toml, skills=SKILL)
        await asyncio.to_thread(bot.__enter__)
        try:
            await slack.connected(1, timeout=40)
            said = await ann.say(general, "@dragoman whoami")
            answer = await general.reply_to(said, timeout=30)
            assert answer.text.startswith("ann in Asia/Tokyo as admin and")
            assert answer.text.endswith("in #general")

            # Somebody who has never spoken is asked for.
            said = await ann.say(general, f"@dragoman whois <@{bob.id}>")
            assert (await general.reply_to(said, timeout=30)).text == "bob"
            said = await ann.say(quiet, f"@dragoman whois <@{bob.id}>")
            assert (await quiet.reply_to(said, timeout=30)).text == "Not here, please."

            said = await bob.say(general, "@dragoman secret")
            assert "it is for admin" in (await general.reply_to(said, timeout=30)).text
            said = await ann.say(general, "@dragoman secret")
            assert (await general.reply_to(said, timeout=30)).text == "the secret"

            # A slash command is the same command; what it says goes to three places.
            await ann.slash("/deploy start web", general)
            await slack.until(lambda: any(m.text == "deploying web" for m in general.said), 30)
            await slack.until(lambda: any(m.text == "web is being deployed" for m in news.said), 30)
            await slack.until(lambda: any(m.text == "you did that" for m in ann.dm().said), 30)
            said = await bob.say(general, "@dragoman deploy start web")
            assert "`deploy start`" in (await general.reply_to(said, timeout=30)).text
            assert len([m for m in news.said if "deployed" in m.text]) == 1
        finally:
            await asyncio.to_thread(bot.stop)
