"""What can be made to go wrong with calls of a platform's API."""

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Fault", "FaultT", "Faults"]


@dataclass(slots=True)
class Fault:
    """What happens to the next calls. A platform adds what its refusals say.

    Attributes:
        where: the call's name; ``*`` stands for any.
        times: for how many calls more; `None` for all.
        delay: seconds to wait before anything else.
        status: the HTTP status; 0 for a connection that is closed without an answer.
        performed: whether the call is done first, so that only its answer is lost.
    """

    where: str
    times: int | None = 1
    delay: float = 0.0
    status: int = 503
    performed: bool = False

    def meets(self, call: str) -> bool:
        """Whether it is for calls of that name."""
        return self.where in ("*", call)


FaultT = TypeVar("FaultT", bound=Fault)


class Faults(Generic[FaultT]):
    """The faults that are waiting for calls."""

    def __init__(self) -> None:
        self._faults: list[FaultT] = []

    def add(self, fault: FaultT) -> None:
        """Let it happen; the fault that was added first comes first."""
        self._faults.append(fault)

    def clear(self) -> None:
        """From now on everything goes well."""
        self._faults.clear()

    def take(self, call: str) -> tuple[float, FaultT | None]:
        """For a call that comes now: how long to wait (seconds), and what goes wrong with it."""
        delay = 0.0
        for fault in list(self._faults):
            if not fault.meets(call):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
            if not fault.delay:
                return delay, fault
            delay += fault.delay
        return delay, None
