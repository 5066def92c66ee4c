"""When the times of a schedule are: cron's five fields in a time zone, by cronsim.

When clocks change, they mean what Debian's cron does (https://manpages.debian.org/stable/cron/cron.8.en.html, "NOTES";
https://github.com/cuu508/cronsim):

* A time that the clocks skip (02:30, where 02:00 is followed by 03:00) is right after the gap, at 03:00. Several times
  in one gap are one.
* A time that comes twice (02:30, where 03:00 is followed by 02:00) is the first one only.
* Where the minute or the hour begins with a star (``*/15 * * * *``), it is every so often: in both turns of an hour
  that comes twice, and not at all in one that is skipped.

All times are unix seconds.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from .errors import SkillError

__all__ = ["next_time", "previous_time"]


def next_time(cron: str, timezone: str, after: float) -> float | None:
    """The first of its times after that one; ``None`` if there is none in fifty years.

    Raises:
        SkillError: it is no cron expression, or the time zone is not known here.
    """
    for moment in _times(cron, timezone, after):
        # In the second turn of an hour that comes twice, cronsim begins with the times of the first one.
        if moment > after:
            return moment
    return None


def previous_time(cron: str, timezone: str, at: float) -> float | None:
    """The last of its times that is not after that one; raises as `next_time` does."""
    return next((moment for moment in _times(cron, timezone, int(at) + 1, reverse=True) if moment <= at), None)


def _times(cron: str, timezone: str, start: float, *, reverse: bool = False) -> Iterator[float]:
    try:
        times = CronSim(cron, datetime.fromtimestamp(start, UTC).astimezone(ZoneInfo(timezone)), reverse=reverse)
    except (CronSimError, KeyError, ValueError, OSError, OverflowError) as error:
        raise SkillError(f"{cron!r} in {timezone!r} is no schedule: {error}") from None
    try:
        for moment in times:
            yield moment.timestamp()
    except OverflowError:  # past the year 9999
        return
