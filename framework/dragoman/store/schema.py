"""The tables. `dragoman.store.migrations` makes them; a test holds the two together."""

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Float, Index, Integer, MetaData, String, Table, Text, text

from .redacted import Redacted

__all__ = [
    "actions",
    "adapter_states",
    "channels",
    "controls",
    "cooldowns",
    "data",
    "events",
    "limits",
    "manifests",
    "metadata",
    "partitions",
    "people",
    "processes",
    "reply_credentials",
    "runs",
    "said",
    "serving",
    "strays",
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
    Column("error", Redacted),
    Column("conversation", String(32)),  # where it happened: see `dragoman.store.lines`
    Column("position", BigInteger),  # its place among all events: a later one has a higher number
    Column("decision", Redacted),  # JSON: which handlers it was for, and why not others; see `dragoman.why`
    Column("parked_at", Float),
    Column("duplicates", Integer),  # how often it came again
    _due("events"),
    Index("events_parked", "parked_at", **_where("parked_at IS NOT NULL")),
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
    Column("state", String(16), nullable=False),  # queued, running, done, parked, skipped
    Column("failures", Integer, nullable=False, default=0),  # attempts that raised or timed out
    Column("losses", Integer, nullable=False, default=0),  # attempts whose worker died
    Column("owner", String(32)),  # the process that is running it
    Column("created_at", Float, nullable=False),
    Column("finished_at", Float),
    Column("due_at", Float),
    Column("publishes", Integer, nullable=False, default=0),
    Column("error", Redacted),
    Column("line", String(128)),  # runs of one line run one after another, in the order of their positions
    Column("position", BigInteger),
    Column("traceback", Redacted),  # of the last attempt that failed
    Column("versions", Text),  # JSON: what ran it, such as {"dragoman": "0.1.0", "python": "3.11.7"}
    Column("replayed_at", Float),  # when an operator has put it back
    Column("earlier", Integer),  # attempts before that, and those that were handed back at a stop
    Column("homeless_since", Float),  # since when workers pass it on because they do not have its handler
    _due("runs"),
    Index("runs_owner", "owner", **_where("owner IS NOT NULL")),
    Index("runs_line", "line", "position", **_where("line IS NOT NULL AND finished_at IS NULL")),
    Index("runs_parked", "finished_at", **_where("state = 'parked'")),
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
    Column("error", Redacted),
    Column("forgotten_at", Float),  # since then its body says where it was said, and not what
    Column("parked_at", Float),
    Column("line", String(128)),  # of its run, if that has one
    Index("actions_run", "run", "ordinal"),
    Index("actions_line", "line", **_where("line IS NOT NULL AND due_at IS NOT NULL")),
    Index("actions_done", "created_at", **_where("due_at IS NULL AND forgotten_at IS NULL")),
    Index("actions_forgotten", "created_at", **_where("forgotten_at IS NOT NULL")),
    Index("actions_parked", "parked_at", **_where("parked_at IS NOT NULL")),
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
    Column("publisher", String(16)),  # bot (`dragoman run`) or worker; see `dragoman.store.catalogue`
    Column("changed_at", Float),
)

#: Which process serves which skill, and the manifest of the version that it has.
serving: Final = Table(
    "serving",
    metadata,
    Column("skill", String(64), primary_key=True),
    Column("process", String(32), primary_key=True),
    Column("digest", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("alone", Integer, nullable=False),  # 1: of a worker that was not started by `dragoman run`
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

#: Messages that no part could read or that were for nobody: taken from the queue of dead letters.
strays: Final = Table(
    "strays",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("queue", String(256), nullable=False),
    Column("reason", Redacted, nullable=False),
    Column("letter", Redacted, nullable=False),  # JSON; see `dragoman.exchange.message.dead_letter`
    Column("parked_at", Float, nullable=False),
    Column("due_at", Float),  # when it is to be published again
    Index("strays_old", "parked_at"),
)

#: What an operator (or the circuit breaker) has said of a skill. No row: it runs, as its settings say.
controls: Final = Table(
    "controls",
    metadata,
    Column("skill", String(64), primary_key=True),
    Column("state", String(16), nullable=False),  # running, paused, draining
    Column("concurrency", Integer),  # runs at once in each worker
    Column("reason", Redacted, nullable=False),
    Column("until", Float),  # of a pause that the circuit breaker made: when one run is tried
    Column("length", Float),  # of such a pause, in seconds: the next one is twice as long
    Column("trial", String(32)),  # the process that may try one run
    Column("changed_at", Float, nullable=False),
)

#: Which gateway says what is to be said in a part of an account's conversations.
partitions: Final = Table(
    "partitions",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("owner", String(32)),
    Column("token", BigInteger, nullable=False),  # goes up with each change of the owner
    Column("until", Float, nullable=False),
    Column("heir", String(32)),  # who has asked for it
)

#: Until when a platform wants to be left alone, by all gateways of an account.
limits: Final = Table(
    "limits",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("bucket", String(256), primary_key=True),
    Column("until", Float, nullable=False),
)
