"""``python -m dragoman_discord.simulator``: a Discord of one's own, to try a bot with no token."""

import argparse
import asyncio
import sys

from .application import Application
from .server import DiscordSimulator

__all__ = ["main"]

_HELP = """\
A simulated Discord listens. Point a bot to it:

  api_url      {discord.api_url}
  gateway_url  {discord.gateway_url}
  token        {app.token}

The guild {guild} has #general, #random and the people ann, bob and cho; the bot is @{app.name}.
Talk as one of them, and see what was said:

  curl {discord.origin}/_simulator/say -d '{{"user": "ann", "channel": "general", "text": "@{app.name} hello"}}'
  curl {discord.origin}/_simulator/say -d '{{"user": "ann", "channel": "@ann", "text": "hello"}}'
  curl {discord.origin}/_simulator/slash \\
    -d '{{"user": "ann", "channel": "general", "command": "roll", "options": {{"dice": "2d20"}}}}'
  curl '{discord.origin}/_simulator/messages?channel=general'
  curl {discord.origin}/_simulator/state

Ctrl-C ends it, and everything in it is gone.
"""


def sample(discord: DiscordSimulator, bot: str, token: str | None = None) -> Application:
    """A guild with some people and channels, and a bot in it; by default its token is the same every time."""
    acme = discord.guild("acme")
    for name, global_name in (("ann", "Ann Lee"), ("bob", "Bob Okafor"), ("cho", "Cho Tanaka")):
        acme.user(name, global_name=global_name)
    acme.channel("general")
    acme.channel("random")
    app = discord.application(bot)
    app.token = token or f"simulated.{bot}.token"
    return app


async def serve(host: str, port: int, bot: str, token: str | None = None) -> None:
    """Run until cancelled."""
    async with DiscordSimulator(host=host, port=port) as discord:
        app = sample(discord, bot, token)
        sys.stdout.write(_HELP.format(discord=discord, app=app, guild=app.guilds()[0].name))
        sys.stdout.flush()
        await asyncio.Event().wait()


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m dragoman_discord.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8056)
    parser.add_argument("--bot", default="dragoman", help="what the bot is called")
    parser.add_argument("--token", help="the bot's token")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(serve(options.host, options.port, options.bot, options.token))
    except KeyboardInterrupt:
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
