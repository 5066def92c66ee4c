"""How soon somebody expects an answer."""

from enum import IntEnum

__all__ = ["Priority"]


class Priority(IntEnum):
    """The larger goes first, within one skill's queue."""

    SCHEDULED = 0
    OVERHEARD = 1
    COMMAND = 2
    BUTTON = 3
