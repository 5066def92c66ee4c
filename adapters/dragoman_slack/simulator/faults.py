"""What can be made to go wrong with calls of the Web API."""

from dataclasses import dataclass

__all__ = ["Fault", "Faults"]


@dataclass(slots=True)
class Fault:
    """What happens to the next calls of a method.

    Attributes:
        times: for how many calls more; `None` for all.
        delay: seconds to wait before anything else.
        error: Slack's error code.
        status: the HTTP status; 0 for a connection that is closed without an answer.
        performed: whether the call is done first, so that only its answer is lost.
    """

    method: str
    times: int | None = 1
    delay: float = 0.0
    error: str = ""
    status: int = 200
    retry_after: int | None = None
    performed: bool = False


class Faults:
    """The faults that are waiting for calls; ``*`` stands for any method."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let it happen; the fault that was added first comes first."""
        self._faults.append(fault)

    def clear(self) -> None:
        """From now on everything goes well."""
        self._faults.clear()

    def take(self, method: str) -> tuple[float, Fault | None]:
        """For a call that comes now: how long to wait, and what goes wrong with it."""
        if not self._faults:
            return 0.0, None
        delay = 0.0
        for fault in list(self._faults):
            if fault.method not in ("*", method):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
            if not fault.delay:
                return delay, fault
            delay += fault.delay
        return delay, None
