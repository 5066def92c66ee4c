"""A guild ("server"): its people, roles, channels, threads and emoji."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .channel import DIRECT, TEXT, Channel
from .clock import iso, made_at
from .permissions import ALL, EVERYONE, bits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .application import Application
    from .people import User
    from .server import DiscordSimulator

__all__ = ["Emoji", "Guild", "Member", "Role"]


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild. ``bot``: the id of the bot whose own it is."""

    id: str
    name: str
    permissions: int = 0
    position: int = 1
    mentionable: bool = True
    bot: str | None = None

    @property
    def mention(self) -> str:
        """As it is written in messages."""
        return f"<@&{self.id}>"

    def payload(self) -> dict[str, Any]:
        """https://docs.discord.com/developers/topics/permissions#role-object"""
        body: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "permissions": str(self.permissions),
            "position": self.position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": self.bot is not None,
            "mentionable": self.mentionable,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }
        return body | ({"tags": {"bot_id": self.bot}} if self.bot else {})


@dataclass(slots=True, eq=False)
class Emoji:
    """A guild's own emoji."""

    id: str
    name: str
    animated: bool = False

    @property
    def mention(self) -> str:
        """As it is written in messages."""
        return f"<{'a' if self.animated else ''}:{self.name}:{self.id}>"

    @property
    def reaction(self) -> str:
        """As it is put on messages."""
        return f"{self.name}:{self.id}"

    def payload(self) -> dict[str, Any]:
        """https://docs.discord.com/developers/resources/emoji#emoji-object"""
        flags = {"require_colons": True, "managed": False, "animated": self.animated, "available": True}
        return {"id": self.id, "name": self.name, "roles": [], **flags}


@dataclass(slots=True, eq=False)
class Member:
    """Somebody in a guild; ``roles`` are ids."""

    user: "User"
    joined: float
    nick: str | None = None
    roles: list[str] = field(default_factory=list)

    def payload(self, *, user: bool = True) -> dict[str, Any]:
        """https://docs.discord.com/developers/resources/guild#guild-member-object"""
        body: dict[str, Any] = {
            "nick": self.nick,
            "avatar": None,
            "banner": None,
            "roles": list(self.roles),
            "joined_at": iso(self.joined),
            "premium_since": None,
            "communication_disabled_until": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
        }
        return body | ({"user": self.user.payload()} if user else {})


