"""The router: consumes events, matches and verifies them against the catalogue, enqueues skills' tasks."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from . import tracing, wire
from .access import Access
from .blobs import Blobs
from .controls import Controls
from .errors import WireError
from .event import Event
from .exchange.broker import Broker
from .exchange.consumer import Consumer
from .exchange.message import Delivery, Outgoing
from .exchange.publisher import Publisher
from .exchange.topology import Priority, Topology
from .manifest import SkillManifest
from .match import Routes
from .messages import action_message, task_message
from .metrics import Metrics
from .routing import Decided, Routing
from .store.catalogue import Reader
from .store.dead import dead_id
from .store.ledger import Routed, park_events, route_events
from .sweeper import Sweeper

__all__ = ["Router"]

log = logging.getLogger(__name__)

#: Seconds between two looks at the catalogue's digests.
LOOK: Final = 1.0
#: Seconds to wait while the store cannot be written.
PATIENCE: Final = 1.0
#: Events taken at once: one commit and one round of confirms for all of them.
PREFETCH: Final = 200


class Router:
    """Consumes in a thread of its own; several may run, in any processes.

    Args:
        prefixes: what makes a message a command without the bot's name in front.
        retention: days that the ledger keeps what is done.
        handles: days that it knows where the bot said something.
        files: where files are kept, and for how many days.
        dead: days that dead letters are kept.
        access: who may do what.
        timezone: of people who have not said theirs.
        filter: the plugins' event filters.
    """

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        topology: Topology,
        *,
        prefixes: Sequence[str],
        retention: float,
        handles: float,
        files: tuple[Blobs, float] | None = None,
        dead: float = 90.0,
        access: Access | None = None,
        timezone: str = "UTC",
        filter: Callable[[Event], Event | None] = lambda event: event,
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self._topology = topology
        self._prefixes = prefixes
        self._access = access or Access()
        self._timezone = timezone
        self._metrics = metrics or Metrics()
        self._reader = Reader(engine)
        self._controls = Controls(engine)
        self._routes = self._compiled(())
        self._routing = Routing(engine, filter=filter)
        self._publisher = Publisher(broker, "router")
        self._consumer = Consumer(
            broker, "router", [topology.router_queue()], self.handle, prefetch=PREFETCH, on_park=self._parked
        )
        self._sweeper = Sweeper(
            engine,
            broker,
            topology,
            retention=retention,
            handles=handles,
            files=files,
            dead=dead,
            metrics=self._metrics,
        )
        self._stopping = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="dragoman-catalogue", daemon=True)
        self.unknown_kinds: dict[str, int] = {}

    def start(self) -> None:
        self._look()
        self._follower.start()
        self._consumer.start()
        self._sweeper.start()

    def stop(self) -> None:
        """Finish what is in hand, hand back the rest."""
        self._stopping.set()
        self._sweeper.stop()
        self._consumer.stop()
        self._follower.join()
        self._publisher.close()

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._consumer.connected

    def standing(self) -> str:
        """Which of its threads has ended or stands still; empty if none does."""
        if not self._consumer.running:
            return "nobody takes events any more"
        return self._sweeper.standing()

    @property
    def skills(self) -> list[str]:
        """The names of the skills that are routed to now."""
        return [manifest.name for manifest in self._routes.manifests]

    def _follow(self) -> None:
        while not self._stopping.wait(LOOK):
            try:
                self._look()
            except SQLAlchemyError as error:
                log.warning("the catalogue cannot be read, the last one stays in use: %s", error)
            except Exception:
                log.exception("the catalogue cannot be used, the last one stays in use")

    def _look(self) -> None:
        if self._controls.refresh():
            self._routing.draining = self._controls.draining
        if self._reader.refresh():
            routes = self._compiled(self._reader.manifests)
            for problem in routes.problems:
                log.error("catalogue: %s", problem)
            self._routes = routes
            log.info("routing to %s", ", ".join(self.skills) or "no skills yet")

    def _compiled(self, manifests: Sequence[SkillManifest]) -> Routes:
        return Routes(manifests, self._prefixes, self._access, self._timezone)

    def handle(self, batch: Sequence[Delivery]) -> None:
        """Route a batch: one commit, one round of confirms."""
        read = [(delivery, event) for delivery in batch if (event := self._read(delivery)) is not None]
        if not tracing.active():
            self._route(read)
            return
        with tracing.Steps() as steps:
            traced = []
            for delivery, event in read:
                step = steps.begin("route", event.traceparent, account=event.address.account, kind=event.kind)
                traced.append((delivery, event.model_copy(update={"traceparent": step.traceparent})))
            self._route(traced)

    def _route(self, read: Sequence[tuple[Delivery, Event]]) -> None:
        try:
            events = self._routing.complete([event for _, event in read])
        except SQLAlchemyError as error:
            log.error("the store cannot be read, so nothing is routed until it can: %s", error)
            self._stopping.wait(PATIENCE)
            for delivery, _ in read:
                delivery.requeue()
            return
        decided: list[Decided] = []
        taken: list[Delivery] = []
        for (delivery, _), event in zip(read, events, strict=True):
            try:
                decided.append(self._routing.decide(self._routes, event))
                taken.append(delivery)
            except Exception as error:
                log.exception("event %s cannot be routed", event.key)
                self._set_aside(delivery, event, f"the router failed: {error!r}")
        try:
            written = self._write(decided, [])
        except SQLAlchemyError as error:
            # Not the store but something in the batch: the others go on without it.
            if len(decided) == 1:
                self._set_aside(taken[0], decided[0].event, f"the ledger cannot hold what is to be done: {error}")
                return
            for delivery in taken:
                self.handle([delivery])
            return
        if written is None:
            for delivery in taken:
                delivery.requeue()
            return
        self._count(written[0])
        self._publish(*written)
        for delivery in taken:
            delivery.ack()

    def _set_aside(self, delivery: Delivery, event: Event, reason: str) -> None:
        """A dead letter in the ledger; of what is not there, as another program's may not be, in the broker's queue."""
        try:
            with self._engine.begin() as connection:
                (known,) = park_events(connection, [(event.key, reason)])
        except OperationalError as error:
            log.error("event %s cannot be parked until the store can be written: %s", event.key, error)
            self._stopping.wait(PATIENCE)
            delivery.requeue()
            return
        except SQLAlchemyError:
            known = False
        self._metrics.count_routed(event, "parked")
        if not known:
            delivery.park(reason.partition("(")[0])  # what an error says may be a secret
            return
        self._metrics.count_dead("event")
        log.error("event %s is parked (reference %s): %s", event.key, dead_id(event.key)[:8].upper(), reason)
        delivery.ack()

    def _read(self, delivery: Delivery) -> Event | None:
        try:
            return wire.decode_event(delivery.body)
        except wire.UnknownKind as error:
            self.unknown_kinds[error.kind] = self.unknown_kinds.get(error.kind, 0) + 1
            if self.unknown_kinds[error.kind] == 1:
                log.warning("events of kind %r are skipped: %s", error.kind, error)
            self._skip(delivery, error)
        except WireError as error:
            delivery.park(str(error))
        return None

    def _skip(self, delivery: Delivery, error: wire.UnknownKind) -> None:
        """The sweeper need not look after it any more."""
        key = json.loads(delivery.body).get("key")
        if self._write([], [(str(key), f"skipped: {error}")]) is None:
            delivery.requeue()
        else:
            delivery.ack()

    def _write(
        self, decided: list[Decided], broken: list[tuple[str, str]]
    ) -> tuple[list[Routed], list[frozenset[str]]] | None:
        """What was written, and which of it is to be published; ``None`` if nothing can be written now."""
        if not decided and not broken:
            return [], []
        try:
            with self._engine.begin() as connection:
                if broken:
                    park_events(connection, broken)
                routed = self._routing.settle(connection, decided)
                return routed, route_events(connection, routed) if routed else []
        except OperationalError as error:
            log.error("the store cannot be written, so nothing is routed until it can: %s", error)
            self._stopping.wait(PATIENCE)
            return None

    def _parked(self) -> None:
        self._metrics.count_dead("message")

    def _count(self, routed: list[Routed]) -> None:
        for item in routed:
            outcome = "routed" if item.tasks else "answered" if item.answers else "unmatched"
            self._metrics.count_routed(item.event, outcome)

    def _publish(self, routed: list[Routed], due: list[frozenset[str]]) -> None:
        messages: list[Outgoing] = []
        for item, names in zip(routed, due, strict=True):
            messages += [task_message(self._topology, t, Priority(p)) for t, p in item.tasks if t.run in names]
            messages += [action_message(self._topology, a) for a in item.answers if a.key in names]
        if not messages:
            return
        failed = [error for error in self._publisher.publish(messages) if error is not None]
        if failed:
            # They are in the ledger: the sweeper publishes them when the broker takes them.
            log.warning("%d of %d messages wait in the ledger: %s", len(failed), len(messages), failed[0])
