"""How much the ledger has that is not done: of each skill, each account, and of events."""

import time
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from .processes import DEAD
from .schema import actions, events, processes, runs, strays

__all__ = ["MINUTES", "Backlog", "backlogs", "workers"]

#: Over how many minutes a rate is counted.
MINUTES: Final = 5


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one queue.

    Attributes:
        waiting: what is to be done.
        running: of it, what is under way.
        since: the unix time since which the oldest waits; ``None`` if none does.
        rate: how much was done in a minute of late.
    """

    waiting: int = 0
    running: int = 0
    since: float | None = None
    rate: float = 0.0


def backlogs(connection: Connection, now: float | None = None) -> dict[tuple[str, str], Backlog]:
    """By kind (``router``, ``skill``, ``deliver``, ``dead``) and name: a skill's, an account's, or none."""
    moment = time.time() if now is None else now
    late = moment - MINUTES * 60
    count = func.count()
    found: dict[tuple[str, str], dict[str, Any]] = {}

    def add(kind: str, name: str, **values: Any) -> None:
        found.setdefault((kind, name), {}).update(values)

    # What waits is in the index of what is due: it is as long as there is work.
    queued = select(runs.c.skill, count, func.min(runs.c.created_at)).where(
        runs.c.due_at.is_not(None), runs.c.state == "queued"
    )
    for skill, number, since in connection.execute(queued.group_by(runs.c.skill)):
        add("skill", skill, waiting=number, since=since)
    running = select(runs.c.skill, count).where(runs.c.owner.is_not(None), runs.c.state == "running")
    for skill, number in connection.execute(running.group_by(runs.c.skill)):
        add("skill", skill, running=number)
    ended = select(runs.c.skill, count).where(runs.c.finished_at > late, runs.c.state != "skipped")
    for skill, number in connection.execute(ended.group_by(runs.c.skill)):
        add("skill", skill, rate=number / MINUTES)
    received = select(count, func.min(events.c.received_at)).where(
        events.c.due_at.is_not(None), events.c.state == "received"
    )
    number, since = connection.execute(received).one()
    routed = select(count).where(events.c.received_at > late, events.c.state == "routed")
    add("router", "", waiting=number, since=since, rate=(connection.execute(routed).scalar() or 0) / MINUTES)
    pending = select(actions.c.account, count, func.min(actions.c.created_at)).where(
        actions.c.due_at.is_not(None), actions.c.state == "pending"
    )
    for account, number, since in connection.execute(pending.group_by(actions.c.account)):
        add("deliver", account, waiting=number, since=since)
    sent = select(actions.c.account, count).where(actions.c.sent_at > late)
    for account, number in connection.execute(sent.group_by(actions.c.account)):
        add("deliver", account, rate=number / MINUTES)
    dead, oldest = 0, []
    for asked in (
        select(count, func.min(runs.c.finished_at)).where(runs.c.state == "parked"),
        select(count, func.min(events.c.parked_at)).where(events.c.parked_at.is_not(None)),
        select(count, func.min(actions.c.parked_at)).where(actions.c.parked_at.is_not(None)),
        select(count, func.min(strays.c.parked_at)),
    ):
        number, since = connection.execute(asked).one()
        dead += number
        oldest += [since] if since is not None else []
    add("dead", "", waiting=dead, since=min(oldest, default=None))
    return {key: Backlog(**values) for key, values in found.items()}


def workers(connection: Connection) -> dict[str, int]:
    """How many processes of each role are alive."""
    alive = select(processes.c.role, func.count()).where(processes.c.beat_at > time.time() - DEAD)
    return {row.role: row[1] for row in connection.execute(alive.group_by(processes.c.role))}
