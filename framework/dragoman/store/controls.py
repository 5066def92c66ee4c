"""What has been said of skills: who is paused, who is being taken out of service, how many runs at once.

Operators say it (``dragoman pause``), and the circuit breaker. It is kept, so it holds for all workers and after a
restart. Times are unix seconds.
"""

import time
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, Integer, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .lines import wake
from .schema import controls, runs

__all__ = [
    "LONGEST_PAUSE",
    "PURGED",
    "Control",
    "State",
    "close_breaker",
    "open_breaker",
    "purge_runs",
    "read_controls",
    "set_concurrency",
    "set_state",
    "take_trial",
]

State = Literal["running", "paused", "draining"]

#: Seconds that the circuit breaker pauses a skill at most before it tries a run.
LONGEST_PAUSE: Final = 3600.0
#: Why a run was skipped that an operator has thrown away.
PURGED: Final = "purged by an operator"
#: Runs that are thrown away in one transaction.
MOST: Final = 500

QUEUED: Final = (
    select(runs.c.id)
    .where(runs.c.skill == bindparam("b_skill"), runs.c.state == "queued", runs.c.created_at <= bindparam("b_before"))
    .limit(bindparam("b_most", type_=Integer))
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True)
class Control:
    """What has been said of one skill.

    Attributes:
        concurrency: its runs at once in each worker; ``None`` as its settings say.
        reason: why it is in this state, for people.
        until: of a pause that the circuit breaker made: when a run is tried.
        length: of that pause, in seconds.
        trial: the id of the process that may try one.
    """

    skill: str
    state: State = "running"
    concurrency: int | None = None
    reason: str = ""
    until: float | None = None
    length: float | None = None
    trial: str | None = None

    @property
    def broken(self) -> bool:
        """Whether it is the circuit breaker that has paused it."""
        return self.state == "paused" and self.until is not None


def read_controls(connection: Connection) -> dict[str, Control]:
    """All that has been said, by skill. Skills of which nothing has been said are left out."""
    found = select(*(controls.c[name] for name in Control.__dataclass_fields__))
    return {row.skill: Control(*row) for row in connection.execute(found)}


def set_state(connection: Connection, skill: str, state: State, reason: str = "") -> None:
    """An operator says what is to become of a skill, whatever the circuit breaker thought."""
    _set(connection, skill, state=state, reason=reason, until=None, length=None, trial=None)


def set_concurrency(connection: Connection, skill: str, concurrency: int | None) -> None:
    """So many runs of it at once in each worker; ``None``: as its settings say."""
    _set(connection, skill, concurrency=concurrency)


def open_breaker(connection: Connection, skill: str, reason: str, length: float) -> bool:
    """Pause a skill that fails everything for so many seconds; False: it does not run as usual, so it is not for us."""
    now = time.time()
    _insert(connection, skill, now)
    opened = connection.execute(
        update(controls)
        .where(controls.c.skill == skill, controls.c.state == "running")
        .values(state="paused", reason=reason, until=now + length, length=length, trial=None, changed_at=now)
    )
    return bool(opened.rowcount)


def take_trial(connection: Connection, skill: str, owner: str, patience: float) -> bool:
    """Ask to try one run of a skill whose pause is over; another may ask again after so many seconds."""
    now = time.time()
    taken = connection.execute(
        update(controls)
        .where(controls.c.skill == skill, controls.c.state == "paused", controls.c.until <= now)
        .values(trial=owner, until=now + patience)
    )
    return bool(taken.rowcount)


def close_breaker(connection: Connection, skill: str, owner: str, error: str | None) -> bool:
    """What came of the trial: it runs again, or with an error's reason is paused for twice as long.

    False: the trial is not this process's any more.
    """
    now = time.time()
    mine = (controls.c.skill == skill, controls.c.state == "paused", controls.c.trial == owner)
    length = connection.execute(select(controls.c.length).where(*mine).with_for_update()).scalar()
    if length is None:
        return False
    change: dict[str, Any] = {"state": "running", "reason": "", "until": None, "length": None}
    if error is not None:
        longer = min(length * 2, LONGEST_PAUSE)
        change = {"reason": error, "until": now + longer, "length": longer}
    connection.execute(update(controls).where(*mine).values(**change, trial=None, changed_at=now))
    return True


def purge_runs(connection: Connection, skill: str, before: float, most: int = MOST) -> int:
    """Skip runs of a skill that nobody has begun and that are older than a time: at most so many; how many."""
    ids = list(connection.execute(QUEUED, {"b_skill": skill, "b_before": before, "b_most": most}).scalars())
    if ids:
        connection.execute(
            update(runs)
            .where(runs.c.id.in_(ids))
            .values(state="skipped", error=PURGED, finished_at=time.time(), due_at=None, owner=None)
        )
        wake(connection, ids, 0.0)
    return len(ids)


def _set(connection: Connection, skill: str, **change: Any) -> None:
    now = time.time()
    _insert(connection, skill, now)
    connection.execute(update(controls).where(controls.c.skill == skill).values(**change, changed_at=now))


def _insert(connection: Connection, skill: str, now: float) -> None:
    """So that there is a row that can be changed."""
    statement: Any = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(controls)
    row = {"skill": skill, "state": "running", "reason": "", "changed_at": now}
    connection.execute(statement.values(row).on_conflict_do_nothing())
