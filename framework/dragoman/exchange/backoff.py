"""How long to wait before trying again."""

import random

__all__ = ["Backoff"]


class Backoff:
    """Twice as long each time, with jitter, so that many clients do not come back at once."""

    def __init__(self, first: float = 0.1, most: float = 5.0) -> None:
        self._first = first
        self._most = most
        self._next = first

    def next(self) -> float:
        """Seconds to wait now."""
        wait = self._next
        self._next = min(self._next * 2, self._most)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311  # no secret

    def reset(self) -> None:
        """It worked."""
        self._next = self._first
