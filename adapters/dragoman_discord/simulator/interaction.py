"""One use of a slash command, and the answers to it.

https://docs.discord.com/developers/interactions/receiving-and-responding
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .channel import Channel
from .clock import made_at
from .command import GROUP, SUBCOMMAND, Command, fill
from .guild import Role
from .message import Attachment, Message
from .people import User

if TYPE_CHECKING:
    from .application import Application

__all__ = ["Interaction", "begin"]


@dataclass(slots=True, eq=False)
class Interaction:
    """A use of a command, as the person sees it.

    Attributes:
        name: of the command, such as ``deploy start``.
        token: what answers it, for as long as `open`.
        told: whether the app had a connection to be told of it.
        callback: the type of the response that it had, or `None`: 4 a message, 5 "is thinking".
        answered: when it had that, in unix seconds.
        messages: the response and what followed it.
        typing: the option for which completions are asked; empty for a command that is used.
        choices: the completions that it was answered.
    """

    app: "Application"
    user: User
    channel: Channel
    command: Command
    name: str
    options: list[dict[str, Any]]
    resolved: dict[str, Any]
    id: str
    token: str
    told: bool = False
    callback: int | None = None
    answered: float | None = None
    original: Message | None = None
    messages: list[Message] = field(default_factory=list)
    typing: str = ""
    choices: list[dict[str, Any]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Interaction /{self.name} by {self.user.name}: {self.state}>"

    @property
    def simulator(self) -> Any:
        """Where it happens."""
        return self.channel.simulator

    @property
    def state(self) -> Literal["waiting", "failed", "thinking", "answered"]:
        """What the person sees; ``failed`` is "The application did not respond"."""
        if self.callback is None:
            return "failed" if self.late else "waiting"
        return "thinking" if self.original is not None and self.original.loading else "answered"

    @property
    def late(self) -> bool:
        """Whether it is too late for the first answer: https://docs.discord.com/developers/interactions/receiving-and-responding#responding-to-an-interaction"""
        return bool(self.simulator.now() > made_at(self.id) + self.simulator.response_limit)

    @property
    def open(self) -> bool:
        """Whether its token still answers: for 15 minutes."""
        return bool(self.simulator.now() <= made_at(self.id) + self.simulator.token_lifetime)

    @property
    def said(self) -> list[Message]:
        """What it was answered, oldest first; ephemeral messages too, "is thinking" not."""
        return [message for message in self.messages if not (message.deleted or message.loading)]

    async def reply(self, timeout: float = 10.0) -> Message:
        """Wait for the first answer. Raises TimeoutError: there was none."""
        return await self.channel.reply_to(self, timeout)

    async def completions(self, timeout: float = 10.0) -> list[dict[str, Any]]:
        """Wait for the completions: ``name`` and ``value`` of each. Raises TimeoutError: there was no answer."""
        await self.simulator.until(lambda: self.callback is not None, timeout, waiting_for="completions")
        return self.choices

    @property
    def metadata(self) -> dict[str, Any]:
        """How its answers say what they answer."""
        owners = {"0": self.channel.guild.id if self.channel.guild else "0"}
        return {
            "id": self.id,
            "type": 2,
            "user": self.user.payload(),
            "authorizing_integration_owners": owners,
        }

    def payload(self) -> dict[str, Any]:
        """https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object"""
        guild, channel = self.channel.guild, self.channel
        data: dict[str, Any] = {"id": self.command.id, "name": self.command.name, "type": 1}
        if self.options:
            data["options"] = self.options
        if self.resolved:
            data["resolved"] = self.resolved
        if self.command.guild_id is not None:
            data["guild_id"] = self.command.guild_id
        body: dict[str, Any] = {
            "id": self.id,
            "application_id": self.app.id,
            "type": 4 if self.typing else 2,
            "data": data,
            "channel_id": channel.id,
            "channel": {**channel.payload(self.app), "permissions": str(channel.may(self.user))},
            "token": self.token,
            "version": 1,
            "app_permissions": str(channel.may(self.app.user)),
            "locale": self.user.locale,
            "entitlements": [],
            "authorizing_integration_owners": {"0": guild.id if guild else "0"},
            "context": 0 if guild else 1,
            "attachment_size_limit": self.simulator.largest_file,
        }
        if guild is None:
            return body | {"user": self.user.payload()}
        member = guild.members[self.user.id].payload() | {"permissions": str(channel.may(self.user))}
        where = {"id": guild.id, "locale": "en-US", "features": []}
        return body | {"guild_id": guild.id, "guild": where, "guild_locale": "en-US", "member": member}


def begin(
    user: User, channel: Channel, name: str, given: dict[str, Any], apps: "Sequence[Application]", typing: str = ""
) -> Interaction:
    """Somebody uses a command, or is still ``typing`` an option of it.

    Raises:
        ValueError: nobody offers it, or its options do not fit.
    """
    first, *rest = name.removeprefix("/").split()
    found = next(((app, command) for app in apps if (command := app.offers(first, channel.guild))), None)
    if found is None:
        raise ValueError(f"nobody offers /{first} in {channel!r}")
    app, command = found
    options: list[dict[str, Any]] = command.data.get("options") or []
    nested: list[dict[str, Any]] = []
    for word in rest:
        inner = next((each for each in options if each["name"] == word and each["type"] in (SUBCOMMAND, GROUP)), None)
        if inner is None:
            raise ValueError(f"/{first} has no {word!r}")
        nested.append({"name": word, "type": inner["type"]})
        options = inner.get("options") or []
    if any(option["type"] in (SUBCOMMAND, GROUP) for option in options):
        raise ValueError(f"/{name} needs one of {', '.join(option['name'] for option in options)}")
    filled = fill(options, given, typing)
    for layer in reversed(nested):
        filled = [{**layer, "options": filled}]
    simulator = channel.simulator
    return Interaction(
        app,
        user,
        channel,
        command,
        " ".join((first, *rest)),
        filled,
        _resolved(given.values(), channel, app),
        simulator.clock.new_id(),
        "aW50ZXJhY3Rpb24" + secrets.token_urlsafe(60),
        typing=typing,
    )


def _resolved(values: Any, channel: Channel, app: "Application") -> dict[str, Any]:
    """https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-resolved-data-structure"""
    found: dict[str, Any] = {}
    for value in values:
        if isinstance(value, User):
            found.setdefault("users", {})[value.id] = value.payload()
            member = channel.guild.members.get(value.id) if channel.guild else None
            if member is not None:
                shown = member.payload(user=False) | {"permissions": str(channel.may(value))}
                shown = {name: each for name, each in shown.items() if name not in ("deaf", "mute")}
                found.setdefault("members", {})[value.id] = shown
        elif isinstance(value, Channel):
            shown = value.payload(app) | {"permissions": str(value.may(channel.simulator.users[app.user.id]))}
            found.setdefault("channels", {})[value.id] = shown
        elif isinstance(value, Role):
            found.setdefault("roles", {})[value.id] = value.payload()
        elif isinstance(value, Attachment):
            found.setdefault("attachments", {})[value.id] = value.payload(ephemeral=True)
    return found
