"""Who may run next: no skill takes every slot of a pool.

Requests wait here, by skill, for one of the pool's slots. A skill never holds more than its cap, a quarter of the
slots is kept for skills that run nothing, skills take turns, and a skill with many waiting is told to stop fetching
until they have become fewer.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Slots"]

Request = TypeVar("Request")


class Slots(Generic[Request]):
    """The slots of one pool; safe to call from any thread.

    Args:
        total: tasks in flight in the pool.
        cap: tasks in flight of one skill.
        high: so many waiting of one skill make ``pause`` be called for it; half of it, ``resume``.
        start: gives a request to the pool; called in the thread that called `offer` or `release`.
    """

    def __init__(
        self,
        total: int,
        cap: int,
        high: int,
        *,
        start: Callable[[Request], None],
        pause: Callable[[str], None],
        resume: Callable[[str], None],
    ) -> None:
        self.total, self.cap, self.high = total, cap, high
        #: Slots that only a skill may take that runs nothing yet: several slow skills leave them to the others.
        self.reserve = total // 4
        self._start, self._pause, self._resume = start, pause, resume
        self._lock = threading.RLock()
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[Request]] = {}
        self._turns: deque[str] = deque()
        self._paused: set[str] = set()

    def offer(self, skill: str, request: Request) -> None:
        """A request has come; it starts now or waits."""
        with self._lock:
            waiting = self._waiting.get(skill)
            if waiting is None:
                waiting = self._waiting[skill] = deque()
                self._turns.append(skill)
            waiting.append(request)
            self._fill()
            if len(waiting) >= self.high and skill not in self._paused:
                self._paused.add(skill)
                self._pause(skill)

    def release(self, skill: str) -> None:
        """A request has ended; another may start."""
        with self._lock:
            self._running[skill] -= 1
            self._fill()
            for paused in [name for name in self._paused if len(self._waiting[name]) <= self.high // 2]:
                self._paused.discard(paused)
                self._resume(paused)

    def paused(self) -> frozenset[str]:
        """The skills that are told not to fetch."""
        with self._lock:
            return frozenset(self._paused)

    def drain(self) -> list[Request]:
        """Take out all that wait: the worker stops."""
        with self._lock:
            taken = [request for waiting in self._waiting.values() for request in waiting]
            for waiting in self._waiting.values():
                waiting.clear()
            return taken

    def _fill(self) -> None:
        while (free := self.total - sum(self._running.values())) > 0:
            for _ in range(len(self._turns)):
                skill = self._turns[0]
                self._turns.rotate(-1)
                running = self._running.get(skill, 0)
                if self._waiting[skill] and (running == 0 or (running < self.cap and free > self.reserve)):
                    self._running[skill] = running + 1
                    self._start(self._waiting[skill].popleft())
                    break
            else:
                return
