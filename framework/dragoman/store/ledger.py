"""The ledger: what came in, what ran, what was sent. The broker distributes, the ledger knows.

Every function takes a connection in a transaction and *many* items, and answers for each in order, so
that a `Batcher` can put what many callers ask into one commit. Times are unix seconds.
"""

import json
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .. import wire
from ..action import Action, ActionBase, Edit, Send, Sent
from ..event import EventBase
from ..task import Task
from .fitting import fits, storable
from .lines import FREE, conversation, leave_out, positions, put_back, wake
from .processes import alive
from .schema import actions, events, runs, said

__all__ = [
    "FIRST_LOOK",
    "MOST_LOSSES",
    "Claim",
    "Failure",
    "Finish",
    "Known",
    "Routed",
    "claim_runs",
    "fail_runs",
    "finish_runs",
    "flush_runs",
    "look_up",
    "park_events",
    "postpone_actions",
    "record_events",
    "record_refused",
    "record_sent",
    "route_events",
]

log = logging.getLogger(__name__)

#: Seconds until the sweeper looks after something that was published and is not done.
FIRST_LOOK: Final = 5.0
#: The longest time between two tries to send an action, and the age at which it is given up, in seconds.
LONGEST_WAIT: Final = 300.0
GIVE_UP: Final = 24 * 3600.0
#: A run whose workers have died so often is parked: it may be what kills them.
MOST_LOSSES: Final = 5


class Routed(NamedTuple):
    """An event that the router has matched: its runs with their priorities, and its own answers.

    ``decision`` is JSON for `dragoman.why`: which handlers do not run, and why; ``None`` if there is nothing to say.
    """

    event: EventBase
    tasks: tuple[tuple[Task, int], ...]
    answers: tuple[Action, ...]
    decision: str | None = None


class Claim(NamedTuple):
    """What a worker that asks for a run is told: the attempt's number, or ``None``: it is not for you.

    ``state`` is the run's, or ``unknown``; ``failures`` counts the attempts that raised or timed out, since an operator
    has put it back, if one has (``replayed_at``).
    """

    attempt: int | None
    state: str
    failures: int = 0
    replayed_at: float | None = None


class Finish(NamedTuple):
    """A run that ended well, and what it said that has not left.

    ``first``: in its first attempt; ``lined``: others may wait for its end.
    """

    run: str
    owner: str
    actions: tuple[Action, ...]
    first: bool = False
    lined: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that ended badly. ``retry_at`` is ``None`` when it was the last attempt: the run is parked.

    Attributes:
        versions: JSON of what ran it; see the column.
        begun: whether there was an attempt.
    """

    run: str
    owner: str
    error: str
    retry_at: float | None
    answer: Action | None = None
    traceback: str = ""
    versions: str = ""
    begun: bool = True


class Known(NamedTuple):
    """What the ledger knows of an action: its state, the platform's message ids, and the line that its run was in."""

    state: str
    sent: Sent
    line: str | None = None


def record_events(connection: Connection, items: Sequence[EventBase]) -> list[bool]:
    """Commit events before the platform is told "ok"; for each, whether it is new."""
    now = time.time()
    rows = [
        {
            "key": event.key,
            "account": event.address.account,
            "state": "received",
            "body": wire.encode(event).decode(),
            "received_at": now,
            "due_at": now + FIRST_LOOK,
            "publishes": 1,
            "conversation": conversation(event.address),
            "position": position,
        }
        for event, position in zip(items, positions(len(items)), strict=True)
    ]
    fresh = set(connection.execute(_insert_new(connection.dialect.name, events), rows).scalars())
    answers = []
    for event in items:
        answers.append(event.key in fresh)
        fresh.discard(event.key)  # the same event twice in one batch is new once
    again = [event.key for event, new in zip(items, answers, strict=True) if not new]
    if again:  # rare, and worth knowing for whoever asks what happened to it
        connection.execute(AGAIN, [{"b_key": key} for key in again])
    return answers


