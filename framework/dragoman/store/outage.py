"""Telling a store that is away from an item that it does not take."""

from typing import Final

from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

__all__ = ["AWAY", "reason"]

#: The store is away, its disk is full, or somebody has locked it. All else is the item's own fault.
AWAY: Final = (OperationalError, InterfaceError, InternalError, PoolTimeout)


def reason(error: BaseException) -> str:
    """What the database says, in one line and without the statement."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
