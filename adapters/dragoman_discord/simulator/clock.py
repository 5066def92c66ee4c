"""The simulator's time, which tests may move on, and the ids that Discord makes of it."""

import time
from datetime import UTC, datetime
from typing import Final

__all__ = ["EPOCH", "Clock", "iso", "made_at"]

#: The first millisecond of 2015: https://docs.discord.com/developers/reference#snowflakes
EPOCH: Final = 1_420_070_400_000


def iso(moment: float) -> str:
    """A moment (unix seconds) as Discord writes it: ISO 8601 with microseconds and offset."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")


def made_at(id: str) -> float:
    """When a snowflake was made, in unix seconds."""
    return ((int(id) >> 22) + EPOCH) / 1000


class Clock:
    """Real time plus what was added with `advance`."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._millisecond = 0
        self._count = 0

    def now(self) -> float:
        """Unix seconds."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._ahead += seconds

    def new_id(self, *, fresh: bool = False) -> str:
        """A snowflake, later than every one before. ``fresh``: in a millisecond of its own, as shards count by it."""
        millisecond = int(self.now() * 1000) - EPOCH
        if fresh:
            millisecond = max(millisecond, self._millisecond + 1)
        if millisecond > self._millisecond:
            self._millisecond, self._count = millisecond, 0
        else:
            self._count += 1
            if self._count > 0xFFF:
                self._millisecond, self._count = self._millisecond + 1, 0
        return str(self._millisecond << 22 | self._count)
