"""The table of all methods of the API that are simulated."""

from . import api_channels, api_commands, api_guilds, api_interactions, api_messages

__all__ = ["METHODS"]

#: Discord has more; calling one of those gives ``404: Not Found`` here. More specific paths come first.
METHODS = (
    *api_guilds.METHODS,
    *api_messages.METHODS,
    *api_channels.METHODS,
    *api_commands.METHODS,
    *api_interactions.METHODS,
)
