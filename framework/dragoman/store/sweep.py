"""What the sweeper asks of the ledger: what is not done in time, whose worker died, what is too old.

Several sweepers may run at once: what one of them takes is moved to a later time in the same transaction.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Integer, Table, and_, bindparam, delete, or_, select, tuple_, update

from .. import wire
from ..action import Action, Send
from ..content import Content
from ..errors import WireError
from .cooldowns import delete_over
from .data import delete_expired
from .keepsakes import forget_credentials
from .ledger import FIRST_LOOK, MOST_LOSSES
from .lines import wake
from .processes import DEAD, alive
from .schema import actions, events, people, processes, runs, strays
from .schema import said as messages

__all__ = [
    "MOST_LOSSES",
    "Due",
    "DueRun",
    "forget_actions",
    "forget_expired",
    "forget_old",
    "give_back_lost",
    "give_back_unpublished",
    "runs_to_publish",
    "take_due_actions",
    "take_due_events",
    "take_due_runs",
]

#: Nothing waits longer than this for the next look.
LONGEST_LOOK: Final = 900.0
#: Actions that are forgotten in one transaction.
FORGET: Final = 500
#: What is done and as it was, and what has been forgotten but for where it was said; the eldest first. Each is exactly
#: what an index of the table holds.
DONE: Final = (
    select(actions.c.key, actions.c.body, actions.c.sent_ids, actions.c.created_at)
    .where(actions.c.due_at.is_(None), actions.c.forgotten_at.is_(None), actions.c.state != "pending")
    .where(actions.c.created_at < bindparam("b_before"))
    .where(or_(actions.c.parked_at.is_(None), actions.c.parked_at < bindparam("b_dead_before")))
    .order_by(actions.c.created_at)
    .limit(bindparam("b_most", type_=Integer))
    .with_for_update(skip_locked=True)
)
FORGOTTEN: Final = (
    select(actions.c.key)
    .where(actions.c.forgotten_at.is_not(None), actions.c.created_at < bindparam("b_before"))
    .order_by(actions.c.created_at)
    .limit(bindparam("b_most", type_=Integer))
    .with_for_update(skip_locked=True)
)
#: Seconds that the directory keeps somebody of whom no platform tells any more.
PEOPLE_KEPT: Final = 90 * 86400.0


@dataclass(frozen=True, slots=True)
class Due:
    """Something to publish. ``again``: it has been published before, and may still be on its way."""

    key: str
    account: str
    body: str
    again: bool


@dataclass(frozen=True, slots=True)
class DueRun:
    """A run to publish, with its event."""

    id: str
    skill: str
    handler: str
    arguments: dict[str, Any]
    priority: int
    event: str
    again: bool


def _later(now: float, publishes: int) -> float:
    return now + min(FIRST_LOOK * 2.0 ** min(publishes, 16), LONGEST_LOOK)


def _move(connection: Connection, table: Table, rows: list[Any], now: float) -> None:
    key = next(iter(table.primary_key.columns))
    if rows:
        connection.execute(
            update(table).where(key == bindparam("b_key")),
            [{"b_key": row[0], "publishes": row.publishes + 1, "due_at": _later(now, row.publishes)} for row in rows],
        )


def _due(table: Table, now: float, state: str, most: int, by: str = "due_at") -> Any:
    return (
        select(table)
        .where(table.c.due_at <= now, table.c.state == state)
        .order_by(table.c[by])
        .limit(most)
        .with_for_update(skip_locked=True)
    )


def take_due_events(connection: Connection, most: int = 200) -> list[Due]:
    """Events that no router has written runs for in time, in the order in which they came."""
    now = time.time()
    rows = list(connection.execute(_due(events, now, "received", most, "position")))
    _move(connection, events, rows, now)
    return [Due(row.key, row.account, row.body, row.publishes > 0) for row in rows]


def take_due_actions(connection: Connection, most: int = 200) -> list[Due]:
    """Actions that no gateway has reported as sent in time, in the order of their runs."""
    now = time.time()
    rows = list(connection.execute(_due(actions, now, "pending", most)))
    _move(connection, actions, rows, now)
    rows.sort(key=lambda row: (row.created_at, row.run, row.ordinal))
    return [Due(row.key, row.account, row.body, row.publishes > 0) for row in rows]


def take_due_runs(connection: Connection, most: int = 200) -> list[DueRun]:
    """Runs whose retry is due, and those that no worker has taken in time."""
    now = time.time()
    rows = list(connection.execute(_due(runs, now, "queued", most)))
    _move(connection, runs, rows, now)
    return _with_events(connection, rows)


def give_back_unpublished(
    connection: Connection, events_: Sequence[Due], runs_: Sequence[DueRun], actions_: Sequence[Due]
) -> None:
    """The broker was away when these were taken: they are due again at once, as if nobody had tried."""
    now = time.time()
    taken: tuple[tuple[Table, list[str]], ...] = (
        (events, [due.key for due in events_]),
        (runs, [due.id for due in runs_]),
        (actions, [due.key for due in actions_]),
    )
    for table, keys in taken:
        key = next(iter(table.primary_key.columns))
        if keys:
            connection.execute(
                update(table)
                .where(key.in_(keys), table.c.due_at > now, table.c.publishes > 0)
                .values(due_at=now, publishes=table.c.publishes - 1)
            )


def _with_events(connection: Connection, rows: Sequence[Any]) -> list[DueRun]:
    keys = {row.event_key for row in rows}
    bodies = {
        row.key: row.body
        for row in connection.execute(select(events.c.key, events.c.body).where(events.c.key.in_(keys)))
    }
    return [
        DueRun(
            row.id,
            row.skill,
            row.handler,
            json.loads(row.arguments),
            row.priority,
            bodies[row.event_key],
            row.publishes > 0,
        )
        for row in rows
        if row.event_key in bodies
    ]


def give_back_lost(connection: Connection) -> tuple[list[str], list[DueRun]]:
    """Take the runs of dead workers from them: (those to run again, those that are parked for it)."""
    living = alive(connection)
    rows = connection.execute(
        select(runs).where(runs.c.state == "running", runs.c.owner.not_in(living)).with_for_update(skip_locked=True)
    ).all()
    now = time.time()
    again = [row.id for row in rows if row.losses + 1 < MOST_LOSSES]
    parked = [row for row in rows if row.losses + 1 >= MOST_LOSSES]
    change = update(runs).where(runs.c.id == bindparam("b_id"))
    if again:
        connection.execute(
            change.values(state="queued", owner=None, losses=runs.c.losses + 1, due_at=now, publishes=0),
            [{"b_id": run} for run in again],
        )
    if parked:
        reason = f"its worker died {MOST_LOSSES} times while it ran"
        connection.execute(
            change.values(
                state="parked",
                owner=None,
                losses=runs.c.losses + 1,
                due_at=None,
                finished_at=now,
                error=reason,
            ),
            [{"b_id": row.id} for row in parked],
        )
        wake(connection, (row.id for row in parked), 0.0)
    return again, _with_events(connection, parked)


def runs_to_publish(connection: Connection, items: Sequence[str]) -> list[DueRun | None]:
    """Runs by their ids, with their events, as they are in the ledger."""
    rows = connection.execute(select(runs).where(runs.c.id.in_(items))).all()
    found = {run.id: run for run in _with_events(connection, rows)}
    return [found.get(item) for item in items]


def forget_old(connection: Connection, before: float, dead_before: float | None = None) -> int:
    """Delete events and runs that ended before a time, and processes long dead; how many events are gone.

    Dead letters, and the events of runs that are, go when they were parked before the second time, if there is one.
    """
    dead_before = before if dead_before is None else dead_before
    connection.execute(delete(processes).where(processes.c.beat_at < time.time() - 100 * DEAD))
    dead = and_(runs.c.state == "parked", runs.c.finished_at >= dead_before)
    busy = select(runs.c.event_key).where(or_(runs.c.state.in_(("queued", "running")), dead))
    gone = connection.execute(
        delete(events).where(
            events.c.received_at < before,
            events.c.state != "received",
            or_(events.c.parked_at.is_(None), events.c.parked_at < dead_before),
            events.c.key.not_in(busy),
        )
    ).rowcount
    connection.execute(delete(runs).where(runs.c.finished_at < before, runs.c.state.in_(("done", "skipped"))))
    connection.execute(delete(runs).where(runs.c.finished_at < dead_before, runs.c.state == "parked"))
    connection.execute(delete(strays).where(strays.c.parked_at < dead_before))
    return int(gone)


def forget_actions(
    connection: Connection,
    before: float,
    handles_before: float,
    most: int = FORGET,
    *,
    dead_before: float | None = None,
) -> int:
    """Forget actions that are done and older than a time: at most so many; how many, so 0 when there are no more.

    Dead letters are kept as they are, unless they were parked before the third time, if there is one.
    What the bot said can still be changed by its handle: such a row keeps its key, the platform's ids and its address,
    and is deleted when it is older than the second time. Of all others nothing is left.
    """
    times = {"b_before": before, "b_dead_before": before if dead_before is None else dead_before}
    rows = connection.execute(DONE, {**times, "b_most": most}).all()
    # After a long stop, some may be too old for that already.
    kept = {
        row.key: said.address for row in rows if row.created_at >= handles_before and (said := _said(row)) is not None
    }
    gone = [row.key for row in rows if row.key not in kept]
    gone += connection.execute(FORGOTTEN, {"b_before": handles_before, "b_most": most - len(rows)}).scalars()
    if kept:
        now = time.time()
        bodies = {key: Send(key=key, address=address, content=Content()) for key, address in kept.items()}
        connection.execute(
            update(actions).where(actions.c.key == bindparam("b_key")),
            [{"b_key": key, "body": wire.encode(body).decode(), "forgotten_at": now} for key, body in bodies.items()],
        )
    if gone:
        connection.execute(delete(actions).where(actions.c.key.in_(gone)))
    connection.execute(delete(messages).where(messages.c.said_at < handles_before))
    return len(kept) + len(gone)


def _said(row: Any) -> Send | None:
    """The action, if it made messages that a handle can name."""
    if not json.loads(row.sent_ids or "[]"):
        return None
    try:
        action: Action = wire.decode_action(row.body)
    except WireError:  # a newer Dragoman's
        return None
    return action if isinstance(action, Send) else None


def forget_expired(connection: Connection, now: float) -> int:
    """Delete what nobody can read or needs any more of what skills keep, cooldowns and people; how many rows."""
    # A gateway may be writing somebody down again: it is not waited for.
    old = (
        select(people.c.account, people.c.tenant, people.c.id)
        .where(people.c.fetched_at < now - PEOPLE_KEPT)
        .with_for_update(skip_locked=True)
    )
    gone = connection.execute(
        delete(people).where(tuple_(people.c.account, people.c.tenant, people.c.id).in_(old))
    ).rowcount
    return (
        delete_expired(connection, now) + delete_over(connection, now) + forget_credentials(connection, now) + int(gone)
    )
