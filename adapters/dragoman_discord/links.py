"""Links to messages: https://discord.js.org/docs/packages/discord.js/14.19.3/messageLink:Function"""

import re
from typing import Final

__all__ = ["read_link"]

#: ``https://discord.com/channels/GUILD/CHANNEL/MESSAGE``; of a direct message, the guild is ``@me``. The test versions
#: of the app have their name in front.
LINK: Final = re.compile(
    r"https://(?:ptb\.|canary\.)?discord(?:app)?\.com/channels/(?:\d+|@me)/(?P<channel>\d+)/(?P<message>\d+)/?"
)


def read_link(link: str) -> tuple[str, str] | None:
    """The ids of the channel and of the message; ``None`` if it is no link to a message in Discord."""
    found = LINK.fullmatch(link.strip())
    return None if found is None else (found["channel"], found["message"])
