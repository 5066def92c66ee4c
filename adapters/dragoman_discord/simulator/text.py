"""From what a person types to what Discord keeps, and who is told of it.

https://docs.discord.com/developers/reference#message-formatting
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .channel import Channel
    from .guild import Guild
    from .message import Message

__all__ = ["Told", "mentions", "typed"]

_USER: Final = re.compile(r"<@!?(\d{1,20})>")
_ROLE: Final = re.compile(r"<@&(\d{1,20})>")
_EVERYONE: Final = re.compile(r"@(?:everyone|here)\b")
_NAME: Final = re.compile(r"(?<![\w<@#:/])(@|#|:)([\w.\-]+)(:?)")


@dataclass(slots=True)
class Told:
    """Who a message tells."""

    users: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    everyone: bool = False

    def put(self, message: "Message") -> None:
        """Say it on the message."""
        message.mentions, message.mention_roles, message.mention_everyone = self.users, self.roles, self.everyone


def mentions(content: str, channel: "Channel") -> Told:
    """Who is mentioned in a text, if all of it counts."""
    users = [id for id in dict.fromkeys(_USER.findall(content)) if id in channel.simulator.users]
    known = channel.guild.roles if channel.guild is not None else {}
    roles = [id for id in dict.fromkeys(_ROLE.findall(content)) if id in known]
    return Told(users, roles, channel.guild is not None and _EVERYONE.search(content) is not None)


def typed(text: str, channel: "Channel") -> str:
    """What Discord's clients make of ``@name``, ``#channel`` and ``:emoji:`` when somebody types them."""
    people, guild = channel.simulator.named(), channel.guild

    def reference(found: re.Match[str]) -> str:
        sign, name, end = found.groups()
        if sign == "@":
            # A full stop may end the sentence and not the name.
            for word in (name, name.rstrip(".")):
                rest = name[len(word) :] + end
                if word in people and (guild is None or people[word].id in guild.members):
                    return people[word].mention + rest
                role = _role(guild, word)
                if role:
                    return role + rest
        elif guild is not None and sign == "#":
            place = next((each for each in guild.channels.values() if each.name == name), None)
            return found[0] if place is None else place.mention + end
        elif guild is not None and end and name in guild.emoji:
            return guild.emoji[name].mention
        return found[0]

    return _NAME.sub(reference, text)


def _role(guild: "Guild | None", name: str) -> str:
    if guild is None or name == "everyone":
        return ""
    return next((role.mention for role in guild.roles.values() if role.name == name and role.bot is None), "")
