"""The simulator itself: what tests and people hold in their hands."""

import asyncio
import itertools
import time
from collections import deque
from typing import Any, Literal

from aiohttp import web

from dragoman.testing.simulating import Simulator

from .app import App
from .channel import Channel
from .faults import Fault
from .message import Message
from .people import User
from .sockets import Delivery, Reason
from .web import Said, routes
from .workspace import Workspace

__all__ = ["SlackSimulator"]

#: Slack sends an event again almost at once, after a minute and after five minutes, then gives up.
#: https://docs.slack.dev/apis/events-api#retries
RETRY_DELAYS = (0.0, 60.0, 300.0)


class SlackSimulator(Simulator[Fault]):
    """Slack on loopback: the Web API over HTTP and Socket Mode over websockets, strict as Slack is.

    >>> async with SlackSimulator() as slack:
    ...     acme = slack.workspace("acme")
    ...     ann, general = acme.user("ann"), acme.channel("general")
    ...     # point a bot to slack.url with acme.app.bot_token and acme.app.app_token
    ...     message = await ann.say(general, "@dragoman hello")
    ...     print((await general.reply_to(message)).text)

    Args:
        port: where to listen; any free one by default.
        ack_timeout: after how many seconds an envelope without an acknowledgement is sent again.
        retry_delays: how long Slack waits before each time that it sends it again, before it gives up.
        ping_interval: seconds between websocket pings.
        strict: whether an argument that the method does not have is an error. Slack itself ignores it.
        keep: how many deliveries, calls and ephemeral messages are remembered.

    Attributes:
        deliveries: the events that were sent or wait to be, oldest first.
        calls: the calls of the Web API, oldest first.
        ephemerals: what the bots showed to one person only (their id, the message), oldest first.
        pending: how many events are neither acknowledged nor given up.
        statuses: what ``assistant.threads.setStatus`` set: conversation, thread, status.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ack_timeout: float = 3.0,
        retry_delays: tuple[float, ...] = RETRY_DELAYS,
        ping_interval: float = 30.0,
        strict: bool = True,
        keep: int = 100_000,
    ) -> None:
        super().__init__(host=host, port=port)
        self.ack_timeout = ack_timeout
        self.retry_delays = retry_delays
        self.ping_interval = ping_interval
        self.strict = strict
        self.workspaces: dict[str, Workspace] = {}
        self.deliveries: deque[Delivery] = deque(maxlen=keep)
        self.calls: deque[Said] = deque(maxlen=keep)
        self.ephemerals: deque[tuple[str, Message]] = deque(maxlen=keep)
        self.statuses: deque[tuple[Channel, str, str]] = deque(maxlen=keep)
        self.tokens: dict[str, tuple[App, Literal["bot", "app"]]] = {}
        self.pending = 0
        self.tickets: dict[str, App] = {}
        self._ids = itertools.count(1)
        self._blocks = itertools.count(1)
        self._last_ts = 0

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        return routes(self)

    async def close(self) -> None:
        """Cut the connections and stop listening."""
        for app in self.apps:
            app.link.drop()
            app.link.forget()
        await super().close()

    # Where it is and who is there

    @property
    def url(self) -> str:
        """The ``base_url`` for slack_sdk's clients."""
        return f"{self.origin}/api/"

    @property
    def apps(self) -> list[App]:
        """All installed apps."""
        return [app for workspace in self.workspaces.values() for app in workspace.apps]

    def workspace(self, name: str, *, domain: str | None = None, bot: str = "dragoman") -> Workspace:
        """A new workspace with an app installed (``workspace.app``) whose bot is called ``bot``."""
        workspace = Workspace(self, name, domain or name, bot)
        self.workspaces[workspace.id] = workspace
        return workspace

    def now(self) -> int:
        """The time in whole seconds."""
        return int(time.time())

    def new_id(self, prefix: str) -> str:
        """An id such as Slack's; the same ones in the same order in every simulator."""
        return f"{prefix}0SIM{next(self._ids):06d}"

    def new_ts(self) -> str:
        """A message's ts: later than every one before."""
        self._last_ts = max(self._last_ts + 1, time.time_ns() // 1000)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def block_id(self) -> str:
        """The id of a block that Slack makes."""
        return f"b{next(self._blocks):x}"

    def keep_tokens(self, app: App) -> None:
        """Know an app by its tokens. For an app whose tokens were set to others."""
        self.tokens = {token: known for token, known in self.tokens.items() if known[0] is not app}
        self.tokens[app.bot_token] = (app, "bot")
        self.tokens[app.app_token] = (app, "app")

    # What the bot said, and waiting for it

    def said(self, *, channel: Channel | None = None, thread: Message | str | None = None) -> list[Message]:
        """What bots said, oldest first: everywhere, in one conversation, or in one thread."""
        channels = (
            [channel] if channel is not None else [c for w in self.workspaces.values() for c in w.channels.values()]
        )
        found = [message for place in channels for message in place.said]
        if thread is not None:
            root = (thread.thread_ts or thread.ts) if isinstance(thread, Message) else thread
            found = [message for message in found if message.thread_ts == root]
        return found if channel is not None else sorted(found, key=lambda message: message.ts)

    def shown_to(self, user: User) -> list[Message]:
        """The ephemeral messages that somebody was shown."""
        return [message for seen_by, message in self.ephemerals if seen_by == user.id]

    def so_far(self) -> str:
        """What the bots said last."""
        last = [f"{message.channel.name or message.channel.kind}: {message.text!r}" for message in self.said()[-5:]]
        return f"the bots said last: {last or 'nothing'}"

    async def connected(self, sockets: int = 1, timeout: float = 10.0) -> None:
        """Wait until that many sockets are open."""
        await self.until(lambda: sum(len(app.link.sockets) for app in self.apps) >= sockets, timeout)

    async def settled(self, timeout: float = 10.0) -> None:
        """Wait until every event was acknowledged or given up."""
        await self.until(lambda: not self.pending, timeout)

    # What goes wrong

    def ratelimit(self, method: str = "*", *, times: int | None = 1, retry_after: int = 1) -> None:
        """Answer the next calls with ``ratelimited``, HTTP 429 and ``Retry-After``."""
        self.faults.add(Fault(method, times, error="ratelimited", status=429, retry_after=retry_after))

    def fail(
        self,
        method: str = "*",
        *,
        status: int = 503,
        times: int | None = 1,
        error: str = "service_unavailable",
        performed: bool = False,
    ) -> None:
        """Fail the next calls. ``performed``: do what they ask first, so that only the answer is lost."""
        self.faults.add(Fault(method, times, error=error, status=status, performed=performed))

    def hang_up(self, method: str = "*", *, times: int | None = 1, performed: bool = False) -> None:
        """Close the connection of the next calls without an answer."""
        self.faults.add(Fault(method, times, status=0, error="hang_up", performed=performed))

    def delay(self, method: str, seconds: float, *, times: int | None = None) -> None:
        """Answer calls late, until ``recover``."""
        self.faults.add(Fault(method, times, delay=seconds))

    async def disconnect(self, reason: Reason = "refresh_requested", *, after: float = 0.0) -> None:
        """Tell every socket to go and close it; with ``after``, ``warning`` comes so many seconds before."""
        if after:
            for app in self.apps:
                app.link.warn()
            await asyncio.sleep(after)
        for app in self.apps:
            app.link.disconnect(reason)
        await asyncio.sleep(0)

    def drop_sockets(self) -> int:
        """Cut all websockets as a broken network does; says how many there were."""
        return sum(app.link.drop() for app in self.apps)

    def send_raw(self, text: str) -> int:
        """Send a text of your own, which may be no JSON, on all websockets; says how many there are."""
        return sum(app.link.send_raw(text) for app in self.apps)

    def redeliver(self, message: Message) -> None:
        """Send the events about a message once more, as Slack does when an acknowledgement got lost."""
        for delivery in message.deliveries:
            delivery.app.link.deliver(delivery)

    def state(self) -> dict[str, Any]:
        """Everything that a person needs to point a bot here."""
        return {
            "api_url": self.url,
            "workspaces": [
                {
                    "id": workspace.id,
                    "name": workspace.name,
                    "apps": [
                        {
                            "id": app.id,
                            "bot": app.user.name,
                            "bot_user_id": app.user_id,
                            "bot_token": app.bot_token,
                            "app_token": app.app_token,
                            "scopes": sorted(app.scopes),
                            "events": sorted(app.events),
                            "sockets": len(app.link.sockets),
                        }
                        for app in workspace.apps
                    ],
                    "users": {user.name: user.id for user in workspace.users.values()},
                    "channels": {channel.name or channel.id: channel.id for channel in workspace.channels.values()},
                }
                for workspace in self.workspaces.values()
            ],
        }
