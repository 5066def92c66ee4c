"""A simulator with a small guild, discord.py's own client pointed to it, and calls by hand.

Whatever is said to the simulator and by it is held against Discord's published document when the rig ends, if
`DRAGOMAN_API_SPECS` names it.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route
from discord.webhook import async_ as webhooks

from adapters.discord import spec_published
from dragoman_discord.simulator import Application, DiscordSimulator

__all__ = ["Answered", "Client", "Rig", "Wire", "rig"]


class Http(HTTPClient):
    """discord.py's HTTP client with another address."""

    simulator: DiscordSimulator

    async def request(self, route: Route, **how: Any) -> Any:
        route.url = route.url.replace(Route.BASE, self.simulator.api_url)
        return await super().request(route, **how)

    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        url = url.replace(str(DiscordWebSocket.DEFAULT_GATEWAY), self.simulator.gateway_url)
        return await super().ws_connect(url, compress=compress)


class Webhooks(webhooks.AsyncWebhookAdapter):
    """What discord.py answers interactions with, with another address."""

    def __init__(self, simulator: DiscordSimulator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.simulator = simulator

    async def request(self, route: Route, session: aiohttp.ClientSession, **how: Any) -> Any:
        route.url = route.url.replace(Route.BASE, self.simulator.api_url)
        return await super().request(route, session, **how)


class Client(discord.Client):
    """discord.py's client, which remembers what it was told: (name, arguments)."""

    def __init__(self, simulator: DiscordSimulator, intents: discord.Intents, **options: Any) -> None:
        super().__init__(intents=intents, guild_ready_timeout=0.05, **options)
        self.http.__class__ = Http
        self.http.simulator = simulator  # type: ignore[attr-defined]
        self.simulator = simulator
        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        self.running: asyncio.Task[None] | None = None

    def dispatch(self, event: str, /, *args: Any, **how: Any) -> None:
        self.heard.append((event, args))
        super().dispatch(event, *args, **how)
        self.simulator.changed()

    async def on_error(self, event: str, /, *args: Any, **how: Any) -> None:
        raise AssertionError(f"on_{event} failed")

    async def next(self, event: str, where: Callable[..., bool] = lambda *_: True) -> Any:
        """The first thing of that name that it was told, when it is there."""

        def found() -> list[Any]:
            return [args for name, args in self.heard if name == event and where(*args)]

        args = (await self.simulator.until(found, waiting_for=f"on_{event}"))[0]
        return args[0] if len(args) == 1 else args


class Wire:
    """A gateway connection by hand."""

    def __init__(self, simulator: DiscordSimulator, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.simulator = simulator
        self.ws = ws
        self.seen: list[dict[str, Any]] = []
        self._inflate = zlib.decompressobj()

    async def send(self, op: int, data: Any) -> None:
        await self.ws.send_json({"op": op, "d": data})

    async def receive(self) -> dict[str, Any] | int:
        """The next payload, or the close code."""
        async with asyncio.timeout(10):
            message = await self.ws.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            payload: dict[str, Any] = message.json()
        elif message.type is aiohttp.WSMsgType.BINARY:
            assert message.data.endswith(b"\x00\x00\xff\xff")
            payload = discord.utils._from_json(self._inflate.decompress(message.data).decode())
        else:
            assert self.ws.close_code is not None
            return self.ws.close_code
        self.seen.append(payload)
        return payload

    async def until(self, what: str | int) -> Any:
        """The data of the next event of that name, or of the next payload with that opcode."""
        while True:
            payload = await self.receive()
            assert isinstance(payload, dict), f"closed with {payload} before {what}"
            if payload["t" if isinstance(what, str) else "op"] == what:
                return payload["d"]

    async def code(self) -> int:
        """The close code, after whatever else comes."""
        while not isinstance(found := await self.receive(), int):
            pass
        return found

    async def identify(self, app: Application, intents: int = 0x1FFFF, **more: Any) -> dict[str, Any]:
        """Begin a session; returns the data of READY."""
        await self.send(2, {"token": app.token, "intents": intents, "properties": {}, **more})
        ready: dict[str, Any] = await self.until("READY")
        return ready


class Answered:
    """The answer to a call by hand."""

    def __init__(self, status: int, body: Any, headers: Any) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def code(self) -> int:
        """Discord's error code."""
        assert self.status >= 400, (self.status, self.body)
        return int(self.body["code"])


class Rig:
    """Ann and Bob in #general of a guild with the bot."""

    def __init__(self, simulator: DiscordSimulator, session: aiohttp.ClientSession) -> None:
        self.discord = simulator
        self.session = session
        self.acme = simulator.guild("acme")
        self.ann = self.acme.user("ann", global_name="Ann Lee")
        self.bob = self.acme.user("bob")
        self.general = self.acme.channel("general")
        self.app = simulator.application("dragoman")
        self.clients: list[Client] = []
        self.wires: list[Wire] = []

    async def client(self, intents: discord.Intents | None = None, **options: Any) -> Client:
        """A connected client of discord.py, which is ready."""
        client = Client(self.discord, discord.Intents.all() if intents is None else intents, **options)
        self.clients.append(client)
        webhooks.async_context.set(Webhooks(self.discord))
        await client.login(self.app.token)
        client.running = asyncio.create_task(client.connect())
        await client.next("ready")
        return client

    async def wire(self, url: str | None = None, compress: str = "", version: int = 10) -> Wire:
        """A new connection by hand, without compression unless it is asked for."""
        more = f"&compress={compress}" if compress else ""
        ws = await self.session.ws_connect(f"{url or self.discord.gateway_url}?v={version}&encoding=json{more}")
        wire = Wire(self.discord, ws)
        self.wires.append(wire)
        return wire

    async def call(self, route: str, body: Any = None, *, token: str | None = None, **how: Any) -> Answered:
        """A call by hand, such as ``POST /channels/1/messages``; as the bot, unless there is another token."""
        verb, _, path = route.partition(" ")
        token = self.app.token if token is None else token
        headers = {"Authorization": f"Bot {token}"} if token else {}
        if body is not None:
            how["json"] = body
        async with self.session.request(verb, self.discord.api_url + path, headers=headers, **how) as response:
            text = await response.text()
            return Answered(response.status, await response.json() if text else None, response.headers)

    async def post(self, content: str = "hello", **more: Any) -> dict[str, Any]:
        """The bot posts to #general."""
        answer = await self.call(f"POST /channels/{self.general.id}/messages", {"content": content, **more})
        assert answer.status == 200, answer.body
        posted: dict[str, Any] = answer.body
        return posted


@asynccontextmanager
async def rig(*, published: bool = True, **settings: Any) -> AsyncIterator[Rig]:
    """A `Rig` that leaves nothing open behind it.

    Args:
        published: whether all that was said is held against the published document.
    """
    async with DiscordSimulator(**settings) as simulator, aiohttp.ClientSession() as session:
        made = Rig(simulator, session)
        try:
            yield made
        finally:
            for client in made.clients:
                await client.close()
                if client.running is not None:
                    client.running.cancel()
                    await asyncio.gather(client.running, return_exceptions=True)
            for wire in made.wires:
                await wire.ws.close()
        document = spec_published.published() if published else None
        problems = [] if document is None else [each for call in simulator.calls for each in document.problems(call)]
        assert not problems, "\n".join(problems)
