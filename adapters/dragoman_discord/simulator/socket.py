"""One websocket of the gateway: from hello to its close code.

https://docs.discord.com/developers/events/gateway and, for the codes,
https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway
"""

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from aiohttp import WSMsgType, web

from . import intents
from .compression import Unsupported, packer
from .session import Session

if TYPE_CHECKING:
    from .application import Application
    from .server import DiscordSimulator

__all__ = ["Socket"]

_dumps = json.JSONEncoder(separators=(",", ":")).encode

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, ACK = (
    *(0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11),
)
SOUNDS: Final = 31
#: A payload's most bytes, and the most payloads in a minute: https://docs.discord.com/developers/events/gateway
LONGEST: Final = 4096
MOST: Final = 120


class Closed(Exception):
    """The connection ends with that close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """The server's end of one connection."""

    def __init__(self, simulator: "DiscordSimulator", request: web.Request) -> None:
        self.simulator = simulator
        self.ws = web.WebSocketResponse(compress=False, timeout=2.0, max_msg_size=1 << 20)
        self.session: Session | None = None
        self.resuming = request.path.startswith("/resume")
        self._request = request
        self._outbox: asyncio.Queue[str | Closed] = asyncio.Queue()
        self._heard = 0.0
        self._minute: list[float] = []

    def put(self, text: str) -> None:
        """Send it after what is on its way already."""
        self._outbox.put_nowait(text)

    def close(self, code: int, reason: str = "") -> None:
        """Close it after what is on its way already."""
        self._outbox.put_nowait(Closed(code, reason))

    def drop(self) -> None:
        """Cut it as a broken network does."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def tell(self, op: int, data: Any) -> None:
        """Send something that is not numbered."""
        self.put(_dumps({"op": op, "s": None, "t": None, "d": data}))

    async def serve(self) -> web.WebSocketResponse:
        """Until it closes."""
        query = self._request.query
        await self.ws.prepare(self._request)
        try:
            pack = packer(query.get("compress", ""))
        except Unsupported as error:
            await self.ws.close(code=4002, message=str(error).encode())
            return self.ws
        if query.get("v") != "10" or query.get("encoding", "json") != "json":
            await self.ws.close(code=4012, message=b"Invalid API version")
            return self.ws
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        self.tell(HELLO, {"heartbeat_interval": int(self.simulator.heartbeat_interval * 1000), "_trace": ["simulator"]})
        pump = asyncio.create_task(self._pump(pack))
        watch = asyncio.create_task(self._watch())
        try:
            await self._listen()
        finally:
            self._gone()
            watch.cancel()
            pump.cancel()
            await asyncio.gather(pump, watch, return_exceptions=True)
        return self.ws

    async def _listen(self) -> None:
        async for message in self.ws:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            try:
                self._read(message.data)
            except Closed as closed:
                self.close(closed.code, closed.reason)
                if self.session is not None:
                    self.session.over = True

    async def _pump(self, pack: Any) -> None:
        while not isinstance(item := await self._outbox.get(), Closed):
            while self.simulator.silent:
                await self.simulator.spoken.wait()
            packed = pack(item)
            if isinstance(packed, bytes):
                await self.ws.send_bytes(packed)
            else:
                await self.ws.send_str(packed)
        await self.ws.close(code=item.code, message=item.reason.encode())

    async def _watch(self) -> None:
        """Close it when no heartbeat comes."""
        loop, patience = asyncio.get_running_loop(), self.simulator.heartbeat_interval * 1.5
        while True:
            left = self._heard + patience - loop.time()
            if left <= 0:
                break
            await asyncio.sleep(left)
        if self.session is not None:
            self.session.over = True
        self.simulator.timeouts += 1
        self.close(4009, "Session timed out.")

    def _gone(self) -> None:
        session, self.session = self.session, None
        self.simulator.sockets.discard(self)
        if session is not None and session.socket is self:
            session.socket = None
            session.left = self.simulator.now()
            # "If you close with 1000 or 1001, the session is invalidated":
            # https://docs.discord.com/developers/events/gateway#initiating-a-disconnect
            if self.ws.close_code in (1000, 1001):
                session.over = True
        self.simulator.changed()

    # What the client sends

    def _read(self, data: str | bytes) -> None:
        now = asyncio.get_running_loop().time()
        self._minute = [moment for moment in self._minute if moment > now - 60] + [now]
        if len(self._minute) > MOST:
            raise Closed(4008, "You are being rate limited.")
        if len(data) > LONGEST:
            raise Closed(4002, "Error while decoding payload.")
        try:
            payload = json.loads(data)
            op, wish = payload["op"], payload.get("d")
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Closed(4002, "Error while decoding payload.") from None
        if op == HEARTBEAT:
            self._heard = now
            if not self.simulator.deaf:
                self.tell(ACK, None)
        elif op in (IDENTIFY, RESUME):
            if self.session is not None:
                raise Closed(4005, "Already authenticated.")
            if not isinstance(wish, dict):
                raise Closed(4002, "Error while decoding payload.")
            (self._identify if op == IDENTIFY else self._resume)(wish)
        elif op not in (PRESENCE, VOICE, MEMBERS, SOUNDS):
            raise Closed(4001, "Unknown opcode.")
        elif self.session is None:
            raise Closed(4003, "Not authenticated.")
        elif op == MEMBERS:
            self._members(self.session, wish)

    def _app(self, wish: dict[str, Any]) -> "Application":
        app = self.simulator.app_of(str(wish.get("token") or "").removeprefix("Bot "))
        if app is None:
            raise Closed(4004, "Authentication failed.")
        return app

    def _identify(self, wish: dict[str, Any]) -> None:
        """https://docs.discord.com/developers/events/gateway-events#identify"""
        app = self._app(wish)
        asked, properties = wish.get("intents"), wish.get("properties")
        if not isinstance(properties, dict):
            raise Closed(4002, "Error while decoding payload.")
        if not isinstance(asked, int) or isinstance(asked, bool) or asked < 0 or asked & ~intents.KNOWN:
            raise Closed(4013, "Invalid intent(s).")
        if asked & intents.PRIVILEGED & ~app.privileged:
            raise Closed(4014, "Disallowed intent(s).")
        shard = wish.get("shard", [0, 1])
        if not (isinstance(shard, list) and len(shard) == 2 and all(isinstance(each, int) for each in shard)):
            raise Closed(4010, "Invalid shard.")
        if not 0 <= shard[0] < shard[1]:
            raise Closed(4010, "Invalid shard.")
        if len(app.guilds()) > self.simulator.guilds_a_shard * shard[1]:
            raise Closed(4011, "Sharding required.")
        self.simulator.identifies += 1
        now, room = self.simulator.now(), shard[0] % self.simulator.concurrency
        if now < app.identified.get(room, 0.0) + self.simulator.identify_interval:
            self.tell(INVALID, False)
            return
        app.identified[room] = now
        app.starts += 1
        self._begin(Session(app, asked, (shard[0], shard[1]), self.simulator.keep))

    def _begin(self, session: Session) -> None:
        self.session, session.socket = session, self
        session.app.sessions.append(session)
        session.ready(self.simulator.resume_url)
        self.simulator.changed()

    def _resume(self, wish: dict[str, Any]) -> None:
        """https://docs.discord.com/developers/events/gateway-events#resume"""
        app = self._app(wish)
        simulator, seq = self.simulator, wish.get("seq")
        session = next((each for each in app.sessions if each.id == wish.get("session_id")), None)
        if not isinstance(seq, int):
            raise Closed(4002, "Error while decoding payload.")
        if session is not None and seq > session.seq:
            session.over = True
            raise Closed(4007, "Invalid seq.")
        simulator.resumes += 1
        if session is None or session.over or self._late(session) or not session.has(seq):
            if session is not None:
                app.sessions.remove(session)
            self.tell(INVALID, False)
            return
        if session.socket is not None:
            session.socket.session = None
            session.socket.close(4000, "Resumed elsewhere.")
        self.session = session
        session.resume(self, seq)
        simulator.changed()

    def _late(self, session: Session) -> bool:
        return session.socket is None and self.simulator.now() > session.left + self.simulator.resume_window

    def _members(self, session: Session, wish: Any) -> None:
        if not isinstance(wish, dict):
            raise Closed(4002, "Error while decoding payload.")
        guild = self.simulator.guilds.get(str(wish.get("guild_id")))
        everybody = wish.get("query") == "" and not wish.get("limit")
        if guild is None or session.app.user.id not in guild.members:
            return
        if everybody and not session.intents & intents.GUILD_MEMBERS:
            raise Closed(4014, "Disallowed intent(s).")
        session.members(wish, guild)
