"""discord.py's gateway connection, made lean, and made to give up when trying again will not help.

What is different from discord.py's client (https://docs.discord.com/developers/events/gateway):

* Its address is its own, and not the same for all clients in the process.
* Payloads are handed on as they came; nothing is cached, and what is malformed is said in the log and ignored.
* A session is resumed after any kind of break, until Discord says that it is over; then the time of the gap is known.
  Whoever stops leaves it open for a few minutes, so that the next process can resume it.
* A token or intents that Discord refuses end it with an error that says what to do.

Kept are its heartbeats and their timeout, compression, rate limit and opcodes.
"""

import asyncio
import contextlib
import logging
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import aiohttp
from discord import utils
from discord.errors import ConnectionClosed
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from pydantic_core import from_json
from yarl import URL

from dragoman import AccountError
from dragoman.adapting import delays

from .api import Http
from .progress import Progress

__all__ = ["Client", "Shard"]

log = logging.getLogger(__name__)

LONGEST_DELAY: Final = 30.0
#: Seconds that a connection may take until Discord says hello.
PATIENCE: Final = 60.0
#: Seconds that Discord may take to close a connection that we close.
GOODBYE: Final = 2.0
VERSION: Final = 10
#: What we close with. "When you close the connection to the gateway with close code 1000 or 1001, your session will be
#: invalidated": https://docs.discord.com/developers/events/gateway#initiating-a-disconnect
RESUMABLE: Final = 4000

#: Close codes after which trying again will not help
#: (https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes).
FATAL: Final[Mapping[int, str]] = {
    4004: "Discord does not take the token: copy it again from the page 'Bot' of the app at "
    "https://discord.com/developers/applications",
    4010: "Discord does not take the shard: shard_ids must be less than shards",
    4011: "the bot is in too many guilds for its shards: leave out shards, so that there are as many as are needed",
    4012: "Discord no longer has version 10 of its gateway: update dragoman",
    4013: "Discord does not know the intents: update dragoman",
    4014: "Discord refuses the privileged intents: turn on 'Server Members Intent' and 'Message Content Intent' on the "
    "page 'Bot' of the app at https://discord.com/developers/applications, or set members = false and "
    "message_content = false",
}

#: Close codes after which there has to be a new session (as above): the sequence was invalid; it has timed out.
ENDED: Final = frozenset({4007, 4009})

#: Given a shard and what Discord sent on it: ``{"op": 0, "t": ..., "s": ..., "d": ...}``. May not block or raise.
Handle = Callable[["Shard", Mapping[str, Any]], None]


@dataclass
class Shard:
    """One connection's share of the guilds, and its session.

    Attributes:
        session: the id of the session, for as long as it can be resumed; else empty.
        sequence: the number of the last dispatch that came.
        progress: how many of them have been handed over.
        resume_url: where it is resumed.
        heard: when something of the session came last, in unix seconds; 0 if nothing has yet.
        missed: since when nothing was heard, if a session was lost; ``None`` when what was missed has been seen to.
    """

    id: int
    count: int
    session: str = ""
    sequence: int | None = None
    resume_url: str = ""
    heard: float = 0.0
    missed: float | None = None
    ready: bool = False
    progress: Progress = field(default_factory=Progress)

    @property
    def complete(self) -> float:
        """Until when all that was said is handed over, or will come by itself; 0 if nothing was ever heard."""
        return self.progress.since(self.heard) if self.missed is None else self.missed

    def holds(self, tenant: str) -> bool:
        """Whether it is told of that guild, or (``@me``) of direct messages
        (https://docs.discord.com/developers/events/gateway#sharding)."""
        return self.id == ((int(tenant) >> 22) % self.count if tenant.isdecimal() else 0)

    def begin(self, session: str, resume_url: str) -> None:
        """A session has begun."""
        self.session, self.resume_url = session, resume_url
        self.progress = Progress()

    def rewind(self) -> None:
        """What came and was not handed over is to come again."""
        if self.session:
            self.sequence = self.progress.reached
            self.progress = Progress(self.sequence)

    def forget(self) -> None:
        """The session is over."""
        if self.session and self.missed is None:
            self.missed = self.complete
        self.session, self.sequence, self.resume_url = "", None, ""
        self.progress = Progress()


