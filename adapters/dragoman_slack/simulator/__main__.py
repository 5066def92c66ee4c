"""``python -m dragoman_slack.simulator``: a Slack of one's own, to try a bot with no token."""

import argparse
import asyncio
import sys

from .server import SlackSimulator
from .workspace import Workspace

__all__ = ["main"]

_HELP = """\
A simulated Slack listens. Point a bot to it:

  base_url   {url}
  bot token  {app.bot_token}
  app token  {app.app_token}

Workspace {workspace.name} has #general, #random and the people ann, bob and cho; the bot is @{app.user.name}.
Talk as one of them, and see what was said:

  curl {origin}/_simulator/say -d '{{"user": "ann", "channel": "general", "text": "@{app.user.name} hello"}}'
  curl {origin}/_simulator/say -d '{{"user": "ann", "channel": "@ann", "text": "hello"}}'
  curl {origin}/_simulator/slash -d '{{"user": "ann", "channel": "general", "text": "/roll 2d20"}}'
  curl '{origin}/_simulator/messages?channel=general'
  curl {origin}/_simulator/state

Ctrl-C ends it, and everything in it is gone.
"""


def sample(slack: SlackSimulator, bot: str) -> Workspace:
    """A workspace with some people and channels. Its tokens are the same every time."""
    acme = slack.workspace("acme", bot=bot)
    for name, real_name in (("ann", "Ann Lee"), ("bob", "Bob Okafor"), ("cho", "Cho Tanaka")):
        acme.user(name, real_name=real_name)
    acme.channel("general")
    acme.channel("random")
    return acme


async def serve(host: str, port: int, bot: str) -> None:
    """Run until cancelled."""
    async with SlackSimulator(host=host, port=port) as slack:
        acme = sample(slack, bot)
        sys.stdout.write(_HELP.format(url=slack.url, origin=slack.origin, app=acme.app, workspace=acme))
        sys.stdout.flush()
        await asyncio.Event().wait()


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m dragoman_slack.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8055)
    parser.add_argument("--bot", default="dragoman", help="what the bot is called")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(serve(options.host, options.port, options.bot))
    except KeyboardInterrupt:
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