class Guild:
    """A guild. Everybody sees every channel that is not private.

    Attributes:
        owner: the first one who came in, unless another one is said to be; may do everything.
        system: the channel that says who came in, if there is one.
        threads: of all its channels.
        emoji: its own ones by name.
    """

    def __init__(self, simulator: "DiscordSimulator", name: str) -> None:
        self.simulator = simulator
        self.id = simulator.clock.new_id(fresh=True)
        self.name = name
        self.owner: User | None = None
        self.system: Channel | None = None
        self.members: dict[str, Member] = {}
        self.channels: dict[str, Channel] = {}
        self.threads: dict[str, Channel] = {}
        self.roles: dict[str, Role] = {self.id: Role(self.id, "@everyone", EVERYONE, 0, mentionable=False)}
        self.emoji: dict[str, Emoji] = {}

    def __repr__(self) -> str:
        return f"<Guild {self.name} {self.id}>"

    # Who and what is here

    def user(self, name: str, *, nick: str | None = None, owner: bool = False, **profile: Any) -> "User":
        """Somebody new here (the first one owns the guild); known people (by name) come in, as they are.

        Args:
            profile: see `DiscordSimulator.person`.
        """
        user = self.simulator.find_user(name) or self.simulator.person(name, **profile)
        if user.id in self.members:
            raise ValueError(f"{name} is in {self!r} already")
        if owner or self.owner is None:
            self.owner = user
            self.simulator.tell("GUILD_UPDATE", self, self.payload())
        self.enter(user, nick)
        return user

    def enter(self, user: "User", nick: str | None = None) -> Member:
        """Somebody comes in, and the apps that listen are told."""
        member = self.members[user.id] = Member(user, self.simulator.now(), nick)
        self.simulator.tell("GUILD_MEMBER_ADD", self, {**member.payload(), "guild_id": self.id}, besides=user)
        if self.system is not None:
            self.simulator.greet(user, self.system)
        return member

    def leave(self, user: "User") -> None:
        """Somebody goes out."""
        del self.members[user.id]
        self.simulator.tell("GUILD_MEMBER_REMOVE", self, {"guild_id": self.id, "user": user.payload()})

    def change(self, user: "User", *, nick: str | None = None, roles: "Iterable[Role] | None" = None) -> None:
        """Somebody is called otherwise here, or has these roles now; what is `None` stays (an empty nick goes)."""
        member = self.members[user.id]
        if nick is not None:
            member.nick = nick or None
        if roles is not None:
            member.roles = [role.id for role in roles]
        self.simulator.tell("GUILD_MEMBER_UPDATE", self, {**member.payload(), "guild_id": self.id})

    def role(self, name: str, *people: "User", permissions: "Iterable[str]" = (), mentionable: bool = True) -> Role:
        """A new role that these people have; ``permissions`` by name, such as ``ADMINISTRATOR``."""
        return self.add_role(name, *people, permissions=bits(*permissions), mentionable=mentionable)

    def add_role(
        self, name: str, *people: "User", permissions: int, mentionable: bool = True, bot: str | None = None
    ) -> Role:
        """A new role; ``bot`` is the id of the bot whose own it is."""
        role = Role(self.simulator.clock.new_id(), name, permissions, len(self.roles), mentionable, bot)
        self.roles[role.id] = role
        self.simulator.tell("GUILD_ROLE_CREATE", self, {"guild_id": self.id, "role": role.payload()})
        for user in people:
            self.members[user.id].roles.append(role.id)
            self.change(user)
        return role

    def custom_emoji(self, name: str, *, animated: bool = False) -> Emoji:
        """A new emoji of the guild's own."""
        emoji = self.emoji[name] = Emoji(self.simulator.clock.new_id(), name, animated)
        shown = [each.payload() for each in self.emoji.values()]
        self.simulator.tell("GUILD_EMOJIS_UPDATE", self, {"guild_id": self.id, "emojis": shown})
        return emoji

    def channel(
        self, name: str, *, type: int = TEXT, members: "Iterable[User] | None" = None, topic: str | None = None
    ) -> Channel:
        """A new channel; with ``members`` only they see it (add a bot as ``app.user``)."""
        if any(channel.name == name for channel in self.channels.values()):
            raise ValueError(f"there is a #{name} already in {self!r}")
        if type == DIRECT:
            raise ValueError("a guild has no direct messages: `user.dm()` opens them")
        channel = Channel(self.simulator, self.simulator.clock.new_id(), name, type, guild=self)
        channel.topic = topic
        if members is not None:
            channel.private = True
            channel.members = {user.id: user for user in members}
        self.channels[channel.id] = channel
        self.simulator.channels[channel.id] = channel
        self.simulator.tell("CHANNEL_CREATE", channel, channel.payload())
        return channel

    def remove(self, channel: Channel) -> None:
        """A channel (with its threads) or a thread is deleted."""
        for thread in channel.threads:
            self.threads.pop(thread.id, None)
            self.simulator.channels.pop(thread.id, None)
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        self.simulator.tell(event, channel, channel.payload())
        (self.threads if channel.is_thread else self.channels).pop(channel.id, None)
        self.simulator.channels.pop(channel.id, None)

    def find_channel(self, id_or_name: str) -> Channel | None:
        """A channel or thread by id or by its name with or without ``#``."""
        name = id_or_name.removeprefix("#")
        places = {**self.channels, **self.threads}
        return places.get(name) or next((each for each in places.values() if each.name == name), None)

    def permissions(self, user: "User") -> int:
        """What somebody may do in the guild as a whole."""
        member = self.members.get(user.id)
        if member is None:
            return 0
        has = self.roles[self.id].permissions
        for id in member.roles:
            has |= self.roles[id].permissions if id in self.roles else 0
        return ALL if user is self.owner or has & bits("ADMINISTRATOR") else has

    # As payloads

    def payload(self) -> dict[str, Any]:
        """The guild object. https://docs.discord.com/developers/resources/guild#guild-object"""
        nothing = (
            "icon",
            "description",
            "home_header",
            "splash",
            "discovery_splash",
            "banner",
            "application_id",
            "afk_channel_id",
            "widget_channel_id",
            "vanity_url_code",
            "rules_channel_id",
            "safety_alerts_channel_id",
            "public_updates_channel_id",
            "max_presences",
            "incidents_data",
        )
        return {
            "id": self.id,
            "name": self.name,
            **dict.fromkeys(nothing),
            "owner_id": self.owner.id if self.owner else "0",
            "system_channel_id": None if self.system is None else self.system.id,
            "features": [],
            "region": "deprecated",
            "afk_timeout": 300,
            "system_channel_flags": 0,
            "widget_enabled": False,
            "verification_level": 0,
            "roles": [role.payload() for role in self.roles.values()],
            "emojis": [emoji.payload() for emoji in self.emoji.values()],
            "stickers": [],
            "default_message_notifications": 0,
            "mfa_level": 0,
            "explicit_content_filter": 0,
            "max_members": 500_000,
            "max_video_channel_users": 25,
            "max_stage_video_channel_users": 50,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "premium_progress_bar_enabled": False,
            "preferred_locale": "en-US",
            "nsfw": False,
            "nsfw_level": 0,
        }

    def created(self, app: "Application", *, members: bool) -> dict[str, Any]:
        """What ``GUILD_CREATE`` says: https://docs.discord.com/developers/events/gateway-events#guild-create

        Args:
            members: whether everybody is in it, and not only the bot itself.
        """
        shown = list(self.members.values()) if members else [self.members[app.user.id]]
        threads = [each for each in self.threads.values() if not each.archived and each.sees(app.user)]
        return self.payload() | {
            "joined_at": iso(self.members[app.user.id].joined),
            "large": len(self.members) > 250,
            "member_count": len(self.members),
            "members": [member.payload() for member in shown],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "channels": [each.payload() for each in self.channels.values() if each.sees(app.user)],
            "threads": [thread.payload(app) for thread in threads],
        }

    @property
    def made(self) -> float:
        """When it was made, in unix seconds."""
        return made_at(self.id)
