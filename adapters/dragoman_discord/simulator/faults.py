"""What can be made to go wrong with calls of the API."""

from dataclasses import dataclass, field

__all__ = ["Fault", "Faults"]


@dataclass(slots=True)
class Fault:
    """What happens to the next calls.

    Attributes:
        where: ``*``, a route such as ``POST /channels/{channel_id}/messages``, or a part of one.
        times: for how many calls more; `None` for all.
        delay: seconds to wait before anything else.
        status: the HTTP status; 0 for a connection that is closed without an answer.
        code: Discord's error code.
        retry_after: seconds, for status 429.
        whole: whether a 429 is for all routes ("global").
        via: whether a 429 says that it comes from Discord itself, and not from the network before it.
        performed: whether the call is done first, so that only its answer is lost.
    """

    where: str
    times: int | None = 1
    delay: float = 0.0
    status: int = 500
    code: int = 0
    message: str = ""
    retry_after: float = 0.0
    whole: bool = False
    via: bool = True
    performed: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def meets(self, route: str) -> bool:
        """Whether it is for calls of that route."""
        return self.where == "*" or self.where in route


class Faults:
    """The faults that are waiting for calls."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let it happen; the fault that was added first comes first."""
        self._faults.append(fault)

    def clear(self) -> None:
        """From now on everything goes well."""
        self._faults.clear()

    def take(self, route: str) -> tuple[float, Fault | None]:
        """For a call that comes now: how long to wait, and what goes wrong with it."""
        delay = 0.0
        for fault in list(self._faults):
            if not fault.meets(route):
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
            if not fault.delay:
                return delay, fault
            delay += fault.delay
        return delay, None
