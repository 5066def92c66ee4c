"""Timers in SQL: what skills asked for once (`TimerRows`). Schedules are rows like them (`dragoman.store.schedules`).

What is due is taken in the transaction that records its event in the ledger, so it happens once, however many look.
Times are unix seconds.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import Connection, Engine, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from .. import wire
from ..cron import next_time, previous_time
from ..errors import SkillError, StoreError
from ..event import Scheduled
from ..timers import Timer
from ..trace import new_traceparent
from .engine import reading
from .ledger import record_events
from .schema import events, manifests, timers

__all__ = ["TimerRows", "insert_new", "next_due", "take_due_timers"]

log = logging.getLogger(__name__)

#: Bytes of an event as JSON: it has to fit into a task.
LARGEST: Final = 256 * 1024
#: What a retired skill asked for waits for it to come back.
SERVED: Final = exists().where(manifests.c.skill == timers.c.skill)
NEXT: Final = select(timers.c.due_at).where(timers.c.due_at.is_not(None), SERVED).order_by(timers.c.due_at).limit(1)


class TimerRows:
    """Implements `dragoman.timers.Timers`; for all threads of the process that made the engine."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, timer: Timer) -> None:
        try:
            body = wire.encode(timer.event).decode()
        except PydanticSerializationError as error:  # half of a surrogate pair
            raise SkillError(f"{timer.skill}.{timer.handler}: its arguments cannot be kept as JSON: {error}") from None
        if len(body) > LARGEST:
            raise SkillError(
                f"{timer.skill}.{timer.handler}: its arguments are too large ({len(body):,} bytes with the event, "
                f"and the limit is {LARGEST:,}): keep them in ctx.store, and give it the key"
            )
        row = {
            "id": timer.id,
            "skill": timer.skill,
            "handler": timer.handler,
            "due_at": timer.due_at,
            "body": body,
            "created_at": self._clock(),
        }
        with _explained(), self._engine.begin() as connection:
            # The run that asks may be a retry of one whose timer has come and gone meanwhile.
            if connection.execute(select(events.c.key).where(events.c.key == _once(timer.id))).first() is None:
                connection.execute(insert_new(connection).values(row))

    def cancel(self, skill: str, id: str) -> bool:
        found = delete(timers).where(timers.c.id == id, timers.c.skill == skill, timers.c.cron.is_(None))
        with _explained(), self._engine.begin() as connection:
            return connection.execute(found.returning(timers.c.id)).first() is not None

    def pending(self, skill: str) -> list[Timer]:
        found = select(timers).where(timers.c.skill == skill, timers.c.cron.is_(None), timers.c.due_at.is_not(None))
        with _explained(), reading(self._engine) as connection:
            rows = connection.execute(found.order_by(timers.c.due_at, timers.c.id)).all()
        return [
            Timer(id=row.id, skill=row.skill, handler=row.handler, due_at=row.due_at, event=event)
            for row in rows
            if (event := _event(row)) is not None
        ]


def insert_new(connection: Connection) -> Any:
    """INSERT that leaves out what is there already."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(timers).on_conflict_do_nothing()


def next_due(connection: Connection) -> float | None:
    """When the next timer is due; ``None`` if there is none."""
    return connection.execute(NEXT).scalar_one_or_none()


def take_due_timers(connection: Connection, now: float, most: int = 200) -> list[Scheduled]:
    """Record the events of what is due, earliest first, and move schedules to their next time; the new events.

    A schedule that has missed several times (nobody was there to look) happens once, for the latest of them. What
    nobody can read is set aside: its row stays, and is never due.
    """
    rows = connection.execute(
        select(timers)
        .where(timers.c.due_at <= now, SERVED)
        .order_by(timers.c.due_at)
        .limit(most)
        .with_for_update(skip_locked=True, of=timers)
    ).all()
    due: list[Scheduled] = []
    gone: list[str] = []
    for row in rows:
        later: float | None = None
        event = _event(row)
        try:
            if event is not None:
                moment = row.due_at
                if row.cron is not None:
                    moment = max(moment, previous_time(row.cron, row.timezone, now) or moment)
                    later = next_time(row.cron, row.timezone, now)
                due.append(_at(event, row, moment, now))
        except SkillError as error:
            log.error("timer %s is set aside: %s", row.id, error)
        else:
            if row.cron is None and event is not None:
                gone.append(row.id)
                continue
        connection.execute(update(timers).where(timers.c.id == row.id).values(due_at=later))
    if gone:
        connection.execute(delete(timers).where(timers.c.id.in_(gone)))
    fresh = record_events(connection, due) if due else []
    return [event for event, new in zip(due, fresh, strict=True) if new]


def _once(identity: str) -> str:
    """The key of what happens once: whenever it was due, so that it cannot happen again for a retry that asks anew."""
    return f"schedule/{identity}"


def _at(event: Scheduled, row: Any, moment: float, now: float) -> Scheduled:
    key = _once(row.id) if row.cron is None else f"{_once(row.id)}/{moment:.0f}"
    return event.model_copy(
        update={
            "key": key,
            "due": moment,
            "occurred": moment,
            "hops": (*event.hops, ("scheduler", now)),
            "traceparent": event.traceparent or new_traceparent(),
        }
    )


def _event(row: Any) -> Scheduled | None:
    try:
        return Scheduled.model_validate_json(row.body)
    except ValidationError as error:
        (first, *_) = error.errors(
            include_url=False, include_input=False
        )  # what somebody wants to be told is not logged
        log.error("timer %s of %s.%s cannot be read: %s", row.id, row.skill, row.handler, first["msg"])
        return None


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(f"timers cannot be kept: {reason}") from error
