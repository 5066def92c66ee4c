"""Discord's permissions by name. https://docs.discord.com/developers/topics/permissions"""

from typing import Final

__all__ = ["ALL", "BOT", "EVERYONE", "PERMISSIONS", "bits"]

PERMISSIONS: Final = {
    "KICK_MEMBERS": 1 << 1,
    "BAN_MEMBERS": 1 << 2,
    "ADMINISTRATOR": 1 << 3,
    "MANAGE_CHANNELS": 1 << 4,
    "MANAGE_GUILD": 1 << 5,
    "ADD_REACTIONS": 1 << 6,
    "VIEW_CHANNEL": 1 << 10,
    "SEND_MESSAGES": 1 << 11,
    "MANAGE_MESSAGES": 1 << 13,
    "EMBED_LINKS": 1 << 14,
    "ATTACH_FILES": 1 << 15,
    "READ_MESSAGE_HISTORY": 1 << 16,
    "MENTION_EVERYONE": 1 << 17,
    "USE_EXTERNAL_EMOJIS": 1 << 18,
    "MANAGE_ROLES": 1 << 28,
    "USE_APPLICATION_COMMANDS": 1 << 31,
    "MANAGE_THREADS": 1 << 34,
    "CREATE_PUBLIC_THREADS": 1 << 35,
    "CREATE_PRIVATE_THREADS": 1 << 36,
    "SEND_MESSAGES_IN_THREADS": 1 << 38,
}


def bits(*names: str) -> int:
    """The permissions of these names as one number."""
    value = 0
    for name in names:
        if name not in PERMISSIONS:
            raise ValueError(f"{name} is not a permission: {', '.join(PERMISSIONS)} are")
        value |= PERMISSIONS[name]
    return value


ALL: Final = bits(*PERMISSIONS)
#: What everybody has in a new guild.
EVERYONE: Final = bits(
    "ADD_REACTIONS",
    "VIEW_CHANNEL",
    "SEND_MESSAGES",
    "EMBED_LINKS",
    "ATTACH_FILES",
    "READ_MESSAGE_HISTORY",
    "USE_EXTERNAL_EMOJIS",
    "USE_APPLICATION_COMMANDS",
    "CREATE_PUBLIC_THREADS",
    "CREATE_PRIVATE_THREADS",
    "SEND_MESSAGES_IN_THREADS",
)
#: What a bot's own role has beside it, as an invitation usually asks for.
BOT: Final = EVERYONE | bits("MENTION_EVERYONE")
