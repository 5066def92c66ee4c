"""The simulator itself: what tests and people hold in their hands."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from dragoman.testing.simulating import Simulator

from .channel import Channel
from .faults import Fault
from .limits import Limits
from .message import Message
from .socket import Socket
from .web import Said, routes
from .world import World

__all__ = ["DiscordSimulator"]


class DiscordSimulator(Simulator[Fault], World):
    """Discord on loopback: the REST API over HTTP and the gateway over websockets, strict as Discord is.

    >>> async with DiscordSimulator() as discord:
    ...     acme = discord.guild("acme")
    ...     ann, general = acme.user("ann"), acme.channel("general")
    ...     app = discord.application("dragoman")
    ...     # point a bot to discord.api_url and discord.gateway_url with app.token
    ...     message = await ann.say(general, "@dragoman hello")
    ...     print((await general.reply_to(message)).content)

    Args:
        port: where to listen; any free one by default.
        heartbeat_interval: seconds between two heartbeats; one and a half without any closes the connection (4009).
        resume_window: seconds for which a session without a connection can be resumed.
        identify_interval: seconds between two new sessions of an app (op 9 if sooner). Discord's is 5.
        concurrency: how many of an app's shards may begin in that time.
        guilds_a_shard: more are refused with 4011. Discord's is 2,500.
        limits: rate limits as (calls, seconds) by route, such as ``POST /channels/{channel_id}/messages``; ``*`` is
            for all others; ``global`` is for all calls of an app together. By default nobody reaches any.
        response_limit: seconds in which an interaction wants its first response.
        token_lifetime: seconds for which an interaction can be answered at all.
        nonce_window: seconds in which a nonce may not come again.
        largest_file: bytes of one file (https://docs.discord.com/developers/reference#uploading-files).
        keep: how many calls, and things told in a session, are remembered.

    Attributes:
        calls: the calls of the API, oldest first.
        sockets: the open connections of the gateway.
        identifies, resumes, timeouts: how many sessions were begun or resumed, or had no heartbeat.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        heartbeat_interval: float = 41.25,
        resume_window: float = 180.0,
        identify_interval: float = 0.0,
        concurrency: int = 1,
        guilds_a_shard: int = 2_500,
        limits: Mapping[str, tuple[int, float]] | None = None,
        response_limit: float = 3.0,
        token_lifetime: float = 900.0,
        nonce_window: float = 300.0,
        largest_file: int = 20 * 1024 * 1024,
        keep: int = 100_000,
    ) -> None:
        Simulator.__init__(self, host=host, port=port)
        World.__init__(self)
        self.heartbeat_interval = heartbeat_interval
        self.resume_window = resume_window
        self.identify_interval = identify_interval
        self.concurrency = concurrency
        self.guilds_a_shard = guilds_a_shard
        self.response_limit = response_limit
        self.token_lifetime = token_lifetime
        self.nonce_window = nonce_window
        self.largest_file = largest_file
        self.keep = keep
        self.limits = Limits(self.clock, limits or {})
        self.calls: deque[Said] = deque(maxlen=keep)
        self.sockets: set[Socket] = set()
        self.identifies = self.resumes = self.timeouts = 0
        self.silent = self.deaf = False
        self.spoken = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """All addresses."""
        return routes(self)

    # Where it is

    @property
    def api_url(self) -> str:
        """Where the REST API is, instead of ``https://discord.com/api/v10``."""
        return f"{self.origin}/api/v10"

    @property
    def gateway_url(self) -> str:
        """Where the gateway is, as ``GET /gateway/bot`` says too."""
        return f"ws://{self.host}:{self.port}/gateway/"

    @property
    def resume_url(self) -> str:
        """Where sessions are resumed (``resume_gateway_url``)."""
        return f"ws://{self.host}:{self.port}/resume/"

    def advance(self, seconds: float) -> None:
        """Let time pass at once: for deadlines, tokens, nonces, sessions and rate limits."""
        self.clock.advance(seconds)
        self.changed()

    # What bots said, and waiting for it

    def said(self, *, channel: Channel | None = None) -> list[Message]:
        """What bots said and people see, oldest first: everywhere, or in one channel or thread."""
        places = [channel] if channel is not None else list(self.channels.values())
        return sorted((message for place in places for message in place.said), key=lambda message: int(message.id))

    def so_far(self) -> str:
        """What the bots said last, and which calls were refused."""
        last = [f"{message.channel!r}: {message.content!r}" for message in self.said()[-5:]]
        refused = [f"{call.route}: {call.status} {call.error}" for call in self.calls if call.status >= 400][-3:]
        return f"the bots said last: {last or 'nothing'}; refused: {refused or 'no call'}"

    async def connected(self, sessions: int = 1, timeout: float = 10.0) -> None:
        """Wait until that many sessions are connected (and have been told that they are ready)."""
        await self.until(lambda: sum(len(app.connected) for app in self.applications.values()) >= sessions, timeout)

    # What goes wrong with calls

    def ratelimit(
        self,
        where: str = "*",
        *,
        times: int | None = 1,
        retry_after: float = 1.0,
        whole: bool = False,
        via: bool = True,
    ) -> None:
        """Answer the next calls with HTTP 429; see `Fault` for ``where``, ``whole`` ("global") and ``via``."""
        self.faults.add(Fault(where, times, status=429, retry_after=retry_after, whole=whole, via=via))

    def fail(
        self, where: str = "*", *, status: int = 503, times: int | None = 1, code: int = 0, performed: bool = False
    ) -> None:
        """Fail the next calls. ``performed``: do what they ask first, so that only the answer is lost."""
        self.faults.add(Fault(where, times, status=status, code=code, performed=performed))

    def hang_up(self, where: str = "*", *, times: int | None = 1, performed: bool = False) -> None:
        """Close the connection of the next calls without an answer."""
        self.faults.add(Fault(where, times, status=0, performed=performed))

    def delay(self, where: str, seconds: float, *, times: int | None = None) -> None:
        """Answer calls late, until `recover`."""
        self.faults.add(Fault(where, times, delay=seconds))

    def recover(self) -> None:
        """From now on calls and connections go well again; what was delayed is answered."""
        super().recover()
        self.deaf = False
        self.speak()

    # What goes wrong with connections

    def drop_sockets(self) -> int:
        """Cut all connections of the gateway as a broken network does; says how many there were."""
        cut = list(self.sockets)
        for socket in cut:
            socket.drop()
        return len(cut)

    def close_sockets(self, code: int = 4000, reason: str = "") -> int:
        """Close all connections of the gateway with a code; says how many there were."""
        cut = list(self.sockets)
        for socket in cut:
            socket.close(code, reason)
        return len(cut)

    def reconnect(self) -> None:
        """Ask for new connections (op 7)."""
        for socket in self.sockets:
            socket.tell(7, None)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Say that the sessions are invalid (op 9); unless ``resumable`` they are over."""
        for socket in list(self.sockets):
            if socket.session is not None and not resumable:
                socket.session.over = True
            socket.tell(9, resumable)

    def expire_sessions(self) -> None:
        """Forget all sessions: who tries to resume one is told that it is invalid."""
        for app in self.applications.values():
            for session in app.sessions:
                session.over = True

    def ask_heartbeat(self) -> None:
        """Ask for a heartbeat at once (op 1)."""
        for socket in self.sockets:
            socket.tell(1, None)

    def silence(self) -> None:
        """Say nothing more on any connection, and keep it open, until `speak`; what there is to say waits."""
        self.silent = True
        self.spoken.clear()

    def speak(self) -> None:
        """End the `silence`."""
        self.silent = False
        self.spoken.set()

    def redeliver(self, message: Message) -> None:
        """Tell all sessions of a message once more, as one that is resumed too early is told again what it knows."""
        self._message("MESSAGE_CREATE", message)

    def send_raw(self, text: str) -> None:
        """Send a text of your own, which may be no JSON, on all connections."""
        for socket in self.sockets:
            socket.put(text)

    def dispatch(self, event: str, data: Any) -> None:
        """Tell all sessions something of your own, which may be malformed or unknown."""
        for app in self.applications.values():
            for session in app.sessions:
                if not session.over:
                    session.send(event, data)

    def state(self) -> dict[str, Any]:
        """Everything that a person needs to point a bot here."""
        return {
            "api_url": self.api_url,
            "gateway_url": self.gateway_url,
            "cdn_url": self.origin,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now())),
            "applications": [
                {
                    "id": app.id,
                    "name": app.name,
                    "token": app.token,
                    "sessions": [repr(session) for session in app.connected],
                    "commands": [command.payload() for command in app.commands.values()],
                }
                for app in self.applications.values()
            ],
            "guilds": [
                {
                    "id": guild.id,
                    "name": guild.name,
                    "users": {member.user.name: member.user.id for member in guild.members.values()},
                    "channels": {channel.name: channel.id for channel in guild.channels.values()},
                    "threads": {thread.name: thread.id for thread in guild.threads.values()},
                }
                for guild in self.guilds.values()
            ],
        }
