"""``response_url``: where an app answers a slash command, also in conversations that it is not in.

It is good for five messages within thirty minutes (https://docs.slack.dev/interactivity/handling-user-interaction).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .message import Message
from .text import posted, rich_text

if TYPE_CHECKING:
    from .app import App
    from .channel import Channel

__all__ = ["MOST_USES", "ReplyAddress"]

MOST_USES = 5


@dataclass(slots=True)
class ReplyAddress:
    """One ``response_url``.

    Attributes:
        user: who used the command.
        ends: when it ends (unix seconds); may be changed.
        uses: how often it was used.
    """

    app: "App"
    channel: "Channel"
    user: str
    ends: float
    uses: int = 0

    def answer(self, body: Any, now: float) -> tuple[int, str]:
        """Say what was posted to it; the HTTP status, and what Slack says."""
        if self.uses >= MOST_USES:
            return 404, "used_url"
        if now > self.ends:
            return 404, "expired_url"
        text = body.get("text") if isinstance(body, dict) else None
        if not isinstance(text, str) or not text:
            return 400, "no_text"
        self.uses += 1
        app, simulator = self.app, self.app.workspace.simulator
        message = Message(
            self.channel,
            simulator.new_ts(),
            app.user_id,
            posted(text),
            subtype="bot_message",
            bot_id=app.bot_id,
            app_id=app.id,
            team=app.workspace.id,
        )
        message.blocks = rich_text(message.text, simulator.block_id())
        # "ephemeral" unless it says otherwise: https://docs.slack.dev/interactivity/implementing-slash-commands
        if body.get("response_type") == "in_channel":
            app.workspace.post(message)
        else:
            simulator.ephemerals.append((self.user, message))
            simulator.changed()
        return 200, "ok"
