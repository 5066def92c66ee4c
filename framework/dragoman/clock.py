"""Time zones by name."""

from datetime import tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["zone"]


@lru_cache(maxsize=1000)
def zone(*names: str | None) -> tzinfo:
    """The first of these that is a time zone, such as ``Europe/Berlin``; else UTC.

    What a platform says of a person is not always one that this machine knows.
    """
    for name in names:
        if name:
            try:
                return ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                continue
    return ZoneInfo("UTC")
