"""``python -m dragoman_slack.simulator``: a Slack of one's own, to try a bot with no token."""

from dragoman.testing.simulating import command_line, serve

from .server import SlackSimulator
from .workspace import Workspace

__all__ = ["main"]

_HELP = """\
A simulated Slack listens. For a bot to use it, write into its dragoman.toml:

  [accounts.acme]
  platform = "slack"
  api_url = "{url}"
  bot_token = "{app.bot_token}"
  app_token = "{app.app_token}"

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


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run."""
    options = command_line("dragoman_slack.simulator", __doc__, port=8055).parse_args(arguments)

    def begin(slack: SlackSimulator) -> str:
        acme = sample(slack, options.bot)
        return _HELP.format(url=slack.url, origin=slack.origin, app=acme.app, workspace=acme)

    serve(SlackSimulator(host=options.host, port=options.port), begin)


if __name__ == "__main__":
    main()
