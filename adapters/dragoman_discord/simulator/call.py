"""One call of the API: what the methods are given, and what they answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .channel import Channel
from .guild import Guild
from .message import Message
from .permissions import bits
from .refused import Problems, Refused

if TYPE_CHECKING:
    from .application import Application
    from .people import User
    from .server import DiscordSimulator

__all__ = ["Answer", "Call", "Method", "Upload"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart body; ``field`` is ``files[0]`` and so on."""

    field: str
    name: str
    content: bytes


@dataclass(slots=True)
class Answer:
    """What a method answers: JSON, or nothing with status 204."""

    body: Any = None
    status: int = 0


@dataclass(slots=True)
class Call:
    """A call whose token is known.

    Attributes:
        app: whose; for interactions and webhooks, whose interaction it is.
        ids: what the path named.
        body: the JSON; an empty object if there was none.
        files: what was uploaded with it.
    """

    simulator: "DiscordSimulator"
    app: "Application"
    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    files: list[Upload] = field(default_factory=list)

    @property
    def form(self) -> dict[str, Any]:
        """The body, which must be an object."""
        if not isinstance(self.body, dict):
            raise Refused(50035, errors={"_errors": [_NO_OBJECT]})
        return self.body

    def channel(self, *permissions: str) -> Channel:
        """The channel or thread that the path names; the bot sees it and may do that there."""
        channel = self.simulator.channels.get(self.ids["channel_id"])
        if channel is None:
            raise Refused(10003)
        may = channel.may(self.app.user)
        if not may & bits("VIEW_CHANNEL"):
            # A direct conversation of others does not exist for this bot.
            raise Refused(10003 if channel.is_direct else 50001)
        if any(not may & bits(name) for name in permissions) and not channel.is_direct:
            raise Refused(50013)
        return channel

    def message(self, channel: Channel, name: str = "message_id") -> Message:
        """The message that the path names."""
        found = channel.find(self.ids[name])
        if found is None:
            raise Refused(10008)
        return found

    def guild(self) -> Guild:
        """The guild that the path names; the bot is in it."""
        guild = self.simulator.guilds.get(self.ids["guild_id"])
        if guild is None:
            raise Refused(10004)
        if self.app.user.id not in guild.members:
            raise Refused(50001)
        return guild

    def user(self) -> "User":
        """The person that the path names; ``@me`` is the bot."""
        id = self.ids["user_id"]
        user = self.app.user if id == "@me" else self.simulator.users.get(id)
        if user is None:
            raise Refused(10013)
        return user

    def own(self) -> None:
        """Refuse unless the path names the app's own id."""
        if self.ids["application_id"] != self.app.id:
            raise Refused(10002 if self.ids["application_id"] not in self.simulator.applications else 50001)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A number of the query."""
        text, problems = self.query.get(name), Problems()
        if text is None:
            return default
        value = int(text) if text.isascii() and text.lstrip("-").isdigit() else None
        if value is None:
            problems.add(name, "NUMBER_TYPE_COERCE", f'Value "{text}" is not int.')
        elif not least <= value <= most:
            code = "NUMBER_TYPE_MIN" if value < least else "NUMBER_TYPE_MAX"
            bound = "greater than or equal to" if value < least else "less than or equal to"
            problems.add(name, code, f"int value should be {bound} {least if value < least else most}.")
        problems.done()
        assert value is not None
        return value

    def id(self, name: str) -> str:
        """A snowflake of the query; empty if there is none."""
        text, problems = self.query.get(name), Problems()
        if not text:
            return ""
        problems.snowflake(name, text)
        problems.done()
        return text

    def flag(self, name: str) -> bool:
        """Whether the query says so."""
        return self.query.get(name, "").lower() in ("true", "1")


_NO_OBJECT = {"code": "DICT_TYPE_CONVERT", "message": "Only dictionaries may be used in a DictType"}


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the API as a row of the table.

    Attributes:
        path: as in Discord's OpenAPI document.
        open: whether it takes no token, because the path has one.
    """

    verb: str
    path: str
    run: Callable[[Call], Answer | Awaitable[Answer]]
    open: bool = False

    @property
    def route(self) -> str:
        """Such as ``GET /users/@me``."""
        return f"{self.verb} {self.path}"
