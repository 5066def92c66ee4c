"""A Discord of which a test writes every word: REST answers by path, and a gateway that is driven by hand."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from aiohttp import WSMsgType, web

from adapters.discord import payloads as p
from dragoman_discord.adapter import DiscordAdapter
from dragoman_discord.settings import DiscordSettings

__all__ = ["Connection", "Scripted"]

#: All privileged intents are on.
FLAGS = 1 << 15 | 1 << 19


class Connection:
    """One websocket of the adapter's, seen from Discord's side."""

    def __init__(self, socket: web.WebSocketResponse, query: dict[str, str]) -> None:
        self.socket = socket
        self.query = query
        self.sequence = 0
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._closed = asyncio.Event()

    async def send(self, op: int, data: Any = None, **more: Any) -> None:
        await self.raw(json.dumps({"op": op, "d": data, "s": None, "t": None, **more}))

    async def raw(self, text: str | bytes) -> None:
        await (self.socket.send_str(text) if isinstance(text, str) else self.socket.send_bytes(text))

    async def dispatch(self, kind: str, data: Any) -> None:
        self.sequence += 1
        await self.send(0, data, t=kind, s=self.sequence)

    async def receive(self, *ops: int) -> dict[str, Any]:
        """The next thing that is sent with one of these opcodes."""
        async with asyncio.timeout(10):
            while (payload := await self._sent.get())["op"] not in ops:
                pass
            return payload

    async def read(self) -> None:
        """Take what the adapter sends, until it is closed."""
        async for message in self.socket:
            assert message.type is WSMsgType.TEXT, message
            await self._sent.put(json.loads(message.data))
        self._closed.set()

    async def hello(self, interval: int = 40_000) -> dict[str, Any]:
        """Say hello; what the adapter starts with (IDENTIFY or RESUME)."""
        await self.send(10, {"heartbeat_interval": interval})
        return await self.receive(2, 6)

    async def closed(self) -> int | None:
        """Until the adapter has closed it; the code."""
        await asyncio.wait_for(self._closed.wait(), 10)
        return self.socket.close_code


class Scripted:
    """REST answers are ``{"GET /path": answer}``; an answer may be a function of the body, or (status, body),
    or (status, body, headers)."""

    url: str
    gateway: str

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "GET /users/@me": p.user(p.BOT, "dragoman", bot=True),
            "GET /oauth2/applications/@me": {"id": p.APP, "name": "dragoman", "flags": FLAGS},
            "GET /gateway/bot": lambda body: {"url": self.gateway, "shards": 1},
        }
        self.asked: list[tuple[str, Any]] = []
        self._connections: asyncio.Queue[Connection] = asyncio.Queue()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/gateway/", self._socket)
        app.router.add_route("*", "/api{path:.*}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url, self.gateway = f"http://127.0.0.1:{port}/api", f"ws://127.0.0.1:{port}/gateway/"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def adapter(self, **more: Any) -> DiscordAdapter:
        given = {"token": "a.b.c", "api_url": self.url, "identify_delay": 0, "shards": 1, **more}
        return DiscordAdapter("acme", DiscordSettings.model_validate({"platform": "discord", **given}))

    async def connection(self) -> Connection:
        """The next websocket that the adapter opens."""
        return await asyncio.wait_for(self._connections.get(), 10)

    async def session(self, id: str = "session-1", *, guilds: Any = ()) -> Connection:
        """A connection, and a session on it that has begun."""
        connection = await self.connection()
        assert (await connection.hello())["op"] == 2
        ready = {"v": 10, "session_id": id, "resume_gateway_url": self.gateway, "user": {}, "guilds": list(guilds)}
        await connection.dispatch("READY", ready)
        return connection

    def posted(self, what: str) -> list[Any]:
        """The bodies of all calls of that method and path."""
        return [body for asked, body in self.asked if asked == what]

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = Connection(socket, dict(request.query))
        await self._connections.put(connection)
        await connection.read()
        return socket

    async def _rest(self, request: web.Request) -> web.Response:
        what = f"{request.method} {request.match_info['path']}"
        body = await request.json() if request.can_read_body else None
        self.asked.append((what, body))
        answer = self.answers.get(what, (404, {"message": "404: Not Found", "code": 0}))
        if isinstance(answer, list) and answer and isinstance(answer[0], tuple | Callable):
            answer = answer.pop(0)
        if callable(answer):
            answer = answer(body)
        status, content, *more = answer if isinstance(answer, tuple) else (200, answer)
        if content is None:
            return web.Response(status=204)
        # discord.py only reads what is called exactly so.
        return web.Response(
            status=status,
            body=json.dumps(content).encode(),
            headers={"Content-Type": "application/json", **(more[0] if more else {})},
        )
