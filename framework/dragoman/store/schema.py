"""The tables. `dragoman.store.migrations` makes them; a test holds the two together."""

from typing import Any, Final

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text, text

__all__ = ["actions", "events", "manifests", "metadata", "processes", "runs"]

metadata: Final = MetaData()


def _where(condition: str) -> dict[str, Any]:
    """A partial index holds only what is asked for: each index is written with every row."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _due(table: str) -> Index:
    return Index(f"{table}_due", "due_at", **_where("due_at IS NOT NULL"))


# Times are unix seconds. ``due_at`` says when the sweeper should publish a row (again); NULL is never.
# ``publishes`` counts how often it has.

events: Final = Table(
    "events",
    metadata,
    Column("key", String(512), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # received, routed, parked
    Column("body", Text, nullable=False),
    Column("received_at", Float, nullable=False),
    Column("due_at", Float),
    Column("publishes", Integer, nullable=False, default=0),
    Column("error", Text),
    _due("events"),
)

runs: Final = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("event_key", String(512), nullable=False),
    Column("skill", String(64), nullable=False),
    Column("handler", String(128), nullable=False),
    Column("arguments", Text, nullable=False),  # JSON
    Column("priority", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # queued, running, done, parked
    Column("failures", Integer, nullable=False, default=0),  # attempts that raised or timed out
    Column("losses", Integer, nullable=False, default=0),  # attempts whose worker died
    Column("owner", String(32)),  # the process that is running it
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("due_at", Float),
    Column("publishes", Integer, nullable=False, default=0),
    Column("error", Text),
    _due("runs"),
    Index("runs_owner", "owner", **_where("owner IS NOT NULL")),
)

actions: Final = Table(
    "actions",
    metadata,
    Column("key", String(1024), primary_key=True),
    Column("run", String(32), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("account", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # pending, sent, parked
    Column("body", Text, nullable=False),
    Column("sent_ids", Text),  # JSON: the platform's message ids
    Column("created_at", Float, nullable=False),
    Column("sent_at", Float),
    Column("due_at", Float),
    Column("publishes", Integer, nullable=False, default=0),
    Column("error", Text),
    Index("actions_run", "run", "ordinal"),
    _due("actions"),
)

#: Who is alive: a run belongs to its owner only while the owner's heart beats.
processes: Final = Table(
    "processes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("role", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("beat_at", Float, nullable=False),
)

manifests: Final = Table(
    "manifests",
    metadata,
    Column("skill", String(64), primary_key=True),
    Column("digest", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("published_at", Float, nullable=False),
)
