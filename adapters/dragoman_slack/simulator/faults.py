"""What can be made to go wrong with calls of the Web API."""

from dataclasses import dataclass

from dragoman.testing.simulating import Fault as PlainFault

__all__ = ["Fault"]


@dataclass(slots=True)
class Fault(PlainFault):
    """What happens to the next calls of a method (``where``).

    Attributes:
        error: Slack's error code.
    """

    error: str = ""
    retry_after: int | None = None
