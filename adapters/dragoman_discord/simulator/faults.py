"""What can be made to go wrong with calls of the API."""

from dataclasses import dataclass, field

from dragoman.testing.simulating import Fault as PlainFault

__all__ = ["Fault"]


@dataclass(slots=True)
class Fault(PlainFault):
    """What happens to the next calls. ``where``: ``*``, or a route, or a part of one.

    Such as ``POST /channels/{channel_id}/messages`` or ``/channels``.

    Attributes:
        code: Discord's error code.
        retry_after: seconds, for status 429.
        whole: whether a 429 is for all routes ("global").
        via: whether a 429 says that it comes from Discord itself, and not from the network before it.
    """

    code: int = 0
    message: str = ""
    retry_after: float = 0.0
    whole: bool = False
    via: bool = True
    headers: dict[str, str] = field(default_factory=dict)

    def meets(self, call: str) -> bool:
        """Whether it is for calls of that route."""
        return self.where == "*" or self.where in call
