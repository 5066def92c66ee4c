"""What the ledger tells of one event and of the latest: for `dragoman why` and `dragoman tail`. Only reads.

Looking for an event by a part of its key reads the whole index of keys: it is for people who ask, not for the way of
a message. Times are unix seconds.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, Row, Table, func, select, text

from .schema import actions, controls, events, limits, processes, runs, said

__all__ = [
    "actions_for",
    "before_in_line",
    "event_of",
    "find_events",
    "find_runs",
    "latest",
    "limits_of",
    "newest",
    "owner_of",
    "pause_of",
    "rows_of",
    "runs_for",
    "said_in",
]

#: Router's own answers to one event; see `dragoman.routing`.
ANSWERS: Final = 8


def event_of(connection: Connection, key: str) -> Row[Any] | None:
    """The event of this key."""
    return connection.execute(select(events).where(events.c.key == key)).one_or_none()


def find_events(connection: Connection, *parts: str, most: int = 20) -> list[str]:
    """The keys of events with these parts behind one another, such as a channel and a message; the latest first."""
    fragment = "/" + "/".join(quote(part, safe="") for part in parts)
    found = select(events.c.key).where(events.c.key.contains(fragment, autoescape=True))
    keys = connection.execute(found.order_by(events.c.received_at.desc()).limit(most)).scalars()
    # Not what only begins with it, such as a longer id.
    return [key for key in keys if f"{fragment}/" in f"{key}/"]


def find_runs(connection: Connection, reference: str, most: int = 20) -> list[Row[Any]]:
    """The runs whose id begins so, in any case of letters."""
    found = select(runs).where(func.lower(runs.c.id).startswith(reference.lower(), autoescape=True))
    return list(connection.execute(found.order_by(runs.c.created_at.desc()).limit(most)))


def runs_for(connection: Connection, key: str) -> list[Row[Any]]:
    """The runs of an event."""
    return list(connection.execute(select(runs).where(runs.c.event_key == key).order_by(runs.c.created_at, runs.c.id)))


def actions_for(connection: Connection, key: str, found: Sequence[Row[Any]]) -> list[Row[Any]]:
    """What was to be said for an event: by its runs, by the router, and the apologies of runs that failed."""
    own = [f"{key}|router|{number}" for number in range(ANSWERS)]
    own += [f"{key}|{run.skill}.{run.handler}.failed|0" for run in found]
    by_key = select(actions).where(actions.c.key.in_(own))
    by_run = select(actions).where(actions.c.run.in_([run.id for run in found]), actions.c.key.not_in(own))
    rows = [*connection.execute(by_key), *connection.execute(by_run)]
    return sorted(rows, key=lambda row: (row.created_at, row.run, row.ordinal))


def said_in(connection: Connection, message: str, channel: str | None = None) -> list[str]:
    """The keys of the actions that made a message of the bot's."""
    found = select(said.c.key).where(said.c.message == message)
    if channel is not None:
        found = found.where(said.c.channel == channel)
    return list(connection.execute(found.limit(20)).scalars())


def before_in_line(connection: Connection, run: Row[Any]) -> str | None:
    """The id of a run that this one waits for; ``None`` if it waits for no other."""
    if run.line is None:
        return None
    first = select(runs.c.id).where(
        runs.c.line == run.line, runs.c.position < run.position, runs.c.finished_at.is_(None)
    )
    return connection.execute(first.order_by(runs.c.position).limit(1)).scalar_one_or_none()


def pause_of(connection: Connection, skill: str) -> Row[Any] | None:
    """What has been said of a skill, if it does not simply run."""
    found = select(controls).where(controls.c.skill == skill, controls.c.state != "running")
    return connection.execute(found).one_or_none()


def limits_of(connection: Connection, account: str, now: float) -> float | None:
    """Until when the account's platform wants to be left alone; ``None`` if it does not."""
    found = select(func.max(limits.c.until)).where(limits.c.account == account, limits.c.until > now)
    until: float | None = connection.execute(found).scalar()
    return until


def owner_of(connection: Connection, owner: str | None) -> Row[Any] | None:
    """The process that runs something."""
    return connection.execute(select(processes).where(processes.c.id == owner)).one_or_none()


TIMES: Final[dict[str, Any]] = {
    "events": events.c.received_at,
    "runs": runs.c.created_at,
    "actions": actions.c.created_at,
}


def newest(connection: Connection, table: Table) -> float:
    """Where `latest` begins to find only what comes from now on."""
    if connection.dialect.name == "sqlite":
        # Rows are numbered in the order in which they come; their times have no index.
        return float(connection.execute(text(f"SELECT max(rowid) FROM {table.name}")).scalar() or 0)  # noqa: S608
    return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


def latest(connection: Connection, table: Table, since: float, most: int) -> tuple[list[Row[Any]], float]:
    """The rows that have come since then, and where to go on. A row may be found twice."""
    if connection.dialect.name == "sqlite":
        number: Any = text("rowid")
        found = list(
            connection.execute(
                select(text("rowid AS number"), table).where(text("rowid > :since")).order_by(number).limit(most),
                {"since": int(since)},
            )
        )
        return found, float(found[-1].number) if found else since
    time = TIMES[table.name]
    # What was committed late has an earlier time.
    found = list(connection.execute(select(table).where(time > since - 2.0).order_by(time).limit(most)))
    return found, max(since, getattr(found[-1], time.name)) if found else since


def rows_of(connection: Connection, table: Table, ids: Collection[str]) -> list[Row[Any]]:
    """Rows by their primary keys."""
    (key,) = table.primary_key.columns
    return list(connection.execute(select(table).where(key.in_(ids)))) if ids else []
