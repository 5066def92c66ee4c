"""A Discord simulator: the REST API and the gateway on loopback, for testing bots with no token.

It is strict as Discord is, and shows what the bot said:

>>> async with DiscordSimulator() as discord:
...     acme = discord.guild("acme")
...     ann, general = acme.user("ann"), acme.channel("general")
...     app = discord.application("dragoman")
...     # a bot with discord.api_url, discord.gateway_url and app.token connects
...     message = await ann.say(general, "@dragoman hello")
...     reply = await general.reply_to(message)

``python -m dragoman_discord.simulator`` starts one for people; see `DiscordSimulator` for the rest.
"""

from .application import Application
from .channel import Channel
from .command import Command
from .guild import Emoji, Guild, Member, Role
from .interaction import Interaction
from .message import Attachment, Message
from .people import User
from .refused import Refused
from .server import DiscordSimulator
from .session import Session
from .web import Said

__all__ = [
    "Application",
    "Attachment",
    "Channel",
    "Command",
    "DiscordSimulator",
    "Emoji",
    "Guild",
    "Interaction",
    "Member",
    "Message",
    "Refused",
    "Role",
    "Said",
    "Session",
    "User",
]
