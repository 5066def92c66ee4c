"""``/metrics``, ``/live`` and ``/ready`` of a process: what it counts, whether it moves, and whether it can work.

A process's checks are functions that say what is wrong, or an empty text. They are asked when somebody looks. The
server has a thread of its own, so it also answers for a part whose own loop stands still.
"""

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from .metrics import CONTENT_TYPE, Metrics

__all__ = ["Check", "Health", "Watch", "loop_check"]

log = logging.getLogger(__name__)

#: Says what is wrong; empty if nothing is.
Check = Callable[[], str]

#: Seconds that a check may take, and until a port that is taken is tried again.
PATIENCE: Final = 3.0
AGAIN: Final = 1.0


class Health:
    """The checks of one process.

    Args:
        role: what the process is, such as ``gateway``.
    """

    def __init__(self, role: str) -> None:
        self.role = role
        self._live: dict[str, Check] = {}
        self._ready: dict[str, Check] = {}

    def add_live(self, name: str, check: Check) -> None:
        """What must move: a process whose check fails is of no use and should be started again."""
        self._live[name] = check

    def add_ready(self, name: str, check: Check) -> None:
        """What the process needs for its work; it waits by itself until that is there again."""
        self._ready[name] = check

    async def live(self) -> dict[str, Any]:
        """The body of ``/live``; ``ok`` is whether all is well."""
        return await self._asked(self._live)

    async def ready(self) -> dict[str, Any]:
        """The body of ``/ready``."""
        return await self._asked(self._ready)

    async def _asked(self, checks: dict[str, Check]) -> dict[str, Any]:
        said = await asyncio.gather(*(_ask(name, check) for name, check in list(checks.items())))
        found = {name: wrong or "ok" for name, wrong in zip(checks, said, strict=False)}
        return {"role": self.role, "ok": not any(said), "checks": found}


async def _ask(name: str, check: Check) -> str:
    # A thread for each: one that hangs must not keep the others from being asked, now or the next time.
    future: Future[str] = Future()
    future.set_running_or_notify_cancel()  # from here on, giving up does not cancel it: its answer is for nobody

    def work() -> None:
        try:
            future.set_result(check())
        except Exception as error:
            future.set_result(f"cannot be asked: {type(error).__name__}")

    threading.Thread(target=work, name=f"dragoman-check-{name}", daemon=True).start()
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE)
    except TimeoutError:
        return f"does not answer within {PATIENCE:g} s"


def loop_check(loop: asyncio.AbstractEventLoop) -> Check:
    """Whether an event loop moves."""

    def check() -> str:
        moved = threading.Event()
        try:
            loop.call_soon_threadsafe(moved.set)
        except RuntimeError:
            return "the event loop is closed"
        return "" if moved.wait(PATIENCE - 0.5) else f"the event loop has stood still for {PATIENCE - 0.5:g} s"

    return check


class Watch:
    """The HTTP server, in a thread of its own. A port that is taken is said and tried again: the part goes on.

    Args:
        port: 0 is any that is free.

    Attributes:
        port: where it listens, once it does (see `wait_up`).
    """

    def __init__(self, health: Health, metrics: Metrics, host: str, port: int) -> None:
        self._health = health
        self._metrics = metrics
        self._host = host
        self.port = port
        self._up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="dragoman-watch", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def wait_up(self, timeout: float) -> bool:
        """Whether it listens within so many seconds."""
        return self._up.wait(timeout)

    def stop(self) -> None:
        """End the server and its thread."""
        self._begun.wait()
        assert self._loop is not None
        assert self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        from aiohttp import web  # only who watches needs an HTTP server

        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()

        async def metrics(_: web.Request) -> web.Response:
            return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

        async def live(_: web.Request) -> web.Response:
            return _answer(await self._health.live())

        async def ready(_: web.Request) -> web.Response:
            return _answer(await self._health.ready())

        def _answer(body: dict[str, Any]) -> web.Response:
            return web.Response(
                text=json.dumps(body), status=200 if body["ok"] else 503, content_type="application/json"
            )

        app = web.Application()
        app.add_routes([web.get("/metrics", metrics), web.get("/live", live), web.get("/ready", ready)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        server = None
        try:
            server = await self._listen(runner.server)
            await self._stopping.wait()
        finally:
            if server is not None:
                server.close()
            await runner.cleanup()

    async def _listen(self, handler: Any) -> asyncio.Server | None:
        """Take the port, when that can be done; ``None`` if the end came first."""
        assert self._stopping is not None
        said = False
        while not self._stopping.is_set():
            try:
                server = await asyncio.get_running_loop().create_server(handler, self._host, self.port)
            except OSError as error:
                if not said:
                    log.warning("%s:%d cannot be watched yet, trying again: %s", self._host, self.port, error)
                    said = True
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), AGAIN)
                continue
            self.port = server.sockets[0].getsockname()[1]
            log.info("%s is watched at http://%s:%d: /metrics, /live, /ready", self._health.role, self._host, self.port)
            self._up.set()
            return server
        return None
