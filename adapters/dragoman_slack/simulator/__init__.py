"""A Slack simulator: the Web API and Socket Mode on loopback, for testing bots with no token.

It is strict as Slack is, and shows what the bot said:

>>> async with SlackSimulator() as slack:
...     acme = slack.workspace("acme")
...     ann, general = acme.user("ann"), acme.channel("general")
...     # a bot with api_url=slack.url, acme.app.bot_token and acme.app.app_token connects
...     message = await ann.say(general, "@dragoman hello")
...     reply = await general.reply_to(message)

``python -m dragoman_slack.simulator`` starts one for people; see `SlackSimulator` for the rest.
"""

from .app import DEFAULT_SCOPES, App
from .call import Refused
from .channel import Channel
from .events import DEFAULT_EVENTS
from .message import File, Message
from .people import User
from .server import SlackSimulator
from .sockets import Delivery
from .usergroup import UserGroup
from .web import Said
from .workspace import Workspace

__all__ = [
    "DEFAULT_EVENTS",
    "DEFAULT_SCOPES",
    "App",
    "Channel",
    "Delivery",
    "File",
    "Message",
    "Refused",
    "Said",
    "SlackSimulator",
    "User",
    "UserGroup",
    "Workspace",
]