class Socket(DiscordWebSocket):
    """One websocket. `received_message` differs from discord.py's: see the module."""

    shard: Shard
    take: Callable[[Mapping[str, Any]], None]
    intents: int

    @classmethod
    async def connect(cls, client: "Client", shard: Shard) -> Self:
        """Connect and wait for the hello, as ``DiscordWebSocket.from_client`` does."""
        url = URL(shard.resume_url or client.url).update_query(
            v=VERSION, encoding="json", compress=utils._ActiveDecompressionContext.COMPRESSION_TYPE
        )
        socket = cls(await client.http.ws_connect(str(url)), loop=asyncio.get_running_loop())
        socket.shard = shard
        socket.intents = client.intents
        socket.take = lambda payload: client.take(shard, payload)
        socket.token = client.http.token
        socket.shard_id, socket.shard_count = shard.id, shard.count
        socket.session_id, socket.sequence = shard.session or None, shard.sequence
        socket.gateway = url
        socket._rate_limiter.shard_id = shard.id
        socket._max_heartbeat_timeout = client.heartbeat_timeout
        try:
            async with asyncio.timeout(PATIENCE):
                await socket.poll_event()
        except BaseException:
            await socket.end()
            raise
        return socket

    async def identify(self) -> None:
        """Start a session (https://docs.discord.com/developers/events/gateway-events#identify)."""
        properties = {"os": sys.platform, "browser": "dragoman", "device": "dragoman"}
        data = {
            "token": self.token,
            "properties": properties,
            "intents": self.intents,
            "large_threshold": 50,
            "shard": [self.shard.id, self.shard.count],
        }
        await self.send_as_json({"op": self.IDENTIFY, "d": data})

    async def received_message(self, msg: Any, /) -> None:
        """Take one message, whatever it is.

        Raises:
            ReconnectWebSocket: Discord wants a new connection.
        """
        if isinstance(msg, bytes):
            try:
                text = self._decompressor.decompress(msg)
            except Exception as error:  # each kind of compression has its own; nothing after it can be read
                log.warning("shard %d: what came cannot be decompressed (%s)", self.shard.id, type(error).__name__)
                raise ReconnectWebSocket(self.shard.id) from None
            if text is None:
                return
        else:
            text = msg
        try:
            payload = from_json(text)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            log.warning("shard %d: Discord sent what is no JSON object; ignored", self.shard.id)
            return
        if payload.get("op") == self.DISPATCH:
            self._dispatched(payload)
            self._hear()
            return
        if payload.get("op") == self.HEARTBEAT_ACK:
            self._hear()
        try:
            await super().received_message(text)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            log.warning("shard %d: Discord sent a malformed op %r: %r", self.shard.id, payload.get("op"), error)

    def _hear(self) -> None:
        """Nothing was missed up to now. A hello does not say so: only when the session has begun or goes on."""
        if self.shard.ready:
            self.shard.heard = time.time()

    def _dispatched(self, payload: Mapping[str, Any]) -> None:
        if self._keep_alive:
            self._keep_alive.tick()
        sequence, data = payload.get("s"), payload.get("d")
        if isinstance(sequence, int):
            self.sequence = self.shard.sequence = sequence
        if payload.get("t") == "READY" and isinstance(data, Mapping):
            self.shard.begin(str(data.get("session_id") or ""), str(data.get("resume_gateway_url") or ""))
            self.session_id = self.shard.session
        try:
            self.take(payload)
        except Exception:
            log.exception("shard %d: a payload of type %s could not be taken", self.shard.id, payload.get("t"))

    async def close(self, code: int = RESUMABLE) -> None:
        """Close it, without waiting long for Discord to say goodbye."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await super().close(code)

    async def end(self) -> None:
        """Close it, whatever state it is in."""
        with contextlib.suppress(Exception):
            await self.close()


class Client:
    """The gateway connections of one account.

    Args:
        url: where sessions start.
        take: given every dispatch.
        identify_delay: seconds between two new sessions.
    """

    def __init__(
        self,
        account: str,
        http: Http,
        url: str,
        shards: list[Shard],
        take: Handle,
        *,
        intents: int,
        heartbeat_timeout: float = 60.0,
        identify_delay: float = 5.0,
    ) -> None:
        self.http = http
        self.url = url
        self.shards = shards
        self.take = take
        self.intents = intents
        self.heartbeat_timeout = heartbeat_timeout
        self._account = account
        self._identify_delay = identify_delay
        self._identifying = asyncio.Lock()
        self._identified = -LONGEST_DELAY

    async def run(self) -> None:
        """Until cancelled.

        Raises:
            AccountError: trying again will not help.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for shard in self.shards:
                    group.create_task(self._hold(shard))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _hold(self, shard: Shard) -> None:
        """Keep one shard connected."""
        delay = delays()
        while True:
            shard.ready = False
            try:
                await self._once(shard)
            except ReconnectWebSocket as wish:
                if not wish.resume:
                    log.info("%s: the session of shard %d is over", self._account, shard.id)
                    shard.forget()
                    # "wait for a random amount of time—between 1 and 5 seconds":
                    # https://docs.discord.com/developers/events/gateway#initiating-a-disconnect
                    await asyncio.sleep(random.uniform(0.2, 1.0) * self._identify_delay)  # noqa: S311
                    continue
                what = "Discord wants a new connection"
            except ConnectionClosed as closed:
                if closed.code in FATAL:
                    raise AccountError(
                        f"account {self._account!r}: {FATAL[closed.code]} (gateway close code {closed.code})",
                        account=self._account,
                    ) from None
                what = f"closed with {closed.code}"
            except (OSError, aiohttp.ClientError, TimeoutError, ValueError, RuntimeError) as error:
                what = type(error).__name__
            if shard.ready:
                delay = delays()
                log.info("%s: shard %d connects again (%s)", self._account, shard.id, what)
                continue
            wait = delay()
            log.warning("%s: shard %d cannot connect (%s); again in %.1f s", self._account, shard.id, what, wait)
            # Should the address that Discord gave for resuming be gone, the usual one resumes as well.
            shard.resume_url = ""
            await asyncio.sleep(wait)

    async def _once(self, shard: Shard) -> None:
        """One connection, until it ends with an error."""
        if shard.session:
            socket = await Socket.connect(self, shard)
            start = socket.resume
        else:
            async with self._identifying:
                await asyncio.sleep(max(0.0, self._identified + self._identify_delay - time.monotonic()))
                self._identified = time.monotonic()
            socket = await Socket.connect(self, shard)
            start = socket.identify
        try:
            await start()
            while True:
                await socket.poll_event()
        except ReconnectWebSocket:
            if socket.socket.close_code in ENDED:
                raise ReconnectWebSocket(shard.id, resume=False) from None
            raise
        finally:
            await socket.end()
