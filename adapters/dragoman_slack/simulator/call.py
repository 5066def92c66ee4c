"""One call of a Web API method: what the methods are given, and how they refuse."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from .arguments import Argument, declare
from .channel import Channel
from .message import Message

if TYPE_CHECKING:
    from .app import App
    from .people import User
    from .server import SlackSimulator
    from .workspace import Workspace

__all__ = ["Call", "Method", "Refused"]

Item = TypeVar("Item")

_READ_SCOPES = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}


class Refused(Exception):
    """The call is answered with ``ok: false``; ``code`` is Slack's error code, ``more`` stands beside it."""

    def __init__(self, code: str, *messages: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more: dict[str, Any] = more
        if messages:
            self.more["response_metadata"] = {"messages": list(messages)}


@dataclass(slots=True)
class Call:
    """A call that has passed authentication and whose arguments fit.

    Attributes:
        args: the arguments that were given, converted; see `Argument`.
    """

    simulator: "SlackSimulator"
    app: "App"
    method: "Method"
    args: Mapping[str, Any]

    @property
    def workspace(self) -> "Workspace":
        """Where the app is installed."""
        return self.app.workspace

    def workspace_asked(self) -> "Workspace":
        """The one that the argument ``team_id`` names: an app of a whole organisation must say it, others need not.

        https://docs.slack.dev/reference/methods/conversations.list#arguments
        """
        if not self.app.organisation:
            return self.workspace
        if not self.args.get("team_id"):
            raise Refused("missing_argument")
        found = next((team for team in self.app.teams if team.id == self.args["team_id"]), None)
        if found is None:
            raise Refused("team_access_not_granted")
        return found

    def need(self, *scopes: str) -> None:
        """Refuse unless one of the scopes is granted."""
        if self.app.scopes.isdisjoint(scopes):
            raise Refused("missing_scope", needed=",".join(scopes), provided=",".join(sorted(self.app.scopes)))

    def need_for(self, channel: Channel, what: str) -> None:
        """Refuse unless ``what`` (``read`` or ``history``) is granted for this kind of conversation."""
        self.need(f"{_READ_SCOPES[channel.kind]}:{what}")

    def channel(self, name: str = "channel", *, member: bool = False) -> Channel:
        """The conversation that an argument names by id; a private one is only found by its members."""
        channel = self.workspace.channels.get(self.args.get(name) or "")
        if channel is None:
            raise Refused("channel_not_found")
        if self.app.user_id not in channel.members:
            if channel.kind != "channel":
                raise Refused("channel_not_found")
            if member:
                raise Refused("not_in_channel")
        return channel

    def message(self, channel: Channel, ts: str) -> Message:
        """The message with that ts."""
        found = channel.find(ts)
        if found is None:
            raise Refused("message_not_found")
        return found

    def user(self, name: str = "user") -> "User":
        """The person that an argument names by id."""
        user = self.workspace.users.get(self.args.get(name) or "")
        if user is None:
            raise Refused("user_not_found")
        return user

    def page(self, items: Sequence[Item], default: int = 100) -> tuple[Sequence[Item], str]:
        """One page of ``items`` by the arguments ``cursor`` and ``limit``, and the cursor of the next one."""
        limit = self.args.get("limit") or default
        if not 1 <= limit <= 1000:
            raise Refused("invalid_limit")
        start = 0
        if cursor := self.args.get("cursor"):
            try:
                start = int(base64.b64decode(cursor, validate=True).removeprefix(b"next:"))
            except (ValueError, binascii.Error):
                raise Refused("invalid_cursor") from None
        end = start + limit
        following = base64.b64encode(b"next:%d" % end).decode() if end < len(items) else ""
        return items[start:end], following


@dataclass(slots=True)
class Method:
    """A Web API method as a row of the table.

    Attributes:
        signature: its arguments; see `declare`.
        scopes: one of these must be granted; empty when none is needed.
        token: which kind of token it takes.
        json: whether it reads a JSON body; Slack's older reading methods take forms and queries only.
        open: whether it takes arguments of any name.
    """

    name: str
    run: Callable[[Call], dict[str, Any]]
    signature: str = ""
    scopes: tuple[str, ...] = ()
    token: Literal["bot", "app", "none"] = "bot"  # noqa: S105 - the kind, not a token
    json: bool = False
    open: bool = False

    @property
    def arguments(self) -> dict[str, Argument]:
        """Its arguments by name, without the token."""
        return declare(self.signature)
