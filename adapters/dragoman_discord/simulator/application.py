"""An application and its bot: its token, what it may, its commands and its gateway sessions."""

import base64
import secrets
from typing import TYPE_CHECKING, Any, Final

from .intents import GUILD_MEMBERS, GUILD_PRESENCES, MESSAGE_CONTENT
from .permissions import BOT

if TYPE_CHECKING:
    from .command import Command
    from .guild import Guild
    from .people import User
    from .server import DiscordSimulator
    from .session import Session

__all__ = ["Application"]

#: https://docs.discord.com/developers/resources/application#application-object-application-flags
_LIMITED: Final = {GUILD_PRESENCES: 1 << 13, GUILD_MEMBERS: 1 << 15, MESSAGE_CONTENT: 1 << 19}


class Application:
    """An application. Its bot is in every guild, also in those that come later, unless it was told otherwise.

    Attributes:
        token: the bot's; may be set to another one, as a reset in the developer portal does.
        privileged: the privileged intents that are turned on in the developer portal.
        commands: its application commands by id, global ones and those of guilds.
        everywhere: whether its bot comes into every guild.
        permissions: what its own role gives it in a guild.
    """

    def __init__(self, simulator: "DiscordSimulator", user: "User", privileged: int, *, everywhere: bool) -> None:
        self.simulator = simulator
        self.user = user
        self.id = user.id
        self.name = user.name
        first = base64.urlsafe_b64encode(user.id.encode()).decode().rstrip("=")
        self.token = f"{first}.simulated.{secrets.token_urlsafe(24)}"
        self.privileged = privileged
        self.everywhere = everywhere
        self.permissions = BOT
        self.commands: dict[str, Command] = {}
        self.sessions: list[Session] = []
        self.identified: dict[int, float] = {}
        self.starts = 0

    def __repr__(self) -> str:
        return f"<Application {self.name} {self.id}>"

    @property
    def flags(self) -> int:
        """Which privileged intents it has, as the API says it."""
        return sum(flag for intent, flag in _LIMITED.items() if self.privileged & intent)

    @property
    def reads(self) -> bool:
        """Whether it may read messages that are not meant for it."""
        return bool(self.privileged & MESSAGE_CONTENT)

    @property
    def connected(self) -> "list[Session]":
        """Its sessions that have a websocket now."""
        return [session for session in self.sessions if session.socket is not None]

    def live(self, since: float) -> "list[Session]":
        """Its sessions that are connected, or can be resumed because they were after ``since`` (unix seconds)."""
        over = [each for each in self.sessions if each.over or (each.socket is None and each.left < since)]
        for session in over:
            session.over = True
            self.sessions.remove(session)
        return list(self.sessions)

    def join(self, guild: "Guild") -> None:
        """Its bot is added to a guild."""
        guild.enter(self.user)
        role = guild.add_role(self.name, permissions=self.permissions, mentionable=False, bot=self.user.id)
        guild.members[self.user.id].roles.append(role.id)
        for session in self.sessions:
            session.welcome(guild, new=True)
        self.simulator.changed()

    def leave(self, guild: "Guild") -> None:
        """Its bot is removed from a guild."""
        guild.leave(self.user)
        for role in [role for role in guild.roles.values() if role.bot == self.user.id]:
            del guild.roles[role.id]
        for session in self.sessions:
            if session.holds(guild.id):
                session.send("GUILD_DELETE", {"id": guild.id})
        self.simulator.changed()

    def guilds(self) -> "list[Guild]":
        """Where its bot is."""
        return [guild for guild in self.simulator.guilds.values() if self.user.id in guild.members]

    def offers(self, name: str, guild: "Guild | None") -> "Command | None":
        """Its slash command of that name in a guild, or in direct messages; the guild's own goes first."""
        found = [each for each in self.commands.values() if each.name == name and each.type == 1]
        own = [each for each in found if guild is not None and each.guild_id == guild.id]
        everywhere = [each for each in found if each.guild_id is None and (guild is not None or each.in_direct)]
        return next(iter(own + everywhere), None)

    def payload(self) -> dict[str, Any]:
        """https://docs.discord.com/developers/resources/application#application-object"""
        owner = self.simulator.portal
        return {
            "id": self.id,
            "name": self.name,
            "icon": None,
            "description": "",
            "type": None,
            "bot": self.user.payload(),
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": self.flags,
            "flags_new": str(self.flags),
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": owner.payload(),
            "approximate_guild_count": len(self.guilds()),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": [],
        }
