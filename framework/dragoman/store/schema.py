"""The tables. `dragoman.store.migrations` makes them; a test holds the two together."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text, text

__all__ = [
    "actions",
    "adapter_states",
    "channels",
    "cooldowns",
    "data",
    "events",
    "manifests",
    "metadata",
    "people",
    "processes",
    "reply_credentials",
    "runs",
    "said",
    "timers",
]

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
    Column("conversation", String(32)),  # where it happened: see `dragoman.store.lines`
    Column("position", BigInteger),  # its place among all events: a later one has a higher number
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
    Column("line", String(128)),  # runs of one line run one after another, in the order of their positions
    Column("position", BigInteger),
    _due("runs"),
    Index("runs_owner", "owner", **_where("owner IS NOT NULL")),
    Index("runs_line", "line", "position", **_where("line IS NOT NULL AND finished_at IS NULL")),
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
    Column("forgotten_at", Float),  # since then its body says where it was said, and not what
    Index("actions_run", "run", "ordinal"),
    Index("actions_done", "created_at", **_where("due_at IS NULL AND forgotten_at IS NULL")),
    Index("actions_forgotten", "created_at", **_where("forgotten_at IS NOT NULL")),
    _due("actions"),
)

#: Which action made a message of the bot's.
said: Final = Table(
    "said",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("channel", String(256), primary_key=True),
    Column("message", String(256), primary_key=True),
    Column("key", String(1024), nullable=False),
    Column("said_at", Float, nullable=False),
    Index("said_old", "said_at"),
)

#: What a platform wants to see with an answer to an event. Secrets: never in an event, a message or a log.
reply_credentials: Final = Table(
    "reply_credentials",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("event_key", String(512), primary_key=True),
    Column("body", Text, nullable=False),  # JSON
    Column("until", Float, nullable=False),
    Index("reply_credentials_until", "until"),
)

#: What adapters must still know after a restart, such as their place in a session.
adapter_states: Final = Table(
    "adapter_states",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("body", Text, nullable=False),  # JSON
    Column("saved_at", Float, nullable=False),
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

#: What skills keep; see `dragoman.data`. A scope is "" (the skill's own), ``c:...`` or ``p:...``.
data: Final = Table(
    "data",
    metadata,
    Column("skill", String(64), primary_key=True),
    Column("scope", String(512), primary_key=True),
    # By code points on both databases: what begins with a prefix is then one range of the primary key.
    Column("key", String(256).with_variant(String(256, collation="C"), "postgresql"), primary_key=True),
    Column("value", Text, nullable=False),  # JSON, in ASCII
    Column("version", BigInteger, nullable=False),  # another random number with each write
    Column("expires_at", Float),
    Index("data_expires", "expires_at", **_where("expires_at IS NOT NULL")),
)

#: The directory: what platforms have told of people, and when.
people: Final = Table(
    "people",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("tenant", String(256), primary_key=True),
    Column("id", String(256), primary_key=True),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON of a Person
    Column("fetched_at", Float, nullable=False),
)

#: The directory's channels; ``name`` is without ``#`` and in lower case, ``shown`` is as people write it.
channels: Final = Table(
    "channels",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("tenant", String(256), primary_key=True),
    Column("id", String(256), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("shown", Text, nullable=False),
    Column("fetched_at", Float, nullable=False),
    Index("channels_name", "account", "name"),
)

#: What is to happen at a time: ``ctx.later`` (once) and schedules (``cron``). ``body`` is the Scheduled event to emit.
timers: Final = Table(
    "timers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("skill", String(64), nullable=False),
    Column("handler", String(128), nullable=False),
    Column("cron", String(256)),
    Column("timezone", String(64)),
    Column("due_at", Float),
    Column("body", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    _due("timers"),
)

#: How often something was used of late: ``uses`` is JSON, [[event's key, unix seconds], ...], the eldest first.
cooldowns: Final = Table(
    "cooldowns",
    metadata,
    Column("bucket", String(300), primary_key=True),
    Column("uses", Text, nullable=False),
    Column("until", Float, nullable=False),  # the row may be deleted then
)
