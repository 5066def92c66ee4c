"""Skills' data in memory, gone with the process."""

import itertools
import threading
import time
from collections.abc import Callable

from dragoman.data import Row

__all__ = ["MemoryRows"]


class MemoryRows:
    """Implements `dragoman.data.Rows`, and behaves as the store does."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._versions = itertools.count(1)
        self._rows: dict[tuple[str, str, str], Row] = {}

    def read(self, skill: str, scope: str, key: str) -> Row | None:
        with self._lock:
            return self._there(skill, scope, key)

    def write(self, skill: str, scope: str, key: str, value: str, expires_at: float | None) -> None:
        with self._lock:
            self._rows[skill, scope, key] = Row(value, next(self._versions), expires_at)

    def swap(self, skill: str, scope: str, key: str, version: int | None, value: str, expires_at: float | None) -> bool:
        with self._lock:
            row = self._there(skill, scope, key)
            if version != (None if row is None else row.version):
                return False
            self._rows[skill, scope, key] = Row(value, next(self._versions), expires_at)
            return True

    def delete(self, skill: str, scope: str, key: str) -> bool:
        with self._lock:
            row = self._there(skill, scope, key)
            self._rows.pop((skill, scope, key), None)
            return row is not None

    def items(self, skill: str, scope: str, prefix: str) -> list[tuple[str, str]]:
        with self._lock:
            keys = sorted(key for s, c, key in self._rows if (s, c) == (skill, scope) and key.startswith(prefix))
            found = [(key, self._there(skill, scope, key)) for key in keys]
        return [(key, row.value) for key, row in found if row is not None]

    def _there(self, skill: str, scope: str, key: str) -> Row | None:
        row = self._rows.get((skill, scope, key))
        if row is not None and row.expires_at is not None and row.expires_at <= self._clock():
            del self._rows[skill, scope, key]
            return None
        return row
