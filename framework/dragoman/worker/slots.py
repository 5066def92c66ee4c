"""Who may run next: no skill takes every slot of a pool.

Requests wait here, by skill, for one of the pool's slots. A skill never holds more than its cap, a quarter of the
slots is kept for skills that run nothing, skills take turns, and a skill with many waiting is told to stop fetching
until they have become fewer. A skill may have a cap of its own; at 0 it runs nothing, and what waits can be taken out.
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
        self._caps: dict[str, int] = {}
        self._start, self._pause, self._resume = start, pause, resume
        self._lock = threading.RLock()
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[Request]] = {}
        self._turns: deque[str] = deque()
        self._paused: set[str] = set()

    @property
    def reserve(self) -> int:
        """Slots that only a skill may take that runs nothing yet: several slow skills leave them to the others."""
        return self.total // 4

    def limit(self, skill: str, cap: int | None) -> None:
        """From now on at most so many of this skill in flight; ``None``: as many as of any. What runs goes on."""
        with self._lock:
            if cap is None:
                self._caps.pop(skill, None)
            else:
                self._caps[skill] = cap
            self._fill()

    def resize(self, total: int) -> None:
        """The pool has so many slots now."""
        with self._lock:
            self.total = total
            self._fill()

    def running(self, skill: str) -> int:
        """How many of this skill are in flight."""
        with self._lock:
            return self._running.get(skill, 0)

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

    def take(self, skill: str) -> list[Request]:
        """Take out all of a skill that wait: they are handed back."""
        with self._lock:
            waiting = self._waiting.get(skill, deque())
            taken = list(waiting)
            waiting.clear()
            if skill in self._paused:
                self._paused.discard(skill)
                self._resume(skill)
            return taken

    def _fill(self) -> None:
        while (free := self.total - sum(self._running.values())) > 0:
            for _ in range(len(self._turns)):
                skill = self._turns[0]
                self._turns.rotate(-1)
                running, cap = self._running.get(skill, 0), self._caps.get(skill, self.cap)
                if self._waiting[skill] and running < cap and (running == 0 or free > self.reserve):
                    self._running[skill] = running + 1
                    self._start(self._waiting[skill].popleft())
                    break
            else:
                return
