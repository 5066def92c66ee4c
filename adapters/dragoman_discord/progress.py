"""How far a session has been handed over: what comes later is asked for again when it is resumed."""

__all__ = ["Progress"]


class Progress:
    """The dispatches of one session by their numbers (``s``), which grow.

    Args:
        reached: the number up to which everything had been handed over before.
    """

    def __init__(self, reached: int = 0) -> None:
        self._highest = reached
        #: What is being handed over, the oldest first: number -> when it came.
        self._open: dict[int, float] = {}

    @property
    def reached(self) -> int:
        """The number up to which everything has been handed over, or was none of ours."""
        return next(iter(self._open)) - 1 if self._open else self._highest

    def begin(self, number: object, now: float) -> None:
        """A dispatch has come, at that time in unix seconds. What has no number does not count."""
        if isinstance(number, int):
            self._open[number] = now
            self._highest = max(self._highest, number)

    def end(self, number: object) -> None:
        """It has been handed over."""
        if isinstance(number, int):
            self._open.pop(number, None)

    def since(self, heard: float) -> float:
        """Up to when everything has been handed over: ``heard``, or when the oldest of what has not been came."""
        return min(heard, next(iter(self._open.values()), heard))
