"""Somebody, and a channel, as the argument of a command: read from a mention, and written as one."""

import re
from typing import Final
from urllib.parse import quote

from .model import Frozen

__all__ = ["Channel", "User", "read_channel", "read_user"]

#: A mention in the plain text of a message: ``<@U1>``, ``<@!1>``, ``<@U1|ann>``, ``<#C1>``, ``<#C1|general>``.
MENTION: Final = re.compile(r"<([@#])!?([^\s<>|!]{1,200})(?:\|([^<>\r\n]{0,200}))?>")


class User(Frozen):
    """Somebody who was mentioned.

    Attributes:
        id: the platform's id.
        name: their name as the mention had it, without ``@``; often empty. `Context.look_up` knows more.
    """

    id: str
    name: str = ""

    @property
    def mention(self) -> str:
        """A mention for what the bot says, in CommonMark; the platform notifies the person."""
        return _link("@", self.name or self.id, "user", self.id)


class Channel(Frozen):
    """A channel that was mentioned.

    Attributes:
        id: the platform's id.
        name: its name as the mention had it, without ``#``; often empty.
    """

    id: str
    name: str = ""

    @property
    def mention(self) -> str:
        """A link to the channel for what the bot says, in CommonMark."""
        return _link("#", self.name or self.id, "channel", self.id)


def read_user(word: str) -> User | None:
    """The person whom a word such as ``<@U1|ann>`` mentions, or None."""
    found = MENTION.fullmatch(word)
    return User(id=found[2], name=(found[3] or "").strip()) if found and found[1] == "@" else None


def read_channel(word: str) -> Channel | None:
    """The channel that a word such as ``<#C1|general>`` mentions, or None."""
    found = MENTION.fullmatch(word)
    return Channel(id=found[2], name=(found[3] or "").strip()) if found and found[1] == "#" else None


def _link(sign: str, name: str, what: str, identity: str) -> str:
    name = re.sub(r"([\\\[\]`*_<&])", r"\\\1", " ".join(name.split()))
    return f"[{sign}{name}](dragoman:{what}/{quote(identity, safe=':@.-_~')})"
