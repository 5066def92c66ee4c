"""Lines: the runs of a skill that wants one conversation's messages one after another.

A run of such a skill has a line (the skill and the conversation) and its event's position. Nobody may claim it while
an earlier one of its line has not ended, or while an earlier event of its conversation has not been routed. A run
that could not be claimed waits in the ledger, and holds no worker; the end of the one before it makes it due, in the
same transaction. So a line is a mailbox that cannot be stranded: whoever ends a run has also woken the next one.

A conversation is a channel with all of its threads.

What waits may be left out, if the skill says so (``policy``): that is decided when it is routed.
"""

import json
import threading
import time
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, exists, or_, select, update

from ..address import Address
from ..task import Task
from .schema import events, runs

__all__ = ["FREE", "conversation", "leave_out", "line", "next_in_line", "positions", "put_back", "wake"]

#: Seconds until a run is looked after that waits for the one before it, which wakes it much sooner.
WAKES: Final = 60.0
#: Seconds until a run is looked after that waits for an event to be routed.
ROUTED: Final = 1.0

_earlier, _event, _before = runs.alias("earlier"), events.alias("own_event"), events.alias("before")
PREDECESSOR: Final = exists().where(
    _earlier.c.line == runs.c.line, _earlier.c.position < runs.c.position, _earlier.c.finished_at.is_(None)
)
UNROUTED: Final = exists().where(
    _event.c.key == runs.c.event_key,
    _before.c.conversation == _event.c.conversation,
    _before.c.position < runs.c.position,
    _before.c.state == "received",
    # What is in the index of what is due, which is short.
    _before.c.due_at.is_not(None),
)
#: Whether a run is the first of its line, or in none.
FREE: Final = or_(runs.c.line.is_(None), and_(~PREDECESSOR, ~UNROUTED))

IDS: Final[Any] = bindparam("ids", expanding=True)
#: The first of each line: one row for each, however many wait.
WAITING: Final = select(runs.c.line, runs.c.id, runs.c.state, runs.c.failures).where(
    runs.c.line.in_(bindparam("lines", expanding=True)), runs.c.finished_at.is_(None), ~PREDECESSOR
)

#: Those of some lines that nobody has begun, in order.
BEHIND: Final = (
    select(runs.c.line, runs.c.id)
    .where(
        runs.c.line.in_(bindparam("lines", expanding=True)),
        runs.c.finished_at.is_(None),
        runs.c.state == "queued",
        runs.c.failures == 0,
    )
    .order_by(runs.c.line, runs.c.position)
)
SKIPPED: Final[dict[str, Any]] = {"state": "skipped", "owner": None, "due_at": None}

_lock = threading.Lock()
_last = 0


def positions(count: int) -> range:
    """So many numbers, each larger than all before it in this process; by the clock, so among processes as well."""
    global _last
    with _lock:
        first = max(_last + 1, time.time_ns())
        _last = first + count
        return range(first, first + count)


def conversation(address: Address) -> str:
    """A name for the conversation at an address: 32 letters and digits."""
    place = json.dumps([address.account, address.tenant, address.channel])
    return sha256(place.encode()).hexdigest()[:32]


def line(skill: str, address: Address) -> str:
    """The line of a skill in that conversation."""
    return f"{skill}|{conversation(address)}"


def leave_out(connection: Connection, tasks: Sequence[Task], now: float) -> set[str]:
    """After new runs were written: which runs of their lines are not to be run, as the policies of their skills say.

    Two routers that write runs of one line at the same time may leave both: they run one after another.
    """
    left: set[str] = set()
    for task in tasks:
        if task.policy == "drop_while_busy":
            # One after another: what is left out keeps nobody busy.
            busy = update(runs).where(runs.c.id == bindparam("b_id"), PREDECESSOR)
            skipped = {**SKIPPED, "finished_at": now, "error": "it came while the one before it was not done"}
            left.update(connection.execute(busy.values(skipped).returning(runs.c.id), {"b_id": task.run}).scalars())
    lines = {task.line for task in tasks if task.policy == "latest"}
    if lines:
        found = connection.execute(BEHIND, {"lines": list(lines)}).all()
        latest = {row.line: row.id for row in found}
        old = _locked(connection, [row.id for row in found if latest[row.line] != row.id])
        if old:
            skipped = {**SKIPPED, "finished_at": now, "error": "a later one took its place"}
            waiting = update(runs).where(runs.c.id.in_(IDS), runs.c.state == "queued", runs.c.failures == 0)
            left.update(connection.execute(waiting.values(skipped).returning(runs.c.id), {"ids": old}).scalars())
    return left


def put_back(connection: Connection, ids: Iterable[str]) -> None:
    """These could not be claimed yet: the sweeper need not look after them soon."""
    wanted, now = _locked(connection, ids), time.time()
    mine = and_(runs.c.id.in_(IDS), runs.c.state == "queued", runs.c.line.is_not(None))
    # Their messages are gone: the sweeper may publish them again however long the queue is. Who has been woken
    # meanwhile is not published either, and is not put back any more.
    later = update(runs).where(mine, PREDECESSOR, runs.c.publishes > 0).values(due_at=now + WAKES, publishes=0)
    connection.execute(later, {"ids": wanted})
    soon = update(runs).where(mine, ~PREDECESSOR).values(due_at=now + ROUTED, publishes=0)
    connection.execute(soon, {"ids": wanted})


def wake(connection: Connection, ids: Iterable[str], soon: float) -> None:
    """These have ended: the next ones of their lines are due in so many seconds, should nobody publish them before."""
    found = select(runs.c.line).where(runs.c.id.in_(IDS), runs.c.line.is_not(None)).distinct()
    lines = list(connection.execute(found, {"ids": list(ids)}).scalars())
    if lines and (first := _locked(connection, [row.id for row in _first(connection, lines)])):
        change = {"due_at": time.time() + soon, "publishes": 0}
        connection.execute(update(runs).where(runs.c.id.in_(IDS)).values(change), {"ids": first})


def next_in_line(connection: Connection, items: Sequence[str]) -> list[str | None]:
    """For each of these runs, which have ended: the run that is now the first of its line, if it waits to be begun."""
    found = connection.execute(select(runs.c.id, runs.c.line).where(runs.c.id.in_(IDS)), {"ids": list(items)})
    of = {row.id: row.line for row in found if row.line is not None}
    first = {row.line: row.id for row in _first(connection, set(of.values()))}
    return [first.get(of.get(item, "")) for item in items]


def _first(connection: Connection, lines: Iterable[str]) -> list[Any]:
    """The first of each line, if nobody has begun it: one that has failed waits for its time."""
    found = connection.execute(WAITING, {"lines": list(lines)})
    return [row for row in found if row.state == "queued" and not row.failures]


def _locked(connection: Connection, ids: Iterable[str]) -> list[str]:
    """Lock runs in one order, whoever does it, so that none waits for another in a circle."""
    wanted = sorted(ids)
    if wanted:
        connection.execute(
            select(runs.c.id).where(runs.c.id.in_(IDS)).order_by(runs.c.id).with_for_update(), {"ids": wanted}
        )
    return wanted
