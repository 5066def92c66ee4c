"""How often a handler may be used: the limit as data, the bucket that uses are counted in, and the polite answer.

What counts, across processes, is the store; this says what to count.
"""

import hashlib
import math
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import quote

from pydantic import Field

from .model import Frozen

if TYPE_CHECKING:
    from .event import EventBase

__all__ = ["Cooldown", "CooldownScope", "bucket", "say"]

#: Who shares one count: each person has their own, each channel has its own, or there is one for the whole bot.
CooldownScope = Literal["person", "channel", "bot"]

#: Characters that a bucket may have: the width of the column that it is kept in.
LONGEST_BUCKET: Final = 300


class Cooldown(Frozen):
    """At most ``times`` uses within any ``per`` seconds::

        @skill.command(cooldown=Cooldown(3, per=60, scope="channel"))

    Attributes:
        times: how many uses.
        per: within how many seconds.
        scope: who shares the count; see `CooldownScope`.
    """

    times: Annotated[int, Field(ge=1)] = 1
    per: Annotated[float, Field(gt=0)]
    scope: CooldownScope = "person"

    if TYPE_CHECKING:

        def __init__(self, times: int = 1, *, per: float, scope: CooldownScope = "person") -> None: ...

    else:

        def __init__(self, times: int = 1, **rest: Any) -> None:
            super().__init__(times=times, **rest)


def bucket(cooldown: Cooldown, event: "EventBase", skill: str, handler: str) -> str:
    """What a use of this handler by this event counts in: printable ASCII, at most 300 characters.

    People are told apart within an account. Those whom the platform does not name share one bucket.
    """
    parts = [skill, handler, cooldown.scope]
    match cooldown.scope:
        case "person":
            parts += [event.address.account, event.person.id if event.person else ""]
        case "channel":
            parts += [event.address.account, event.address.tenant, event.address.channel]
    text = "/".join(quote(part, safe="") for part in parts)
    if len(text) <= LONGEST_BUCKET:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[: LONGEST_BUCKET - len(digest) - 1]}~{digest}"


def say(seconds_left: float, command: str) -> str:
    """What the person is told who has to wait."""
    return f"Please wait {_words(seconds_left)} before you use `{command}` again."


def _words(seconds: float) -> str:
    """A waiting time, rounded up: coming back after it must be late enough."""
    whole = max(1, math.ceil(seconds))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if whole >= 2 * size:
            return f"{math.ceil(whole / size)} {unit}s"
    return "a second" if whole == 1 else f"{whole} seconds"
