"""What a process counts, for Prometheus. One `Metrics` in each process, made by whoever starts it and passed in.

Labels are skills, accounts, kinds and outcomes: never a person, a channel or anything that somebody has said. A label
of which there are too many values is counted as ``other``, so that no stranger can fill the memory of a process.

The names and the meaning of each metric are on the page docs/watch.md.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from .action import ActionBase
    from .event import EventBase, Hop

__all__ = ["CONTENT_TYPE", "Metrics"]

#: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

#: Seconds: an answer takes milliseconds, a slow skill minutes.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1500)
#: What shares one commit.
SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
#: Values of one label that are told apart.
MOST: Final = 200
OTHER: Final = "other"


class Metrics:
    """Counts; from any thread. Two of them in one process know nothing of each other."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._values: dict[str, set[str]] = {}
        self._events = self._counter("events", "Events that adapters gave.", "account", "kind", "outcome")
        self._routed = self._counter("routed_events", "Events that were looked at.", "account", "kind", "outcome")
        self._runs = self._counter("runs", "Attempts of runs by how they ended.", "skill", "outcome")
        self._run_seconds = self._histogram("run_seconds", "How long attempts took.", "skill")
        self._wait_seconds = self._histogram("queue_wait_seconds", "How long runs waited in their queue.", "skill")
        self._actions = self._counter("actions", "Actions that were tried.", "account", "kind", "outcome")
        self._answer_seconds = self._histogram("answer_seconds", "From the event to the answer.", "account")
        self._commit_items = self._histogram("ledger_batch_items", "What shared one commit.", buckets=SIZES)
        self._commit_seconds = self._histogram("ledger_commit_seconds", "How long a commit took.")
        self._store_errors = self._counter("store_errors", "What the database refused.", "error")
        self._dead = self._counter("dead_letters", "What was set aside for good.", "kind")
        self._republished = self._counter("republished", "What the sweeper published again.", "kind")
        self._broker = Gauge(
            "dragoman_broker_connected", "Whether the broker is connected: 1 or 0.", registry=self.registry
        )

    def count_event(self, event: "EventBase", outcome: str) -> None:
        """An adapter gave it: ``received``, ``duplicate``, ``spooled`` or ``refused``."""
        self._count(self._events, account=event.address.account, kind=event.kind, outcome=outcome)

    def count_routed(self, event: "EventBase", outcome: str) -> None:
        """The router looked at it: ``routed``, ``answered`` by itself, ``unmatched`` or ``parked``."""
        self._count(self._routed, account=event.address.account, kind=event.kind, outcome=outcome)

    def count_run(self, skill: str, outcome: str) -> None:
        """An attempt ended: ``done`` or ``failed``, and then ``retried`` or ``parked``; ``skipped``: not begun."""
        self._count(self._runs, skill=skill, outcome=outcome)

    def observe_run(self, skill: str, seconds: float) -> None:
        """How long an attempt took."""
        self._run_seconds.labels(self._bounded("skill", skill)).observe(seconds)

    def observe_wait(self, skill: str, seconds: float) -> None:
        """How long a run waited between its publication and its start."""
        self._wait_seconds.labels(self._bounded("skill", skill)).observe(max(seconds, 0.0))

    def count_action(self, action: "ActionBase", outcome: str) -> None:
        """The gateway tried it: ``sent``, ``refused`` for good, or ``postponed``."""
        self._count(self._actions, account=action.address.account, kind=action.kind, outcome=outcome)

    def observe_answer(self, account: str, hops: "tuple[Hop, ...]") -> None:
        """How long it took from the gateway that had the event to the one that sent the answer; other ways, not."""
        if len(hops) > 1 and hops[0][0] == "gateway":
            self._answer_seconds.labels(self._bounded("account", account)).observe(max(hops[-1][1] - hops[0][1], 0.0))

    def committed(self, items: int, seconds: float) -> None:
        """A batch was written to the ledger."""
        self._commit_items.observe(items)
        self._commit_seconds.observe(seconds)

    def store_error(self, error: str) -> None:
        """The database refused something, or is away: the name of the error's class."""
        self._count(self._store_errors, error=error)

    def count_dead(self, kind: str) -> None:
        """Something was parked: an ``event``, a ``run``, an ``action`` or a ``message``."""
        self._count(self._dead, kind=kind)

    def count_republished(self, kind: str, number: int = 1) -> None:
        """The sweeper published some ``event``, ``run`` or ``action`` again."""
        if number:
            self._republished.labels(kind).inc(number)

    def watch_broker(self, connected: Callable[[], bool]) -> None:
        """Whom to ask whether the broker is connected, each time that somebody looks."""
        self._broker.set_function(lambda: float(connected()))

    def value(self, name: str, **labels: str) -> float:
        """What is counted under a full name such as ``dragoman_runs_total``; 0 if nothing is."""
        return self.registry.get_sample_value(name, labels) or 0.0

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)

    def _count(self, counter: Counter, **labels: str) -> None:
        counter.labels(**{name: self._bounded(name, value) for name, value in labels.items()}).inc()

    def _bounded(self, label: str, value: str) -> str:
        known = self._values.setdefault(label, set())
        if value not in known:
            if len(known) >= MOST:
                return OTHER
            known.add(value)
        return value

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"dragoman_{name}", what, labels, registry=self.registry)

    def _histogram(self, name: str, what: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
        return Histogram(f"dragoman_{name}", what, labels, buckets=buckets, registry=self.registry)
