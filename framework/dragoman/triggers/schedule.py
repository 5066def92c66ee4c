"""``@skill.schedule(cron)``: at a time. The scheduler says when; see `dragoman.scheduler`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from ..errors import SkillError
from ..event import Scheduled
from ..parameter import Parameter
from ..priority import Priority
from .trigger import Candidate, Declared, Index, Occasion, Place, Trigger

__all__ = ["ScheduleTrigger", "ScheduledIndex"]


class ScheduleTrigger(Trigger):
    """Times, as five fields of cron in a time zone; without them, only when `Context.later` asks for it."""

    kind: Literal["schedule"] = "schedule"
    cron: str | None = None
    timezone: str = "UTC"

    @classmethod
    def declare(cls, cron: str | None = None, *, timezone: str = "UTC") -> Declared:
        """Run the function at these times, once however many processes there are.

        Args:
            cron: minute, hour, day of the month, month, day of the week, such as ``0 9 * * MON-FRI``. Left out,
                it runs when `Context.later` asks for it, with the arguments given there.
            timezone: where these times are meant, such as ``Europe/Berlin``.
        """
        if callable(cron):
            raise SkillError("write @skill.schedule() with parentheses")
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise SkillError(f"schedule: {timezone!r} is not a time zone; write one such as Europe/Berlin") from None
        if cron is not None:
            try:
                # A time that never comes, such as 30 February, is only found out by looking for it.
                next(CronSim(cron, datetime.now(UTC).astimezone(zone)))
            except (CronSimError, StopIteration):
                raise SkillError(
                    f"schedule: {cron!r} is no time that comes; write the five fields of cron, such as 0 9 * * MON-FRI"
                ) from None
        return Declared(cls(cron=cron, timezone=timezone))

    def check(self, where: str, parameters: Sequence[Parameter]) -> None:
        required = [parameter.name for parameter in parameters if parameter.required]
        if self.cron is not None and required:
            raise SkillError(f"{where}: nobody gives it {required[0]!r} when its time comes; give it a default")

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index:
        return ScheduledIndex()


class ScheduledIndex(Index):
    """The event says whose it is."""

    #: Who asked for it may have been a program.
    hears_bots: ClassVar[bool] = True

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], Place] = {}

    def add(self, place: Place, trigger: Trigger) -> None:
        self._places[place.skill.name, place.handler.name] = place

    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        event = occasion.event
        if isinstance(event, Scheduled) and (place := self._places.get((event.skill, event.handler))):
            yield Candidate(place, event.arguments.copy, Priority.SCHEDULED)
