"""The schedules of the catalogue as rows of timers, which `dragoman.store.timers` takes when they are due."""

import logging
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, delete, select, update

from .. import wire
from ..address import NOWHERE
from ..cron import next_time
from ..errors import SkillError
from ..event import Scheduled
from ..manifest import SkillManifest
from ..timers import timer_id
from ..triggers import ScheduleTrigger
from .schema import manifests, timers
from .timers import insert_new

__all__ = ["SCHEDULES", "schedule_id", "write_schedules"]

log = logging.getLogger(__name__)

#: How the ids of schedules begin, and of no other timers.
SCHEDULES: Final = "cron/"


def schedule_id(skill: str, handler: str) -> str:
    """The id of a schedule's row: ``cron/<skill>.<handler>``, shortened to the column's size."""
    name = f"{SCHEDULES}{skill}.{handler}"
    return name if len(name) <= 64 else f"{SCHEDULES}{timer_id(name)}"


def write_schedules(connection: Connection, found: Sequence[SkillManifest], now: float) -> None:
    """Hold the rows of schedules to the catalogue's.

    A schedule that is new or has changed begins with its next time after now. Those of skills that are retired, or
    have no such handler any more, are gone; those of a skill that is published but not in ``found`` (nobody here can
    read its manifest) stay as they are.
    """
    wanted: dict[str, tuple[str, str, ScheduleTrigger]] = {}
    for manifest in found:
        for each in manifest.handlers:
            if isinstance(each.trigger, ScheduleTrigger) and each.trigger.cron is not None:
                wanted[schedule_id(manifest.name, each.name)] = manifest.name, each.name, each.trigger
    # In one order, so that two who do this at once wait for each other, and not in a circle.
    here = select(timers).where(timers.c.cron.is_not(None)).order_by(timers.c.id).with_for_update()
    rows = {row.id: row for row in connection.execute(here)}
    published = set(connection.execute(select(manifests.c.skill)).scalars())
    readable = {manifest.name for manifest in found}
    gone = [
        row.id
        for row in rows.values()
        if row.skill not in published or (row.skill in readable and row.id not in wanted)
    ]
    if gone:
        connection.execute(delete(timers).where(timers.c.id.in_(gone)))
    for identity, (skill, handler, trigger) in sorted(wanted.items()):
        row = rows.get(identity)
        if row is not None and (row.cron, row.timezone) == (trigger.cron, trigger.timezone):
            continue
        assert trigger.cron is not None
        try:
            due = next_time(trigger.cron, trigger.timezone, now)
        except SkillError as error:
            log.error("%s.%s is not scheduled: %s", skill, handler, error)
            due = None
        values = {"cron": trigger.cron, "timezone": trigger.timezone, "due_at": due}
        if row is not None:
            connection.execute(update(timers).where(timers.c.id == identity).values(values))
            continue
        event = Scheduled(
            key=identity, address=NOWHERE, conversation="channel", skill=skill, handler=handler, due=due or 0.0
        )
        values |= {"id": identity, "skill": skill, "handler": handler, "created_at": now}
        values["body"] = wire.encode(event).decode()
        connection.execute(insert_new(connection).values(values))
