"""What each part of a bot tells of itself: which checks it has, and the server that answers for them."""

import asyncio
import contextlib
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from .health import Health, Watch, loop_check
from .metrics import Metrics
from .sections import WatchSettings
from .store.engine import ping, watch_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from .gateway import Gateway
    from .router import Router

__all__ = ["bot_health", "gateway_health", "router_health", "watched", "web_health", "worker_health"]

AWAY = "not connected; it is tried again until it is there"


@contextlib.contextmanager
def watched(health: Health, metrics: Metrics, settings: WatchSettings) -> Iterator[None]:
    """Answer for the part as long as the block lasts, if there is a port for it."""
    if not settings.port:
        yield
        return
    watch = Watch(health, metrics, settings.host, settings.port)
    watch.start()
    try:
        yield
    finally:
        watch.stop()


def gateway_health(
    gateway: "Gateway", engine: "Engine", metrics: Metrics, accounts: Collection[str], loop: asyncio.AbstractEventLoop
) -> Health:
    """Live: its event loop moves. Ready: broker, store, and each account."""
    health = Health("gateway")
    health.add_live("loop", loop_check(loop))

    def connected() -> bool:
        return gateway.outbox is not None and gateway.outbox.connected

    _add_broker(health, metrics, connected)
    _add_store(health, metrics, engine)
    for account in accounts:
        _add_account(health, gateway, account)
    return health


def bot_health(
    gateway: "Gateway",
    router: "Router",
    engine: "Engine",
    metrics: Metrics,
    accounts: Collection[str],
    loop: asyncio.AbstractEventLoop,
) -> Health:
    """Of a whole bot in one process."""
    health = gateway_health(gateway, engine, metrics, accounts, loop)
    health.role = "bot"
    health.add_live("router", router.standing)
    return health


def router_health(router: "Router", engine: "Engine", metrics: Metrics) -> Health:
    """Live: its threads move. Ready: broker and store."""
    health = Health("router")
    health.add_live("threads", router.standing)
    _add_broker(health, metrics, lambda: router.connected)
    _add_store(health, metrics, engine)
    return health


def web_health(engine: "Engine", metrics: Metrics, loop: asyncio.AbstractEventLoop) -> Health:
    """Live: its event loop moves. Ready: the store; without a broker, what callers bring waits in the store."""
    health = Health("web")
    health.add_live("loop", loop_check(loop))
    _add_store(health, metrics, engine)
    return health


def worker_health(consumer: Any, pool: str, metrics: Metrics) -> Health:
    """Live: its loop moves. Ready: broker and store. ``consumer`` is the worker's own, in its parent process."""
    health = Health(f"worker {pool}")
    health.add_live("loop", consumer.standing)
    _add_broker(health, metrics, lambda: consumer.connected)
    _add_store(health, metrics, consumer.process.engine)
    return health


def _add_broker(health: Health, metrics: Metrics, connected: Any) -> None:
    metrics.watch_broker(connected)
    health.add_ready("broker", lambda: "" if connected() else AWAY)


def _add_store(health: Health, metrics: Metrics, engine: "Engine") -> None:
    watch_errors(engine, metrics.store_error)

    def check() -> str:
        try:
            ping(engine)
        except Exception as error:
            # A database's own text may name its address, and with it a password.
            return f"does not answer: {type(error).__name__}"
        return ""

    health.add_ready("store", check)


def _add_account(health: Health, gateway: "Gateway", account: str) -> None:
    health.add_ready(f"account {account}", lambda: "" if account in gateway.connected else AWAY)
