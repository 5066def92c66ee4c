"""An installed Slack app: its tokens, what it may do and what it listens to."""

import secrets
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .events import DEFAULT_EVENTS
from .reply_address import ReplyAddress
from .sockets import Delivery, Link

if TYPE_CHECKING:
    from .channel import Channel
    from .message import Message
    from .people import User
    from .workspace import Workspace

__all__ = ["DEFAULT_SCOPES", "App"]

#: Seconds that a ``response_url`` is good for.
REPLY_SECONDS = 1800.0

#: What a chat bot needs. https://docs.slack.dev/reference/scopes
DEFAULT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "channels:join",
        "channels:read",
        "chat:write",
        "commands",
        "emoji:read",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)


class App:
    """One app, installed in one workspace.

    Attributes:
        bot_token: for the Web API (``xoxb-``).
        app_token: for ``apps.connections.open`` (``xapp-``).
        scopes: what the bot token is granted; may be changed at any time.
        events: what the app is subscribed to; may be changed at any time.
        commands: its slash commands, such as ``{"/roll"}``; `None` for any, whatever people type.
        escaped: whether "Escape channels, users, and links" is on for them.
        replies: its ``response_url`` addresses, by their last part.
        organisation: the id of the organisation that it is installed for, if it is for more than a workspace.
        teams: the workspaces that it was approved for.
        uninstalled: set it, and both tokens get ``account_inactive``.
        link: its Socket Mode connections.
    """

    def __init__(
        self,
        workspace: "Workspace",
        id: str,
        user: "User",
        *,
        scopes: Iterable[str] | None = None,
        events: Iterable[str] | None = None,
    ) -> None:
        self.workspace = workspace
        self.id = id
        self.user = user
        self.bot_token = f"xoxb-{workspace.id}-{id}-simulated"
        self.app_token = f"xapp-1-{id}-{workspace.id}-simulated"
        self.scopes: set[str] = set(DEFAULT_SCOPES if scopes is None else scopes)
        self.events: set[str] = set(DEFAULT_EVENTS if events is None else events)
        self.commands: set[str] | None = None
        self.escaped = True
        self.uninstalled = False
        self.replies: dict[str, ReplyAddress] = {}
        self.organisation = ""
        self.teams = [workspace]
        self.link = Link(workspace.simulator)
        self.user_id = user.id
        self.bot_id = user.bot_id or ""
        self._mention = f"<@{user.id}"
        icon = "https://a.slack-edge.com/80588/img/plugins/app/bot_{}.png"
        self.icons = {f"image_{size}": icon.format(size) for size in (36, 48, 72)}
        self.bot_profile: dict[str, Any] = {
            "id": self.bot_id,
            "deleted": False,
            "name": user.name,
            "updated": user.updated,
            "app_id": id,
            "icons": self.icons,
            "team_id": workspace.id,
        }
        self._around: dict[str, Any] = {
            "token": "simulated-verification-token",
            "team_id": workspace.id,
            "context_team_id": workspace.id,
            "context_enterprise_id": None,
            "api_app_id": id,
            "type": "event_callback",
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": workspace.id,
                    "user_id": user.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }

    def __repr__(self) -> str:
        return f"<App {self.user.name} {self.id} in {self.workspace.name}>"

    def is_mentioned(self, message: "Message") -> bool:
        """Whether Slack sends ``app_mention`` for it: never in direct messages, never for the app's own."""
        return (
            self._mention in message.text
            and message.channel.kind != "im"
            and message.user != self.user_id
            and message.subtype in (None, "file_share", "thread_broadcast")
        )

    def deliver(self, event: dict[str, Any]) -> Delivery:
        """Send an event to one of the app's sockets, or hold it until there is one."""
        event_id = self.workspace.simulator.new_id("Ev")
        payload = {**self._around, "event": event, "event_id": event_id, "event_time": int(time.time())}
        return self._send(Delivery(self, event_id, payload))

    def offers(self, command: str) -> bool:
        """Whether that slash command (``/roll``) is one of the app's."""
        return "commands" in self.scopes and (self.commands is None or command in self.commands)

    def command(self, user: "User", channel: "Channel", command: str, text: str) -> Delivery:
        """Somebody uses a slash command.

        https://docs.slack.dev/interactivity/implementing-slash-commands/#app_command_handling
        """
        simulator, workspace = self.workspace.simulator, self.workspace
        trigger = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        secret = secrets.token_hex(8)
        self.replies[secret] = ReplyAddress(self, channel, user.id, time.time() + REPLY_SECONDS)
        named = {"im": "directmessage", "group": "privategroup"}
        payload = {
            "token": self._around["token"],
            "team_id": workspace.id,
            "team_domain": workspace.domain,
            "channel_id": channel.id,
            "channel_name": named.get(channel.kind, channel.name),
            "user_id": user.id,
            "user_name": user.name,
            "command": command,
            "text": workspace.escaped(text) if self.escaped else text,
            "api_app_id": self.id,
            "is_enterprise_install": "false",
            "response_url": f"{simulator.origin}/commands/{workspace.id}/{secret}",
            "trigger_id": trigger,
        }
        return self._send(Delivery(self, trigger, payload, "slash_commands"))

    def _send(self, delivery: Delivery) -> Delivery:
        simulator = self.workspace.simulator
        simulator.deliveries.append(delivery)
        simulator.pending += 1
        self.link.deliver(delivery)
        return delivery
