"""The web server: other programs call skills' webhooks, ``POST /hooks/<skill><path>``.

As the gateway does it: the event is committed to the ledger before the caller is told "accepted", so that a caller who
is told so need not call again, and one who is not may.

=====================================================  ============================================================
what                                                   answer
=====================================================  ============================================================
accepted, or delivered before                          202 ``{"event": key}``
no such webhook                                        404
GET and others                                         405
no or wrong credentials (see `dragoman.credentials`)   401
the skill's secret is not set                          503, and a line in the log
larger than 256 KiB; not UTF-8; too slow               413; 415; 408
the store is away                                      503 with ``Retry-After``
``GET /health``                                        200
=====================================================  ============================================================

Each connection is for one request, and ends after a few seconds whatever its client does.
"""

import asyncio
import contextlib
import errno
import logging
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Final, Self

from aiohttp import web
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from . import tracing, wire
from .credentials import accepted
from .delivery import as_event
from .errors import DragomanError, SettingsError
from .event import Webhook
from .exchange.broker import Broker
from .exchange.publisher import AsyncPublisher
from .exchange.topology import Topology
from .messages import event_message
from .store.batch import Batcher
from .store.catalogue import Reader
from .store.ledger import record_events
from .triggers import WebhookTrigger

__all__ = ["LARGEST", "Web"]

log = logging.getLogger(__name__)

#: Bytes of a body.
LARGEST: Final = 256 * 1024
#: Bytes of an event as JSON, with room for what is added on its way.
LARGEST_EVENT: Final = wire.MAX_BYTES - 64 * 1024
#: Seconds that a body may take to arrive, the ledger to answer, and a connection to last.
BODY, LEDGER, LIFE = 10.0, 10.0, 25.0
#: Seconds for which a client that still sends when it has been answered is listened to, so that it sees the answer.
LINGER: Final = 1.0
#: Seconds that calls may take to end when the server stops.
GRACE: Final = 5.0
#: Connections at one time.
CONNECTIONS: Final = 500
#: Seconds between two looks at the catalogue's digests.
LOOK: Final = 1.0
#: Seconds after which a caller should try again.
RETRY: Final = 5