AGAIN: Final = (
    update(events)
    .where(events.c.key == bindparam("b_key"))
    .values(duplicates=func.coalesce(events.c.duplicates, 0) + 1)
)


def route_events(connection: Connection, items: Sequence[Routed]) -> list[frozenset[str]]:
    """Write the runs and answers of matched events; for each, the runs and answers to publish now.

    An event that is delivered again (the router died before it could acknowledge it) gets the runs
    that nobody has begun, and no others: what was decided once (a cooldown, a rule) stays decided. One that did not
    come through a gateway of ours is recorded here.
    """
    now = time.time()
    rows = {
        item.event.key: {
            "key": item.event.key,
            "account": item.event.address.account,
            "state": "routed",
            "body": wire.encode(item.event).decode(),
            "received_at": now,
            "publishes": 1,
            "conversation": conversation(item.event.address),
            "position": position,
            "decision": item.decision and storable(item.decision),
        }
        for item, position in zip(items, positions(len(items)), strict=True)
    }
    first: dict[str, int] = {}
    if rows:
        first = {
            row.key: row.position for row in connection.execute(_routed(connection.dialect.name), list(rows.values()))
        }
    wanted = {
        task.run: {
            "id": task.run,
            "event_key": item.event.key,
            "skill": task.skill,
            "handler": task.handler,
            "arguments": json.dumps(task.arguments),
            "priority": priority,
            "state": "queued",
            "failures": 0,
            "losses": 0,
            "created_at": now,
            "due_at": now + FIRST_LOOK,
            "publishes": 1,
            "line": task.line or None,
            "position": first[item.event.key] if task.line else None,
        }
        for item in items
        for task, priority in item.tasks
        if item.event.key in first
    }
    due: set[str] = set()
    if wanted:
        due.update(connection.execute(_insert_new(connection.dialect.name, runs), list(wanted.values())).scalars())
        lined = [task for item in items for task, _ in item.tasks if task.line and task.run in due]
        due -= leave_out(connection, lined, now)
    if old := {task.run for item in items for task, _ in item.tasks} - due:
        due.update(
            connection.execute(
                select(runs.c.id).where(runs.c.id.in_(old), runs.c.state == "queued", runs.c.failures == 0)
            ).scalars()
        )
    answers = [answer for item in items if item.event.key in first for answer in item.answers]
    due.update(_record_actions(connection, answers, now))
    return [
        frozenset(
            name
            for name in (*(task.run for task, _ in item.tasks), *(answer.key for answer in item.answers))
            if name in due
        )
        for item in items
    ]


def park_events(connection: Connection, items: Sequence[tuple[str, str]]) -> list[bool]:
    """Set aside events that could not be routed: (key, reason) each. Whether the ledger has it, for each."""
    now = time.time()
    statement = update(events).where(events.c.key == bindparam("b_key"))
    change = {"state": "parked", "due_at": None, "parked_at": now}
    known = []
    for key, reason in items:
        done = connection.execute(statement.values(**change, error=storable(reason)), {"b_key": key})
        known.append(bool(done.rowcount))
    return known


EARLIER: Final = func.coalesce(runs.c.earlier, 0).label("earlier")
RUNS_BY_ID: Final = select(
    runs.c.id,
    runs.c.state,
    runs.c.owner,
    runs.c.failures,
    runs.c.losses,
    runs.c.line,
    runs.c.replayed_at,
    EARLIER,
).where(runs.c.id.in_(bindparam("ids", expanding=True)))
IDS: Final[Any] = bindparam("ids", expanding=True)
TAKE_QUEUED: Final = (
    update(runs)
    .where(runs.c.id.in_(IDS), runs.c.state == "queued", FREE)
    .values(state="running", due_at=None, owner=bindparam("b_owner"))
    .returning(runs.c.id, runs.c.failures, runs.c.losses, runs.c.replayed_at, EARLIER)
)
TAKE_OVER: Final = update(runs).where(runs.c.id == bindparam("b_id")).values(state="running", due_at=None)
DONE: Final = (
    update(runs)
    .where(runs.c.id.in_(IDS), runs.c.state == "running", runs.c.owner == bindparam("b_owner"))
    .values(state="done", due_at=None, owner=None, finished_at=bindparam("b_now"))
    .returning(runs.c.id, runs.c.line)
)
FAIL: Final = update(runs).where(runs.c.id == bindparam("b_id"))


