"""A whole bot in one process: gateway, router and worker in threads. For ``chat``, ``memory://`` and tests."""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from .adapter import Adapter
from .roles import BotContext
from .scheduler import Scheduler
from .skill import Skill
from .store.catalogue import publish_manifests, retire_manifests
from .strays import Strays
from .watching import bot_health, watched

__all__ = ["Stack"]

#: Handlers that run at once.
THREADS = 16


class Stack:
    """``async with Stack(bot, skills, adapters) as stack: await stack.run()``.

    ``def`` handlers run in threads here, so their time limit is not enforced: a thread cannot be stopped.

    Args:
        web: whether to listen for webhooks as well.
    """

    def __init__(
        self, bot: BotContext, skills: Mapping[str, Skill], adapters: Mapping[str, Adapter], *, web: bool = False
    ) -> None:
        self._bot = bot
        self._skills = skills
        self._accounts = tuple(adapters)
        self._watching = ExitStack()
        self._engine = bot.open_store(durable=True)
        self.gateway = bot.gateway(self._engine, adapters)
        self.router = bot.router(self._engine)
        self._scheduler = Scheduler(self._engine, bot.broker, bot.topology)
        self._strays = Strays(self._engine, bot.broker, bot.topology)
        self.web = bot.web(self._engine) if web else None
        self._worker: Any = None
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        with self._engine.begin() as connection:
            publish_manifests(connection, [skill.manifest() for skill in self._skills.values()])
            retire_manifests(connection, self._skills.keys())
        if self.web is not None:  # first: its port may be in use
            await self.web.__aenter__()
        await asyncio.to_thread(self._start_worker)
        self.router.start()
        self._scheduler.start()
        self._strays.start()
        self._task = asyncio.create_task(self.gateway.run())
        metrics, loop = self._bot.metrics, asyncio.get_running_loop()
        health = bot_health(self.gateway, self.router, self._engine, metrics, self._accounts, loop)
        self._watching.enter_context(watched(health, metrics, self._bot.settings.watch))
        return self

    async def run(self) -> None:
        """Until the accounts have ended or the gateway is told to stop.

        Raises:
            AccountError: none of the accounts can work.
        """
        assert self._task is not None
        await self._task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._watching.close)
        if self.web is not None:
            await self.web.__aexit__(kind, error, trace)
        self.gateway.stop()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._stop)

    def _start_worker(self) -> None:
        from .worker.app import build_app

        app = build_app(
            self._skills,
            broker=self._bot.broker,
            topology=self._bot.topology,
            store_url=self._bot.settings.store_url,
            environment=self._bot.environment(self._skills),
            metrics=self._bot.metrics,
            breaker=self._bot.breaker,
        )
        ready = threading.Event()
        self._worker = app.WorkController(
            hostname=f"{self._bot.settings.bot.name}@one",
            pool="threads",
            concurrency=THREADS,
            ready_callback=lambda _: ready.set(),
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._thread = threading.Thread(target=self._worker.start, name="dragoman-worker", daemon=True)
        self._thread.start()
        while not ready.wait(0.1):
            if not self._thread.is_alive():
                raise RuntimeError("the worker did not start; see the log")

    def _stop(self) -> None:
        self._strays.stop()
        self._scheduler.stop()
        self.router.stop()
        if self._worker is not None and self._thread is not None:
            # It looks whether it should stop when it has received something, or after two seconds.
            threading.Timer(0.05, self._worker.app.control.broadcast, ("heartbeat",)).start()
            self._worker.stop()
            self._thread.join()
        self._engine.dispose()
