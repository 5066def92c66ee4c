"""What can be made to go wrong with a bot that runs: each kind of fault, and when it is done."""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dragoman_discord.simulator import DiscordSimulator
from end_to_end.brokers import BrokerProcess  # on the path of the tests, and of `chaos.py`
from end_to_end.sides import Side
from support.bot import RunningBot

__all__ = ["KINDS", "Kind", "Scene", "kinds_for", "plan"]

#: How long a part that is just being started again is waited for, in seconds.
PATIENCE: Final = 20.0


@dataclass
class Scene:
    """What a fault can reach.

    Attributes:
        broker: `None` where it is not ours to break.
        store: the bot's SQLite file.
        away: for how many seconds the broker is away, when it is.
        hows: what is said with the next messages: how their handlers fail in their first attempts.
    """

    bot: RunningBot
    sides: Sequence[Side]
    broker: BrokerProcess | None
    store: Path
    chance: random.Random
    away: float = 5.0
    hows: list[str] = field(default_factory=list)

    def on(self, platform: type[Any]) -> Iterator[tuple[Side, Any]]:
        """The sides whose simulator is of that class, and it."""
        return ((side, side.simulator) for side in self.sides if isinstance(side.simulator, platform))

    def pids(self, part: str) -> list[int]:
        """Of a part of the bot; ``worker``: of all workers; ``child``: of the processes that run handlers."""
        wanted = "worker" if part == "child" else part
        parts = {name: pid for name, pid in self.bot.parts().items() if name.split()[0] == wanted}
        return [pid for name in parts for pid in self.bot.children(name)] if part == "child" else [*parts.values()]


#: Makes it go wrong; False if that was not possible.
Kind = Callable[[Scene], Coroutine[Any, Any, bool]]


async def _soon(once: Callable[[], bool]) -> bool:
    """Try until it can be done: what is just being started again cannot be broken."""
    deadline = time.monotonic() + PATIENCE
    while not once():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def _signal(part: str, number: int) -> Kind:
    async def fault(scene: Scene) -> bool:
        def once() -> bool:
            pids = scene.pids(part)
            with contextlib.suppress(ProcessLookupError):
                if pids:
                    os.kill(scene.chance.choice(pids), number)
                    return True
            return False

        return await _soon(once)

    return fault


async def _broker_killed(scene: Scene) -> bool:
    assert scene.broker is not None
    async with scene.broker.breaking:
        return await asyncio.to_thread(scene.broker.kill)


async def _broker_restarted(scene: Scene) -> bool:
    assert scene.broker is not None
    async with scene.broker.breaking:
        return await asyncio.to_thread(scene.broker.restart)


async def _broker_away(scene: Scene) -> bool:
    broker = scene.broker
    assert broker is not None
    async with broker.breaking:
        if not await _soon(lambda: broker.pid() is not None):
            return False
        with broker.stopped() as done:
            await asyncio.sleep(scene.away)
        return done


async def _sockets_cut(scene: Scene) -> bool:
    return await _soon(lambda: sum([side.simulator.drop_sockets() for side in scene.sides]) > 0)


async def _session_over(scene: Scene) -> bool:
    for _, discord in scene.on(DiscordSimulator):
        if await _soon(lambda discord=discord: bool(discord.sockets)):  # type: ignore[misc]
            discord.invalidate(resumable=False)
            return True
    return False


async def _limited(scene: Scene) -> bool:
    for side in scene.sides:
        side.simulator.ratelimit(side.post, times=scene.chance.randint(1, 5), retry_after=1)
    return True


async def _unavailable(scene: Scene) -> bool:
    for side in scene.sides:
        side.simulator.fail(side.post, status=scene.chance.choice((500, 503)), times=scene.chance.randint(1, 5))
    return True


async def _hung_up(scene: Scene) -> bool:
    for side in scene.sides:
        side.simulator.hang_up(side.post, times=scene.chance.randint(1, 3), performed=True)
    return True


async def _failed_after(scene: Scene) -> bool:
    for side in scene.sides:
        status, times = scene.chance.choice((500, 503)), scene.chance.randint(1, 3)
        side.simulator.fail(side.post, status=status, times=times, performed=True)
    return True


async def _delivered_again(scene: Scene) -> bool:
    return await _soon(lambda: sum([side.redeliver(scene.chance.randint(1, 8)) for side in scene.sides]) > 0)


async def _slow_store(scene: Scene) -> bool:
    """Somebody else holds SQLite's write lock."""
    seconds = scene.chance.uniform(1.0, 3.0)

    def hold() -> bool:
        with contextlib.closing(sqlite3.connect(scene.store, timeout=PATIENCE, isolation_level=None)) as store:
            try:
                store.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            time.sleep(seconds)
            store.execute("ROLLBACK")
            return True

    return await asyncio.to_thread(hold)


def _handler(how: str) -> Kind:
    async def fault(scene: Scene) -> bool:
        scene.hows.append(how)
        return True

    return fault


KINDS: Final[Mapping[str, Kind]] = {
    "gateway killed": _signal("gateway", signal.SIGKILL),
    "router killed": _signal("router", signal.SIGKILL),
    "worker killed": _signal("worker", signal.SIGKILL),
    "worker's child killed": _signal("child", signal.SIGKILL),
    "gateway rolled over": _signal("gateway", signal.SIGTERM),
    "router rolled over": _signal("router", signal.SIGTERM),
    "worker rolled over": _signal("worker", signal.SIGTERM),
    "broker killed": _broker_killed,
    "broker restarted": _broker_restarted,
    "broker away": _broker_away,
    "sockets cut": _sockets_cut,
    "session invalidated": _session_over,
    "429": _limited,
    "500 or 503": _unavailable,
    "answer lost": _hung_up,
    "500 or 503 after posting": _failed_after,
    "delivered again": _delivered_again,
    "slow store": _slow_store,
    "skill ends its process": _handler("exit"),
    "skill raises": _handler("raise"),
}
#: Of Discord alone.
OF_DISCORD: Final = frozenset({"session invalidated"})
#: How often a kind is chosen; 1 for those that are not here. It takes long, and little else can happen meanwhile.
WEIGHTS: Final[Mapping[str, float]] = {"broker away": 0.2}


def kinds_for(platforms: Sequence[str], *, broker: bool) -> list[str]:
    """The kinds that there can be with these platforms; ``broker``: whether it is ours to break."""
    return [
        name
        for name in KINDS
        if ("discord" in platforms or name not in OF_DISCORD) and (broker or not name.startswith("broker"))
    ]


def plan(chance: random.Random, kinds: Sequence[str], count: int, seconds: float) -> list[tuple[float, str]]:
    """When which fault is to come (seconds from the start), in order: each kind once if there are enough, then any."""
    first = list(dict.fromkeys(kinds))
    chance.shuffle(first)
    weights = [WEIGHTS.get(kind, 1.0) for kind in kinds]
    chosen = [*first[:count], *chance.choices(kinds, weights, k=max(0, count - len(first)))]
    chance.shuffle(chosen)
    return list(zip(sorted(chance.uniform(0.03, 0.95) * seconds for _ in chosen), chosen, strict=True))