def _lock_runs(connection: Connection, ids: Iterable[str]) -> dict[str, Any]:
    rows = connection.execute(RUNS_BY_ID.with_for_update(), {"ids": list(ids)})
    return {row.id: row for row in rows}


def claim_runs(connection: Connection, items: Sequence[tuple[str, str]]) -> list[Claim]:
    """Take runs for their owner: (run, owner) each.

    A run that is done, parked, or being run by a process that is alive is not given again (G3). One that waits in its
    line is not given yet: the end of the one before it publishes it.
    """
    claims: dict[int, Claim] = {}
    for owner in dict.fromkeys(owner for _, owner in items):
        # Nearly always they are waiting: one statement takes them all.
        places = {run: place for place, (run, whose) in reversed(list(enumerate(items))) if whose == owner}
        for taken in connection.execute(TAKE_QUEUED, {"ids": list(places), "b_owner": owner}):
            attempt = taken.earlier + taken.failures + taken.losses + 1
            claims[places[taken.id]] = Claim(attempt, "running", taken.failures, taken.replayed_at)
    late = [(place, run, owner) for place, (run, owner) in enumerate(items) if place not in claims]
    if late:
        found = _lock_runs(connection, (run for _, run, _ in late))
        living = alive(connection)
        given = {items[place][0] for place in claims}
        for place, run, owner in late:
            row = found.get(run)
            if run in given:
                claims[place] = Claim(None, "running")
            elif row is None:
                claims[place] = Claim(None, "unknown")
            elif row.state == "running" and row.owner not in living and row.losses + 1 < MOST_LOSSES:
                # It is taken over; a run that has lost more workers than that is left to the sweeper, which parks it.
                attempt = row.earlier + row.failures + row.losses + 2
                claims[place] = Claim(attempt, "running", row.failures, row.replayed_at)
                connection.execute(TAKE_OVER, {"b_id": run, "owner": owner, "losses": row.losses + 1})
                given.add(run)
            else:
                claims[place] = Claim(None, row.state)
        if waiting := {run for place, run, _ in late if claims[place].state == "queued"}:
            put_back(connection, waiting)
    return [claims[place] for place in range(len(items))]


def finish_runs(connection: Connection, items: Sequence[Finish]) -> list[frozenset[str] | None]:
    """Write the end and the actions of runs in one go; the keys of the actions to publish for each.

    ``None``: the run is not the owner's any more (it was taken over), so nothing was written.
    """
    now = time.time()
    mine: set[tuple[str, str]] = set()
    lines: dict[str, str | None] = {}
    for owner in {item.owner for item in items}:
        ids = [item.run for item in items if item.owner == owner]
        for ended in connection.execute(DONE, {"ids": ids, "b_owner": owner, "b_now": now}):
            mine.add((ended.id, owner))
            lines[ended.id] = ended.line
    written = [item for item in items if (item.run, item.owner) in mine]
    wake(connection, (item.run for item in written if item.lined), FIRST_LOOK)
    # Asking which of them are new costs as much as writing them, and in a first attempt all are.
    first = [action for item in written if item.first for action in item.actions]
    if first:
        rows = [_action_row(action, now, lines.get(action.run)) for action in first]
        connection.execute(_insert_actions(connection.dialect.name), rows)
    later = [action for item in written if not item.first for action in item.actions]
    fresh = _record_actions(connection, later, now, lines).union(action.key for action in first)
    return [
        frozenset(action.key for action in item.actions if action.key in fresh)
        if (item.run, item.owner) in mine
        else None
        for item in items
    ]


