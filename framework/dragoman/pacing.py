"""How fast a platform wants to be spoken to, as its adapter declares it."""

from dataclasses import dataclass

__all__ = ["Pacing"]


@dataclass(frozen=True, slots=True)
class Pacing:
    """How often something may be said in one channel, with its threads.

    Attributes:
        every: seconds between two messages, in the long run.
        burst: messages that may come at once after a silence.
    """

    every: float
    burst: int = 1

    def __post_init__(self) -> None:
        if self.every <= 0 or self.burst < 1:
            raise ValueError("pacing: every is more than 0 seconds, and burst at least 1")
