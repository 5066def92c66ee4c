"""A platform on loopback: it listens, waits for what bots do, and refuses on demand."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, Self, TypeVar

from aiohttp import web

from .faults import Faults, FaultT

__all__ = ["Simulator", "hang_up"]

Found = TypeVar("Found")


class Simulator(ABC, Generic[FaultT]):
    """What tests and people hold in their hands; ``async with`` it to let it listen.

    Args:
        port: where to listen; any free one by default.

    Attributes:
        largest_body: bytes of a request; a larger one is answered with HTTP 413.
        faults: what goes wrong with the next calls.
        refusals: how many connections more are refused; `None` for all.
    """

    largest_body: ClassVar[int] = 64 * 1024 * 1024

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self.faults: Faults[FaultT] = Faults()
        self.refusals: int | None = 0
        self._recovered = asyncio.Event()
        self._waiters: list[asyncio.Future[None]] = []
        self._runner: web.AppRunner | None = None

    # -- what a platform says --------------------------------------------------------------------------

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """All addresses; they are asked for once, when it starts to listen."""

    @abstractmethod
    def drop_sockets(self) -> int:
        """Cut all connections as a broken network does; says how many there were."""

    @abstractmethod
    def so_far(self) -> str:
        """What bots said last and the like, for the error of somebody who waits in vain."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything that a person needs to point a bot here, as JSON."""

    # -- listening -------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Listen."""
        application = web.Application(client_max_size=self.largest_body)
        application.add_routes(self.routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, reuse_address=True)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Cut the connections and stop listening."""
        self.drop_sockets()
        self._recovered.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def origin(self) -> str:
        """``http://host:port``."""
        return f"http://{self.host}:{self.port}"

    # -- waiting ---------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something happened: let everything that waits look again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(self, predicate: Callable[[], Found], timeout: float = 10.0, *, waiting_for: str = "") -> Found:
        """Wait until ``predicate()`` is true, and return what it gave. It is asked when something happens.

        Raises:
            TimeoutError: it was not in so many seconds; the error tells what the bots said last.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                while not (found := predicate()):
                    waiter: asyncio.Future[None] = loop.create_future()
                    self._waiters.append(waiter)
                    await waiter
                return found
        except TimeoutError:
            what = f" for {waiting_for}" if waiting_for else ""
            raise TimeoutError(f"waited {timeout} s{what}; {self.so_far()}") from None

    async def wait(self, seconds: float) -> None:
        """Let so many real seconds pass, or fewer if it recovers before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._recovered.wait()

    # -- what goes wrong -------------------------------------------------------------------------------

    def refuse_connections(self, times: int | None = None) -> None:
        """Refuse the next connections (HTTP 503), or all until `recover`."""
        self.refusals = times

    def meet(self) -> None:
        """Let a connection come in that is being made.

        Raises:
            aiohttp.web.HTTPServiceUnavailable: it is one of those to refuse.
        """
        if self.refusals is None or self.refusals > 0:
            if self.refusals is not None:
                self.refusals -= 1
            raise web.HTTPServiceUnavailable

    def recover(self) -> None:
        """From now on calls and connections go well again; who is in `wait` goes on."""
        self._recovered.set()
        self._recovered = asyncio.Event()
        self.faults.clear()
        self.refusals = 0


def hang_up(request: web.Request) -> web.Response:
    """Close a request's connection without an answer; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