class Web:
    """``async with Web(...)``: listens until the end of the block.

    Args:
        host: where to listen.
        port: where to listen; 0 for any free port.
        hook_secrets: of each skill, by its name.
    """

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        topology: Topology,
        *,
        host: str,
        port: int,
        hook_secrets: Mapping[str, str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._topology = topology
        self._host = host
        self._port = port
        self._secrets = {skill: secret for skill, secret in hook_secrets.items() if secret}
        self._clock = clock
        self._reader = Reader(engine)
        self._publisher = AsyncPublisher(broker, "web")
        self._batcher: Batcher | None = None
        #: (skill, handler, path) by the path of the URL.
        self._hooks: dict[str, tuple[str, str, str]] = {}
        self._warned: set[str] = set()
        #: Compared with where there is no secret: an unknown path takes as long as a known one.
        self._nothing = secrets.token_hex()
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None
        self._follower: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Raises SettingsError if it cannot listen there."""
        # Before the port is taken: nobody is told that there is no such webhook because nobody has looked yet.
        with contextlib.suppress(SQLAlchemyError):
            await asyncio.to_thread(self._look)
        self._web = web.Server(
            self._handle,
            access_log=None,
            # It would log each line that it cannot read, with whatever secrets are in it.
            logger=logging.Logger("aiohttp", logging.CRITICAL + 1),
            auto_decompress=False,  # a body is signed as it was sent
            keepalive_timeout=0.0,
            lingering_time=LINGER,
        )
        try:
            self._server = await asyncio.get_running_loop().create_server(self._connection, self._host, self._port)
        except OSError as error:
            raise _explained(error, self._host, self._port) from None
        self._batcher = Batcher(self._engine, "web")
        self._publisher.start()
        log.info("listening on %s", self.url)
        self._tell()
        self._follower = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._web is not None
        assert self._batcher is not None
        assert self._follower is not None
        self._follower.cancel()
        await asyncio.gather(self._follower, return_exceptions=True)
        self._server.close()
        await self._web.shutdown(GRACE)
        await asyncio.to_thread(self._batcher.close)
        await asyncio.to_thread(self._publisher.close)

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"http://[{self._host}]:{port}" if ":" in self._host else f"http://{self._host}:{port}"

    # -- the catalogue -----------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                if await asyncio.to_thread(self._look):
                    self._tell()
            except SQLAlchemyError as error:
                log.warning("the catalogue cannot be read, the last one stays in use: %s", error)
            except Exception:
                log.exception("the catalogue cannot be used, the last one stays in use")

    def _look(self) -> bool:
        """Whether there are other webhooks than before."""
        if not self._reader.refresh():
            return False
        hooks: dict[str, tuple[str, str, str]] = {}
        for manifest in self._reader.manifests:
            for handler in manifest.handlers:
                if isinstance(handler.trigger, WebhookTrigger):
                    path = handler.trigger.path
                    hooks.setdefault(f"/hooks/{manifest.name}{path}", (manifest.name, handler.name, path))
        changed = hooks != self._hooks
        self._hooks = hooks
        return changed

    def _tell(self) -> None:
        for path, (skill, handler, _) in self._hooks.items():
            log.info("webhook of %s.%s: POST %s%s", skill, handler, self.url, path)

    # -- requests ----------------------------------------------------------------------------------------

    def _connection(self) -> asyncio.Protocol:
        """One connection's protocol, which does not outlast `LIFE`: a client may send a byte a second, or none."""
        assert self._web is not None
        full = len(self._web.connections) >= CONNECTIONS
        protocol = self._web()

        def end() -> None:
            if protocol.transport is not None:
                protocol.transport.abort()

        asyncio.get_running_loop().call_later(0.0 if full else LIFE, end)
        return protocol

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        response: web.StreamResponse
        try:
            response = await self._answer(request)
        except Exception:
            log.exception("a call of %r failed", request.path)
            response = _error(500)
        response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == "/health" and request.method in ("GET", "HEAD"):
            return web.json_response({"status": "ok"})
        if path == "/health" or not path.startswith("/hooks/"):
            return _error(405 if path == "/health" else 404)
        if request.method not in ("POST", "PUT"):
            return _error(405, "call a webhook with POST", Allow="POST, PUT")
        try:
            async with asyncio.timeout(BODY):
                body = await _body(request)
        except TimeoutError:
            return _error(408)
        except (web.RequestPayloadError, ConnectionError):
            return _error(400, "the body has not arrived as a whole")
        if body is None:
            return _error(413, f"the limit is {LARGEST} bytes")
        skill, handler, own = self._hooks.get(path, ("", "", ""))
        secret = self._secrets.get(skill)
        right = accepted(request.headers, body, secret or self._nothing, self._clock())
        if not skill:
            return _error(404)
        if secret is None:
            if skill not in self._warned:
                self._warned.add(skill)
                log.error("a webhook of %s was called and is refused: set [webhooks.%s] secret", skill, skill)
            return _error(503, f"this webhook has no secret yet: set [webhooks.{skill}] secret")
        if not right:
            return _error(401, **{"WWW-Authenticate": "Bearer"})
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            return _error(415, "send the body as it is, without Content-Encoding")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return _error(415, "the body is not UTF-8")
        return await self._accept(
            as_event(
                skill,
                handler,
                method=request.method,
                path=own,
                query=request.query.items(),
                headers=request.headers,
                media_type=request.content_type,
                body=text,
                now=self._clock(),
            )
        )

    async def _accept(self, event: Webhook) -> web.StreamResponse:
        if len(wire.encode(event)) > LARGEST_EVENT:
            return _error(413, "the body is too large as JSON")
        about = {"account": event.address.account, "kind": event.kind, "key": event.key}
        with tracing.begin("receive", "", **about) as step:
            return await self._record(event.model_copy(update={"traceparent": step.traceparent or event.traceparent}))

    async def _record(self, event: Webhook) -> web.StreamResponse:
        assert self._batcher is not None
        try:
            new = await asyncio.wait_for(asyncio.wrap_future(self._batcher.submit(record_events, event)), LEDGER)
        except (SQLAlchemyError, DragomanError, TimeoutError) as error:
            log.error(
                "a call of %s.%s is refused, as the ledger cannot be written: %s", event.skill, event.handler, error
            )
            return _error(503, "try again", **{"Retry-After": str(RETRY)})
        if new:
            self._publisher.submit(event_message(self._topology, event)).add_done_callback(_log_unpublished)
        return web.json_response({"event": event.key}, status=202)


async def _body(request: web.BaseRequest) -> bytes | None:
    """The body as it was sent; ``None`` if it is too large."""
    if (request.content_length or 0) > LARGEST:
        return None
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST:
            return None
    return bytes(body)


def _error(status: int, text: str = "", **headers: str) -> web.Response:
    return web.json_response({"error": text or web.Response(status=status).reason}, status=status, headers=headers)


def _explained(error: OSError, host: str, port: int) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(f"[web] port {port} is in use on {host}: choose another one (0 takes any that is free)")
    if error.errno == errno.EACCES:
        return SettingsError(f"[web] port {port} may not be used by this user: choose one from 1024 on")
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return SettingsError(f"[web] host {host!r} is no address of this machine: write such as 127.0.0.1 or 0.0.0.0")
    return SettingsError(f"[web] {host}:{port} cannot be used: {error}")


def _log_unpublished(future: "Future[None]") -> None:
    error: Any = future.exception()
    if error is not None:
        log.warning("an event waits in the ledger for the broker: %s", error)
