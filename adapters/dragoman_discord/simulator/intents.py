"""Which intent an event needs. https://docs.discord.com/developers/events/gateway#gateway-intents"""

from typing import Final

__all__ = ["DEFAULT", "GUILDS", "GUILD_MEMBERS", "GUILD_PRESENCES", "KNOWN", "MESSAGE_CONTENT", "PRIVILEGED", "needed"]

GUILDS: Final = 1 << 0
GUILD_MEMBERS: Final = 1 << 1
GUILD_PRESENCES: Final = 1 << 8
GUILD_MESSAGES: Final = 1 << 9
GUILD_MESSAGE_REACTIONS: Final = 1 << 10
GUILD_MESSAGE_TYPING: Final = 1 << 11
DIRECT_MESSAGES: Final = 1 << 12
DIRECT_MESSAGE_REACTIONS: Final = 1 << 13
DIRECT_MESSAGE_TYPING: Final = 1 << 14
MESSAGE_CONTENT: Final = 1 << 15

#: All that Discord has; any other bit is refused with close code 4013.
KNOWN: Final = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))
PRIVILEGED: Final = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT
DEFAULT: Final = KNOWN & ~PRIVILEGED

#: For events in a guild, and in direct messages; 0: none is needed. What is not here needs ``GUILDS``.
_NEEDS: Final = {
    "GUILD_MEMBER_ADD": (GUILD_MEMBERS, 0),
    "GUILD_MEMBER_UPDATE": (GUILD_MEMBERS, 0),
    "GUILD_MEMBER_REMOVE": (GUILD_MEMBERS, 0),
    "GUILD_EMOJIS_UPDATE": (1 << 3, 0),
    "MESSAGE_CREATE": (GUILD_MESSAGES, DIRECT_MESSAGES),
    "MESSAGE_UPDATE": (GUILD_MESSAGES, DIRECT_MESSAGES),
    "MESSAGE_DELETE": (GUILD_MESSAGES, DIRECT_MESSAGES),
    "MESSAGE_REACTION_ADD": (GUILD_MESSAGE_REACTIONS, DIRECT_MESSAGE_REACTIONS),
    "MESSAGE_REACTION_REMOVE": (GUILD_MESSAGE_REACTIONS, DIRECT_MESSAGE_REACTIONS),
    "TYPING_START": (GUILD_MESSAGE_TYPING, DIRECT_MESSAGE_TYPING),
    "CHANNEL_CREATE": (GUILDS, DIRECT_MESSAGES),
    "INTERACTION_CREATE": (0, 0),
    "GUILD_MEMBERS_CHUNK": (0, 0),
    "USER_UPDATE": (0, 0),
}


def needed(event: str, direct: bool) -> int:
    """The intent that a session must have for an event; 0 if it needs none."""
    return _NEEDS.get(event, (GUILDS, 0))[direct]
