"""How long to wait before trying again."""

import random
from collections.abc import Callable
from typing import Final

__all__ = ["delays"]

LONGEST: Final = 30.0


def delays(first: float = 0.5) -> Callable[[], float]:
    """Seconds to wait before each next attempt: doubling up to half a minute, with jitter."""
    current = first

    def following() -> float:
        nonlocal current
        delay, current = current, min(current * 2, LONGEST)
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - jitter

    return following