def flush_runs(connection: Connection, items: Sequence[Finish]) -> list[frozenset[str] | None]:
    """As `finish_runs`, for runs that go on: their first actions leave early."""
    found = _lock_runs(connection, (item.run for item in items))
    now = time.time()
    answers: list[frozenset[str] | None] = []
    for item in items:
        if item.run not in found or not _is_owner(found[item.run], item.owner):
            answers.append(None)
        else:
            lines = {item.run: found[item.run].line}
            answers.append(frozenset(_record_actions(connection, item.actions, now, lines)))
    return answers


def fail_runs(connection: Connection, items: Sequence[Failure]) -> list[frozenset[str] | None]:
    """Write failed attempts; the keys of the answers to publish. ``None`` as in `finish_runs`."""
    now = time.time()
    found = _lock_runs(connection, (item.run for item in items))
    answers: list[frozenset[str] | None] = []
    for item in items:
        row = found.get(item.run)
        if row is None or not _is_owner(row, item.owner):
            answers.append(None)
            continue
        last = item.retry_at is None
        error = item.error
        if not item.begun:
            before = connection.execute(select(runs.c.error).where(runs.c.id == item.run)).scalar()
            error += f"; the last attempt: {before}" if before else ""
        connection.execute(
            FAIL.values(
                state="parked" if last else "queued",
                failures=row.failures + int(item.begun),
                owner=None,
                due_at=item.retry_at,
                # Not published yet in this attempt: the sweeper does it when it is due, even if others wait.
                publishes=0,
                finished_at=now if last else None,
                homeless_since=None,
                error=storable(error),
                **({"traceback": storable(item.traceback), "versions": item.versions} if item.begun else {}),
            ),
            {"b_id": item.run},
        )
        if last:
            wake(connection, [item.run], FIRST_LOOK)
        answer = [item.answer] if item.answer else []
        answers.append(frozenset(_record_actions(connection, answer, now, {each.run: row.line for each in answer})))
    return answers


def _is_owner(row: Any, owner: str) -> bool:
    return bool(row.state == "running" and row.owner == owner)


KNOWN: Final = select(actions.c.key, actions.c.state, actions.c.sent_ids, actions.c.line).where(
    actions.c.key.in_(bindparam("keys", expanding=True))
)


def look_up(connection: Connection, keys: Iterable[str]) -> dict[str, Known]:
    """What is known of actions, by key; unknown keys are left out."""
    rows = connection.execute(KNOWN, {"keys": list(keys)})
    return {row.key: Known(row.state, Sent(ids=tuple(json.loads(row.sent_ids or "[]"))), row.line) for row in rows}


def record_sent(connection: Connection, items: Sequence[tuple[ActionBase, Sent]]) -> list[None]:
    """Write down that actions were performed, and the platform's ids of what they made."""
    now = time.time()
    rows = [
        {
            **_action_row(action, now),
            "state": "sent",
            "sent_ids": json.dumps(sent.ids),
            "sent_at": now,
            "due_at": None,
        }
        for action, sent in items
    ]
    connection.execute(_settled(connection.dialect.name), rows)
    messages = {
        (action.address.account, action.address.channel, id): action.key
        for action, sent in items
        if isinstance(action, Send | Edit)
        for id in sent.ids
        if fits(id, 256)
    }
    if messages:
        connection.execute(
            _insert_said(connection.dialect.name),
            [
                {"account": account, "channel": channel, "message": id, "key": key, "said_at": now}
                for (account, channel, id), key in messages.items()
            ],
        )
    return [None] * len(items)


def record_refused(
    connection: Connection, items: Sequence[tuple[ActionBase, str]], *, quiet: Collection[str] = ()
) -> list[None]:
    """Park actions that the platform refused for good, with its reason.

    Args:
        quiet: the keys of those with which nothing is amiss: they are no dead letters.
    """
    now = time.time()
    rows = [
        {
            **_action_row(action, now),
            "state": "parked",
            "error": storable(reason),
            "due_at": None,
            "parked_at": None if action.key in quiet else now,
        }
        for action, reason in items
    ]
    connection.execute(_settled(connection.dialect.name), rows)
    return [None] * len(items)


