"""The guilds, channels, threads, roles and emoji that the gateway told us of.

``GUILD_CREATE`` has all of a guild, and ``*_CREATE``, ``*_UPDATE`` and ``*_DELETE`` what changes
(https://docs.discord.com/developers/events/gateway-events#guilds). No sockets: it is only told. What cannot be read
is left out: a channel without a name is better than no events.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["Guild", "Place", "Places", "Role"]

#: https://docs.discord.com/developers/resources/channel#channel-object-channel-types
THREADS: Final = frozenset({10, 11, 12})
#: Where people write: text, voice, announcements, stages. A forum has only threads.
WRITABLE: Final = frozenset({0, 2, 5, 13}) | THREADS
DIRECT: Final = frozenset({1, 3})
#: https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
ADMINISTRATOR: Final = 1 << 3
SNOWFLAKE: Final = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Place:
    """A channel or thread. ``last``: the id of the last message in it, as far as Discord has told; or empty."""

    id: str
    guild: str
    name: str = ""
    type: int = 0
    parent: str = ""
    last: str = ""

    @property
    def thread(self) -> bool:
        return self.type in THREADS and bool(self.parent)

    @property
    def writable(self) -> bool:
        return self.type in WRITABLE


@dataclass(frozen=True, slots=True)
class Role:
    """A role. ``bot``: the id of the bot that it belongs to; or empty."""

    id: str
    name: str
    admin: bool = False
    bot: str = ""


@dataclass(slots=True)
class Guild:
    """A guild. ``emoji``: ``name:id`` (``a:name:id`` if it moves) by name."""

    id: str
    name: str = ""
    owner: str = ""
    welcome: str = ""
    locale: str = ""
    roles: dict[str, Role] = field(default_factory=dict)
    emoji: dict[str, str] = field(default_factory=dict)


class Places:
    """All that one account has been told of.

    Attributes:
        told: the guilds of which all was told. Who resumes the session of another process is not told it again.
        complete: whether all guilds are told of in this session.
    """

    def __init__(self) -> None:
        self.guilds: dict[str, Guild] = {}
        self.told: set[str] = set()
        self.complete = False
        self._places: dict[str, Place] = {}

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())

    def get(self, id: str) -> Place | None:
        """The channel or thread with that id, if it is known."""
        return self._places.get(id)

    def guild(self, id: str) -> Guild:
        """What is known of a guild, which may be nothing."""
        return self.guilds.get(id) or Guild(id)

    def role(self, guild: str, role: str) -> Role | None:
        return self.guild(guild).roles.get(role)

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take note of a dispatch of that type (``t``) with that data (``d``); most kinds tell nothing."""
        match kind:
            case "READY":
                self.complete = True
            case "GUILD_CREATE" | "GUILD_UPDATE":
                self._guild(data)
                if kind == "GUILD_CREATE" and data.get("unavailable") is not True:
                    self.told.add(_id(data.get("id")))
            case "GUILD_DELETE":
                # While it is unavailable its channels keep their names.
                if data.get("unavailable") is not True:
                    self._leave(_id(data.get("id")))
            case "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE":
                self.add(data)
            case "CHANNEL_DELETE" | "THREAD_DELETE":
                self._places.pop(_id(data.get("id")), None)
            case "THREAD_LIST_SYNC":
                self._all(data.get("threads"), _id(data.get("guild_id")))
            case "INTERACTION_CREATE":
                # It says where it was used, which may be a thread that we have not heard of.
                if isinstance(channel := data.get("channel"), Mapping) and _id(channel.get("id")) not in self._places:
                    self.add(channel, _id(data.get("guild_id")))
            case "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE":
                self.add_roles(_id(data.get("guild_id")), [data.get("role")])
            case "GUILD_ROLE_DELETE":
                self.guild(_id(data.get("guild_id"))).roles.pop(_id(data.get("role_id")), None)
            case "GUILD_EMOJIS_UPDATE":
                self._emoji(self.guild(_id(data.get("guild_id"))), data.get("emojis"))
            case _:
                pass

    def add(self, data: Mapping[str, Any], guild: str = "") -> Place | None:
        """A channel object (https://docs.discord.com/developers/resources/channel#channel-object)."""
        id, type = _id(data.get("id")), data.get("type")
        if not id or not isinstance(type, int):
            return None
        place = Place(
            id=id,
            guild=_id(data.get("guild_id")) or guild,
            name=_text(data.get("name")),
            type=type,
            parent=_id(data.get("parent_id")) if type in THREADS else "",
            last=_id(data.get("last_message_id")),
        )
        self._places[id] = place
        return place

    def add_roles(self, guild: str, roles: object) -> None:
        """Role objects (https://docs.discord.com/developers/topics/permissions#role-object)."""
        if guild not in self.guilds:
            return
        for role in roles if isinstance(roles, list) else ():
            if isinstance(role, Mapping) and (id := _id(role.get("id"))):
                tags = role.get("tags")
                bot = _id(tags.get("bot_id")) if isinstance(tags, Mapping) else ""
                permissions = role.get("permissions")
                admin = isinstance(permissions, str) and permissions.isdecimal() and len(permissions) < 100
                self.guilds[guild].roles[id] = Role(
                    id, _text(role.get("name")), admin and bool(int(str(permissions)) & ADMINISTRATOR), bot
                )

    def _guild(self, data: Mapping[str, Any]) -> None:
        id = _id(data.get("id"))
        if not id:
            return
        guild = self.guilds.setdefault(id, Guild(id))
        guild.name = _text(data.get("name")) or guild.name
        guild.owner = _id(data.get("owner_id")) or guild.owner
        guild.welcome = _id(data.get("system_channel_id"))
        guild.locale = _text(data.get("preferred_locale")) or guild.locale
        if isinstance(data.get("roles"), list):
            guild.roles.clear()
            self.add_roles(id, data["roles"])
        self._emoji(guild, data.get("emojis"))
        if isinstance(data.get("channels"), list):
            for place in [place for place in self if place.guild == id]:
                del self._places[place.id]
        self._all(data.get("channels"), id)
        self._all(data.get("threads"), id)

    def _leave(self, id: str) -> None:
        self.guilds.pop(id, None)
        self.told.discard(id)
        for place in [place for place in self if place.guild == id]:
            del self._places[place.id]

    def _all(self, channels: object, guild: str) -> None:
        for channel in channels if isinstance(channels, list) else ():
            if isinstance(channel, Mapping):
                self.add(channel, guild)

    def _emoji(self, guild: Guild, emojis: object) -> None:
        if not isinstance(emojis, list):
            return
        guild.emoji = {}
        for emoji in emojis:
            if isinstance(emoji, Mapping) and (id := _id(emoji.get("id"))) and (name := _text(emoji.get("name"))):
                guild.emoji[name] = f"{'a:' if emoji.get('animated') is True else ''}{name}:{id}"


def _id(value: object) -> str:
    return value if isinstance(value, str) and SNOWFLAKE.fullmatch(value) else ""


def _text(value: object) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
