"""``python -m dragoman_discord.simulator``: a Discord of one's own, to try a bot with no token."""

from dragoman.testing.simulating import command_line, serve

from .application import Application
from .server import DiscordSimulator

__all__ = ["main"]

_HELP = """\
A simulated Discord listens. For a bot to use it, write into its dragoman.toml:

  [accounts.guild]
  platform = "discord"
  api_url = "{discord.api_url}"
  gateway_url = "{discord.gateway_url}"
  cdn_url = "{discord.origin}"
  token = "{app.token}"

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


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and run."""
    parser = command_line("dragoman_discord.simulator", __doc__, port=8056)
    parser.add_argument("--token", help="the bot's token")
    options = parser.parse_args(arguments)

    def begin(discord: DiscordSimulator) -> str:
        app = sample(discord, options.bot, options.token)
        return _HELP.format(discord=discord, app=app, guild=app.guilds()[0].name)

    serve(DiscordSimulator(host=options.host, port=options.port), begin)


if __name__ == "__main__":
    main()
