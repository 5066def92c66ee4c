"""The bot directory for two platforms, copied as its README says, against simulators of both."""

import re
import shutil
from pathlib import Path

from dragoman.settings import load
from dragoman_discord.simulator import DiscordSimulator
from dragoman_discord.simulator.permissions import bits
from dragoman_slack.simulator import SlackSimulator
from end_to_end.test_way_round import running
from house.rooms import HOUSE
from support.bot import RunningBot

EXAMPLE = HOUSE / "examples" / "two_platforms"
NEEDED = (
    "VIEW_CHANNEL",
    "READ_MESSAGE_HISTORY",
    "SEND_MESSAGES",
    "SEND_MESSAGES_IN_THREADS",
    "CREATE_PUBLIC_THREADS",
    "ADD_REACTIONS",
    "ATTACH_FILES",
    "USE_EXTERNAL_EMOJIS",
)


def copied(folder: Path, **tokens: str) -> RunningBot:
    """As the README says, with tokens in ``.env``; what else is given leads to the simulators."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    written = (EXAMPLE / ".env.example").read_text(encoding="utf-8")
    for name, token in tokens.items():
        line = f"DRAGOMAN_ACCOUNTS__{name}="
        written = re.sub(rf"^{line}$", line + token, written, flags=re.MULTILINE)
        if line + token not in written:
            written += f"{line}{token}\n"
    (folder / ".env").write_text(written, encoding="utf-8")
    skill = (EXAMPLE / "skills" / "tea.py").read_text(encoding="utf-8")
    bot = RunningBot(folder, (EXAMPLE / "dragoman.toml").read_text(encoding="utf-8"), skill)
    (folder / "skills" / "tea.py").unlink()  # it is there under the name that RunningBot gives it
    return bot


async def test_the_copied_bot_answers_on_both(tmp_path: Path) -> None:
    async with SlackSimulator() as slack, DiscordSimulator() as discord:
        acme, guild = slack.workspace("acme"), discord.guild("acme")
        ann, bob = acme.user("ann"), guild.user("bob")
        here, there = acme.channel("general", members=[ann]), guild.channel("general")
        app = discord.application("dragoman")
        bot = copied(
            tmp_path,
            ACME__BOT_TOKEN=acme.app.bot_token,
            ACME__APP_TOKEN=acme.app.app_token,
            ACME__API_URL=slack.url,
            GUILD__TOKEN=app.token,
            GUILD__API_URL=discord.api_url,
        )
        async with running(bot):
            await slack.connected(1, timeout=40)
            await discord.connected(1, timeout=40)
            asked = await ann.say(here, "@dragoman brew 2 black")
            assert (await here.reply_to(asked, timeout=30)).text == "*2* black, coming up. That makes 2 today."
            await discord.until(lambda: "brew" in {command.name for command in app.commands.values()}, 30)
            used = await bob.slash(there, "brew", cups=3, kind="green")
            answer = await used.reply(timeout=30)
            assert answer.text == "**3** green, coming up. That makes 5 today."

            wish = await bob.say(there, "I would like some tea")
            await discord.until(lambda: "🍵" in wish.reactions, 20)
            heard = await ann.say(here, "more tea, anybody?")
            await slack.until(lambda: "tea" in heard.reactions, 20)
            await bob.react(answer, "🍵")
            await discord.until(lambda: "❤️" in answer.reactions, 20)


def test_it_is_complete_but_for_the_tokens() -> None:
    settings = load(EXAMPLE / "dragoman.toml", environ={})
    assert [account["platform"] for account in settings.accounts.values()] == ["slack", "discord"]
    named = re.findall(r"^(DRAGOMAN_\w+)=$", (EXAMPLE / ".env.example").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(named) == 3


def test_the_address_that_invites_it_asks_for_what_it_needs() -> None:
    (number,) = re.findall(r"permissions=(\d+)", (EXAMPLE / "README.md").read_text(encoding="utf-8"))
    assert int(number) == bits(*NEEDED)
