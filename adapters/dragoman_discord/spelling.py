"""How Discord writes what we mean: text that stays text, and tokens that call, link and show.

https://docs.discord.com/developers/reference#message-formatting. A backslash makes the character after it literal;
it does not stop the API from finding ``<@1>`` or ``@everyone`` in a text: whom a message calls is decided by its
``allowed_mentions`` (see `allowed_mentions`), and the text is written so that it shows as what it is.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .emoji import character

__all__ = ["EVERYONE", "allowed_mentions", "escape", "guard", "mention"]

#: How the address of everybody begins.
EVERYONE: Final = "dragoman:everyone/"
GUARD: Final = "\u200b"

MENTION: Final = re.compile(
    r"dragoman:(?:(user|channel|group)/(\d{1,20})|everyone/(here|everyone|channel)"
    r"|emoji/(a:)?(\w{1,32}:\d{1,20})|time/(-?\d{1,13})(?:/([tTdDfFsSR]))?)",
    re.ASCII,
)
SIGNS: Final = {"user": "@", "channel": "#", "group": "@&"}
CALLED: Final = re.compile(r"@(?=everyone|here)")
PIECE: Final = re.compile(
    r"(?P<url>https?://[^\s<>]*[^\s<>.,:;\"'\])*~|])"
    r"|(?<![A-Za-z0-9]):(?P<emoji>[A-Za-z0-9_+-]+(?:::skin-tone-[2-6])?):(?![A-Za-z0-9])"
    r"|(?P<called>@(?=everyone|here))"
    r"|(?P<marker>[\\*`]|\|\||~~|(?<![^\W_])_+|_+(?![^\W_])|\[(?=[^\[\]\n]*\]\()"
    r"|<(?=[@#][!&]?\d|/[^<>\n:]{1,100}:\d|a?:\w+:\d|t:-?\d|id:|https?:))"
)
USERS: Final = re.compile(r"<@(\d{1,20})>", re.ASCII)
ROLES: Final = re.compile(r"<@&(\d{1,20})>", re.ASCII)
#: https://docs.discord.com/developers/resources/message#allowed-mentions-object
MOST_CALLED: Final = 100


def escape(text: str, emoji: Mapping[str, str]) -> str:
    """Text that Discord shows as it is; but for emoji shortcodes, which become what they mean.

    Args:
        emoji: the guild's own, ``name:id`` by name.
    """

    def piece(found: re.Match[str]) -> str:
        if found["url"] is not None:
            return found["url"]
        if (name := found["emoji"]) is not None:
            own = emoji.get(name)
            if own is not None:
                return f"<{own}>" if own.startswith("a:") else f"<:{own}>"
            return character(name) or escape_underscores(found[0])
        if found["called"] is not None:
            return f"@{GUARD}"
        return "".join(f"\\{char}" for char in found["marker"])

    return PIECE.sub(piece, text)


def escape_underscores(text: str) -> str:
    """A shortcode that is none: ``:_x_:`` would else be italic."""
    return re.sub(r"(?<![^\W_])_+|_+(?![^\W_])", lambda found: "\\_" * len(found[0]), text)


def guard(code: str) -> str:
    """Code that calls nobody, in a text that calls everyone elsewhere."""
    return CALLED.sub(f"@{GUARD}", code)


def mention(address: str) -> str | None:
    """The token for a ``dragoman:`` address; ``None`` if Discord has none for it (such as another platform's id)."""
    found = MENTION.fullmatch(address)
    if found is None:
        return None
    kind, id, everyone, moves, emoji, time, style = found.groups()
    if kind:
        return f"<{SIGNS[kind]}{id}>"
    if everyone:
        return "@here" if everyone == "here" else "@everyone"
    if emoji:
        return f"<{'a' if moves else ''}:{emoji}>"
    return f"<t:{time}{f':{style}' if style else ''}>"


def allowed_mentions(part: str, named: Sequence[str]) -> dict[str, Any]:
    """Whom one message may call: only who is named by a ``dragoman:`` link, and everybody only so.

    Args:
        part: the message, in Discord's markdown.
        named: the tokens of all ``dragoman:`` links of the text that it is a part of.

    Returns:
        An allowed mentions object (https://docs.discord.com/developers/resources/message#allowed-mentions-object).
    """
    here = {token for token in named if token in part}
    users = [user for user in dict.fromkeys(USERS.findall(part)) if f"<@{user}>" in here]
    roles = [role for role in dict.fromkeys(ROLES.findall(part)) if f"<@&{role}>" in here]
    return {
        "parse": ["everyone"] if here & {"@everyone", "@here"} else [],
        "users": users[:MOST_CALLED],
        "roles": roles[:MOST_CALLED],
        "replied_user": False,
    }
