"""The parts of a bot, each as a function that runs until it is told to stop: what the CLI calls.

Each opens what it needs from the settings. `dragoman.bot_context` holds what all of them share.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Collection, Iterable, Mapping
from contextlib import ExitStack
from typing import Any, Final

from .accounts import make_adapters
from .bot_context import BotContext
from .errors import AccountError, SettingsError
from .scheduler import Scheduler
from .sections import PoolSettings
from .settings import Settings
from .skill import Skill
from .stopping import Stopping
from .store.catalogue import publish_manifests
from .strays import Strays
from .supervisor import tell_ready
from .watching import gateway_health, router_health, watched, web_health, worker_health

__all__ = ["BotContext", "pools_of", "run_gateway", "run_router", "run_web", "run_worker"]

log = logging.getLogger(__name__)

#: Tasks in flight at once, unless ``[pools.NAME] concurrency`` says otherwise.
CONCURRENCY: Final[Mapping[str, int]] = {"async": 100}
PROCESSES: Final = 8


def pools_of(skills: Mapping[str, Skill]) -> dict[str, list[str]]:
    """The pools that are needed: the names of the skills of each."""
    pools: dict[str, list[str]] = {}
    for name, skill in skills.items():
        pools.setdefault(skill.manifest().pool, []).append(name)
    return dict(sorted(pools.items()))


def run_gateway(settings: Settings, accounts: Collection[str] = (), *, supervised: bool = False) -> None:
    """Run the adapters of these accounts (all of them if left out) until SIGTERM or SIGINT.

    Raises:
        AccountError: none of them can work.
    """
    bot = BotContext.of(settings)
    bot.require_processes(supervised=supervised)
    adapters = make_adapters(settings, accounts)
    engine = bot.open_store(durable=True)
    gateway = bot.gateway(engine, adapters)
    if supervised:
        gateway.on_ready = tell_ready
    stopping = Stopping(gateway.stop, settings.run.grace)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stopping.begin)
        loop.add_signal_handler(signal.SIGINT, stopping.interrupt)
        health = gateway_health(gateway, engine, bot.metrics, adapters, loop)
        with watched(health, bot.metrics, settings.watch):
            await gateway.run()
        log.info("stopped")

    try:
        asyncio.run(main())
    except AccountError:
        log.error("no account is left that can work")
        raise
    finally:
        engine.dispose()


def run_router(settings: Settings, *, supervised: bool = False) -> None:
    """Route until SIGTERM or SIGINT."""
    bot = BotContext.of(settings)
    bot.require_processes(supervised=supervised)
    engine = bot.open_store()
    stopping = threading.Event()
    Stopping(stopping.set, settings.run.grace).handle()
    router = bot.router(engine)
    scheduler = Scheduler(engine, bot.broker, bot.topology)
    strays = Strays(engine, bot.broker, bot.topology)
    router.start()
    scheduler.start()
    strays.start()
    with watched(router_health(router, engine, bot.metrics), bot.metrics, settings.watch):
        while not stopping.wait(0.05) and not router.connected:
            pass
        if supervised and not stopping.is_set():
            tell_ready()
        stopping.wait()
    strays.stop()
    scheduler.stop()
    router.stop()
    engine.dispose()
    log.info("stopped")


def run_web(settings: Settings, *, supervised: bool = False) -> None:
    """Listen for webhooks until SIGTERM or SIGINT.

    Raises:
        SettingsError: it cannot listen on ``[web] host`` and ``port``.
    """
    bot = BotContext.of(settings)
    bot.require_processes(supervised=supervised)
    engine = bot.open_store(durable=True)

    async def main() -> None:
        asked = asyncio.Event()
        stopping = Stopping(asked.set, settings.run.grace)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stopping.begin)
        loop.add_signal_handler(signal.SIGINT, stopping.interrupt)
        health = web_health(engine, bot.metrics, loop)
        async with bot.web(engine):
            with watched(health, bot.metrics, settings.watch):
                if supervised:
                    tell_ready()
                await asked.wait()
        log.info("stopped")

    try:
        asyncio.run(main())
    finally:
        engine.dispose()


def run_worker(
    settings: Settings,
    pool: str,
    only: Collection[str] = (),
    concurrency: int | None = None,
    loglevel: str = "info",
    *,
    supervised: bool = False,
    alone: bool = True,
) -> int:
    """Serve the queues of one pool's skills (or those named in ``only``) until SIGTERM; the exit status.

    Args:
        alone: whether it was started by itself; the manifests of the others are ``dragoman run``'s to take back.

    Raises:
        SettingsError: there is no such pool or skill.
    """
    from .worker.app import build_app  # Celery takes a moment to import, and only workers need it.
    from .worker.ending import end_within

    bot = BotContext.of(settings)
    bot.require_processes(supervised=supervised)
    skills = bot.skills()
    pools = pools_of(skills)
    if unknown := set(only) - skills.keys():
        raise SettingsError(f"there is no skill {min(unknown)!r} enabled (enabled: {', '.join(skills)})")
    if pool not in pools and not only:
        raise SettingsError(f"no skill is in the pool {pool!r} (there are: {', '.join(pools) or 'none'})")
    served = {name: skills[name] for name in (only or pools[pool])}
    engine = bot.open_store()
    with engine.begin() as connection:
        publish_manifests(connection, [skill.manifest() for skill in served.values()], None)
    engine.dispose()
    chosen = settings.pools.get(pool)
    app = build_app(
        served,
        broker=bot.broker,
        topology=bot.topology,
        store_url=settings.store_url,
        role=f"worker.{pool}",
        cap=chosen.per_skill if chosen else None,
        environment=bot.environment(skills),
        metrics=bot.metrics,
        breaker=bot.breaker,
        max_memory=memory_of(served.values(), chosen),
    )
    app.dragoman.alone = alone
    threads = all(handler.coroutine for skill in served.values() for handler in skill.handlers.values())
    worker = app.Worker(
        # Two of one name would fight for the queue on which Celery's tools talk to them.
        hostname=f"{settings.bot.name}.{pool}-{os.getpid()}@{socket.gethostname()}",
        pool="threads" if threads else "prefork",
        concurrency=concurrency or (chosen.concurrency if chosen else None) or default_concurrency(pool),
        loglevel=loglevel,
        # For Flower; what was said is in none of them.
        task_events=True,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    end_within(app.dragoman, settings.run.grace, tell_ready if supervised else lambda: None)
    with ExitStack() as watching:

        def begun(consumer: Any) -> None:
            # Only now: the children of its pool have been forked, and hold no socket of it.
            health = worker_health(consumer, pool, bot.metrics)
            watching.enter_context(watched(health, bot.metrics, settings.watch))

        app.dragoman.begun = begun
        worker.start()
    log.info("stopped")
    return int(worker.exitcode or 0)


def memory_of(skills: Iterable[Skill], pool: PoolSettings | None) -> int | None:
    """How large a process of a pool may be left by a run, in bytes: the smallest that anybody has asked for."""
    asked = [*(skill.memory() for skill in skills), pool.max_memory if pool else None]
    return min((each for each in asked if each is not None), default=None)


def default_concurrency(pool: str) -> int:
    """Threads cost little; processes cost memory."""
    return CONCURRENCY.get(pool, PROCESSES)
