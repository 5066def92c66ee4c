"""The sweeper: publishes again what is not done in time, so that whatever a broker loses costs time, not messages.

It runs beside the router. Two rules keep it from adding to a load: a queue that still has messages in it
is behind, not losing, so nothing is published to it a second time; and each further look comes later.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Engine

from . import wire
from .action import Action
from .apology import apology
from .blobs import Blobs
from .errors import BrokerError, WireError
from .exchange.broker import Broker
from .exchange.message import Outgoing
from .exchange.publisher import Publisher
from .exchange.topology import Priority, Topology
from .messages import action_message, event_message, task_message
from .metrics import Metrics
from .store.ledger import postpone_actions
from .store.processes import Process, beat
from .store.sweep import (
    MOST_LOSSES,
    Due,
    DueRun,
    forget_actions,
    forget_expired,
    forget_old,
    give_back_lost,
    give_back_unpublished,
    take_due_actions,
    take_due_events,
    take_due_runs,
)
from .task import Task

__all__ = ["Sweeper", "beating", "due_task"]

log = logging.getLogger(__name__)

Item = TypeVar("Item")

#: Seconds between two looks; each is a few indexed queries.
EVERY = 1.0
#: Seconds after which a look is stuck: longer than a database is waited for.
STUCK = 120.0
#: Seconds between two deletions of what is old.
HOUR = 3600.0
#: Transactions that forget actions between two looks: what is due must not wait for them.
FORGETS = 10


class Sweeper:
    """Looks after the ledger in a thread of its own; several may run, in any processes.

    Args:
        retention: days that finished events, runs and actions are kept.
        handles: days that what the bot said can be changed by its handle.
        files: where files are kept, and for how many days that nobody opens them.
        dead: days that dead letters are kept.
    """

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        topology: Topology,
        *,
        retention: float,
        handles: float,
        files: tuple[Blobs, float] | None = None,
        dead: float = 90.0,
        clock: Callable[[], float] = time.time,
        metrics: Metrics | None = None,
    ) -> None:
        self._engine = engine
        self._broker = broker
        self._topology = topology
        self._retention = retention
        self._handles = handles
        self._files = files
        self._dead = dead
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._forgot_at = 0.0
        self._forgetting = False
        self._looked_at = time.monotonic()
        self._publisher = Publisher(broker, "sweeper")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="dragoman-sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self.close()

    def standing(self) -> str:
        """What is wrong if it has ended or has not looked for long; empty if it moves."""
        late = time.monotonic() - self._looked_at
        if not self._thread.is_alive():
            return "nobody looks after what is late any more"
        return f"the sweeper has not looked for {late:.0f} s" if late > STUCK else ""

    def close(self) -> None:
        """Close its connection; for one that was never started."""
        self._publisher.close()

    def _work(self) -> None:
        while not self._stopping.wait(EVERY):
            self._looked_at = time.monotonic()
            try:
                self.sweep()
            except BrokerError as error:
                log.warning("the sweeper waits for the broker: %s", error)
            except Exception:
                log.exception("the sweeper failed and goes on")

    def sweep(self) -> int:
        """Look once; how many messages were published."""
        with self._engine.begin() as connection:
            again, parked = give_back_lost(connection)
            answers = [answer for run in parked if (answer := self._apology(run)) is not None]
            postpone_actions(connection, answers)
        if again:
            log.warning("%d runs were given back because their worker died", len(again))
        for _ in parked:
            self._metrics.count_dead("run")
        for lost in parked:
            log.error(
                "run %s of %s is parked (reference %s): its workers died %d times while they ran it",
                lost.id,
                lost.skill,
                lost.id[:8].upper(),
                MOST_LOSSES,
            )
        with self._engine.begin() as connection:
            events = take_due_events(connection)
            runs = take_due_runs(connection)
            actions = take_due_actions(connection)
        published = [action_message(self._topology, answer) for answer in answers]
        try:
            published += self._choose(events, runs, actions)
            failed = [error for error in self._publisher.publish(published) if error is not None] if published else []
            if failed and len(failed) == len(published):
                self._broker.depth(self._topology.router_queue().name)  # is it away?
        except BrokerError:
            # What is late because the broker is away must not be looked at later and later, nor out of order.
            with self._engine.begin() as connection:
                give_back_unpublished(connection, events, runs, actions)
            raise
        for kind, exchange in (
            ("event", self._topology.events),
            ("run", self._topology.skills),
            ("action", self._topology.actions),
        ):
            self._metrics.count_republished(kind, sum(message.exchange is exchange for message in published))
        if failed:
            log.warning("%d of %d messages could not be published again: %s", len(failed), len(published), failed[0])
        self._forget()
        return len(published)

    def _choose(self, events: Sequence[Due], runs: Sequence[DueRun], actions: Sequence[Due]) -> list[Outgoing]:
        """What to publish of what is due. Raises `BrokerError`: it cannot be asked how far it is behind."""
        batch: list[Outgoing] = []
        behind = any(event.again for event in events) and self._behind(self._topology.router_queue().name)
        late = [event for event in events if not (event.again and behind)]
        batch += self._messages(late, lambda due: event_message(self._topology, wire.decode_event(due.body)))
        busy = self._busy(self._topology.skill_queue(r.skill).name for r in runs if r.again)
        for run in runs:
            if not (run.again and self._topology.skill_queue(run.skill).name in busy):
                batch += self._messages([run], self._task)
        found = [(due, message) for due in actions for message in self._messages([due], self._action)]
        busy = self._busy(message.queues[0].name for due, message in found if due.again)
        return batch + [message for due, message in found if not (due.again and message.queues[0].name in busy)]

    def _forget(self) -> None:
        """Every hour; actions a few at a time, as there may be very many."""
        now = self._clock()
        before, handles_before = now - self._retention * 86400, now - self._handles * 86400
        dead_before = now - self._dead * 86400
        if now - self._forgot_at > HOUR:
            self._forgot_at = now
            self._forgetting = True
            with self._engine.begin() as connection:
                forget_old(connection, before, dead_before)
                forget_expired(connection, now)
            if self._files is not None:
                blobs, days = self._files
                blobs.forget(now - days * 86400)
        for _ in range(FORGETS):
            if not self._forgetting:
                break
            with self._engine.begin() as connection:
                self._forgetting = forget_actions(connection, before, handles_before, dead_before=dead_before) > 0

    def _apology(self, due: DueRun) -> Action | None:
        try:
            return apology(due_task(due))
        except WireError as error:
            log.error("nobody can be told of run %s, whose event cannot be read: %s", due.id, error)
            return None

    def _task(self, due: DueRun) -> Outgoing:
        return task_message(self._topology, due_task(due), Priority(due.priority))

    def _action(self, due: Due) -> Outgoing:
        return action_message(self._topology, wire.decode_action(due.body).model_copy(update={"again": True}))

    def _messages(self, items: Sequence[Item], make: Callable[[Item], Outgoing]) -> list[Outgoing]:
        found = []
        for item in items:
            try:
                found.append(make(item))
            except WireError as error:
                log.error("the ledger holds what cannot be read: %s: %s", item, error)
        return found

    def _busy(self, queues: Iterable[str]) -> set[str]:
        return {queue for queue in set(queues) if self._behind(queue)}

    def _behind(self, queue: str) -> bool:
        return self._broker.depth(queue) > 0


def due_task(due: DueRun) -> Task:
    """The task of a run that the ledger has. Raises `WireError` if its event cannot be read."""
    event = wire.decode_event(due.event)
    return Task(
        run=due.id,
        skill=due.skill,
        handler=due.handler,
        event=event,
        arguments=due.arguments,
        asked=due.priority == Priority.COMMAND,
        hops=event.hops,
    )


def beating(
    engine: Engine,
    process: Process,
    stopping: threading.Event,
    every: float,
    also: Callable[[Connection], object] | None = None,
) -> threading.Thread:
    """A thread that says that this process is alive, until ``stopping`` is set.

    Args:
        also: what else is to be said, with the first beat and then with each tenth.
    """

    def work() -> None:
        beats = 0
        while True:
            try:
                with engine.begin() as connection:
                    beat(connection, process)
                if also is not None and beats % 10 == 0:
                    with engine.begin() as connection:
                        also(connection)
                beats += 1
            except Exception as error:
                log.warning("cannot say that this process is alive: %s", error)
            if stopping.wait(every):
                return

    thread = threading.Thread(target=work, name="dragoman-heart", daemon=True)
    thread.start()
    return thread