def postpone_actions(connection: Connection, items: Sequence[ActionBase]) -> list[None]:
    """Leave actions for the sweeper: each time for about as long as they have waited already, for a day at most.

    Those of other programs are recorded here; the rest are known. What is too old is parked.
    """
    now = time.time()
    _record_actions(connection, items, now)
    keys = [item.key for item in items]
    since = select(actions.c.key, actions.c.created_at, actions.c.account).where(actions.c.key.in_(keys))
    for key, created_at, account in connection.execute(since).all():
        waited = now - created_at
        change: dict[str, Any] = {"publishes": 0, "due_at": now + min(max(waited, FIRST_LOOK), LONGEST_WAIT)}
        if waited > GIVE_UP:
            reason = f"could not be sent for {GIVE_UP / 3600:.0f} hours"
            change = {"state": "parked", "due_at": None, "parked_at": now, "error": reason}
            log.error("action %s of %s is parked: it %s", key, account, reason)
        connection.execute(update(actions).where(actions.c.key == key, actions.c.state == "pending").values(change))
    return [None] * len(items)


def _action_row(action: ActionBase, now: float, line: str | None = None) -> dict[str, Any]:
    return {
        "key": action.key,
        "run": action.run,
        "ordinal": action.ordinal,
        "account": action.address.account,
        "state": "pending",
        "body": wire.encode(action).decode(),
        "sent_ids": None,
        "created_at": now,
        "sent_at": None,
        "due_at": now + FIRST_LOOK,
        "publishes": 1,
        "error": None,
        "parked_at": None,
        "line": line,
    }


def _record_actions(
    connection: Connection, items: Sequence[ActionBase], now: float, lines: Mapping[str, str | None] | None = None
) -> set[str]:
    """Write them, with the lines of their runs; the keys of those that are new."""
    if not items:
        return set()
    rows = [_action_row(action, now, (lines or {}).get(action.run)) for action in items]
    return set(connection.execute(_insert_new(connection.dialect.name, actions), rows).scalars())


@cache
def _insert_actions(dialect: str) -> Any:
    statement: Any = sqlite.insert(actions) if dialect == "sqlite" else postgresql.insert(actions)
    return statement.on_conflict_do_nothing()


@cache
def _insert_said(dialect: str) -> Any:
    """The first action that said it stays, and not who changed it later."""
    statement: Any = sqlite.insert(said) if dialect == "sqlite" else postgresql.insert(said)
    return statement.on_conflict_do_nothing()


@cache
def _insert_new(dialect: str, table: Table) -> Any:
    """INSERT that leaves out what is there already, returning the primary keys of what is new."""
    key = next(iter(table.primary_key.columns))
    statement: Any = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    return statement.on_conflict_do_nothing().returning(key)


@cache
def _routed(dialect: str) -> Any:
    statement: Any = sqlite.insert(events) if dialect == "sqlite" else postgresql.insert(events)
    # The body as the router has completed it: whoever looks at the event later knows the same of its person.
    new = statement.excluded
    changed: dict[str, Any] = {"state": "routed", "due_at": None, "body": new.body, "decision": new.decision}
    changed |= {"parked_at": None, "error": None}
    routed = statement.on_conflict_do_update(index_elements=["key"], set_=changed, where=events.c.state != "routed")
    return routed.returning(events.c.key, events.c.position)


@cache
def _settled(dialect: str) -> Any:
    """Upsert of an action's end; what was sent stays sent."""
    statement: Any = sqlite.insert(actions) if dialect == "sqlite" else postgresql.insert(actions)
    names = ("state", "body", "sent_ids", "sent_at", "due_at", "error", "parked_at")
    changed = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=["key"], set_=changed, where=actions.c.state != "sent")
