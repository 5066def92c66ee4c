"""The router: consumes events, matches and verifies them against the catalogue, enqueues skills' tasks."""

import json
import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from . import wire
from .action import Action, Send, action_key
from .content import Content
from .errors import WireError
from .event import Event
from .exchange.broker import Broker
from .exchange.consumer import Consumer
from .exchange.message import Delivery, Outgoing
from .exchange.publisher import Publisher
from .exchange.topology import Priority, Topology
from .match import Matched, Routes
from .messages import action_message, task_message
from .store.catalogue import Reader
from .store.ledger import Routed, park_events, route_events
from .sweeper import Sweeper
from .task import Task, run_id

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
    """

    def __init__(
        self, engine: Engine, broker: Broker, topology: Topology, *, prefixes: Sequence[str], retention: float
    ) -> None:
        self._engine = engine
        self._topology = topology
        self._prefixes = prefixes
        self._reader = Reader(engine)
        self._routes = Routes((), prefixes)
        self._publisher = Publisher(broker, "router")
        self._consumer = Consumer(broker, "router", [topology.router_queue()], self.handle, prefetch=PREFETCH)
        self._sweeper = Sweeper(engine, broker, topology, retention=retention)
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
        if self._reader.refresh():
            routes = Routes(self._reader.manifests, self._prefixes)
            for problem in routes.problems:
                log.error("catalogue: %s", problem)
            self._routes = routes
            log.info("routing to %s", ", ".join(self.skills) or "no skills yet")

    def handle(self, batch: Sequence[Delivery]) -> None:
        """Route a batch: one commit, one round of confirms."""
        routed: list[Routed] = []
        taken: list[Delivery] = []
        broken: list[tuple[str, str]] = []
        for delivery in batch:
            event = self._read(delivery)
            if event is None:
                continue
            try:
                routed.append(self._routed(event, self._routes.match(event)))
                taken.append(delivery)
            except Exception as error:
                log.exception("event %s cannot be routed", event.key)
                broken.append((event.key, repr(error)))
                delivery.park(f"the router failed: {type(error).__name__}")
        try:
            due = self._write(routed, broken)
        except SQLAlchemyError as error:
            # Not the store but something in the batch: the others go on without it.
            if len(routed) == 1:
                log.error("event %s cannot be written: %s", routed[0].event.key, error)
                taken[0].park(f"the ledger cannot hold it: {type(error).__name__}")
                return
            for delivery in taken:
                self.handle([delivery])
            return
        if due is None:
            for delivery in taken:
                delivery.requeue()
            return
        self._publish(routed, due)
        for delivery in taken:
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

    def _routed(self, event: Event, matched: Matched) -> Routed:
        tasks = tuple(
            (
                Task(
                    run=run_id(event.key, match.skill, match.handler),
                    skill=match.skill,
                    handler=match.handler,
                    event=event,
                    arguments=match.arguments,
                    asked=match.priority == Priority.COMMAND,
                    hops=event.hops,
                ),
                int(match.priority),
            )
            for match in matched.matches
        )
        answers: tuple[Action, ...] = ()
        if matched.answer is not None:
            answers = (
                Send(
                    key=action_key(event.key, "router", 0),
                    address=event.address,
                    content=Content(text=matched.answer),
                    traceparent=event.traceparent,
                    hops=(*event.hops, ("router", time.time())),
                ),
            )
        return Routed(event, tasks, answers)

    def _write(self, routed: list[Routed], broken: list[tuple[str, str]]) -> list[frozenset[str]] | None:
        if not routed and not broken:
            return []
        try:
            with self._engine.begin() as connection:
                if broken:
                    park_events(connection, broken)
                return route_events(connection, routed) if routed else []
        except OperationalError as error:
            log.error("the store cannot be written, so nothing is routed until it can: %s", error)
            self._stopping.wait(PATIENCE)
            return None

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
