"""What one worker process holds: made before it forks, opened where it is used.

The parent of a process pool claims and finishes runs; a child only runs handlers, and opens the store
and a publisher of its own when a handler lets something go early.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from ..action import Action
from ..environment import Environment, StoreServices
from ..errors import SkillError
from ..exchange.broker import Broker
from ..exchange.publisher import Publisher
from ..exchange.topology import Topology
from ..messages import action_message
from ..metrics import Metrics
from ..skill import Skill
from ..store.batch import Batcher
from ..store.engine import connect
from ..store.ledger import Finish, flush_runs
from ..store.processes import Process
from ..store.serving import serve
from ..task import Task

__all__ = ["WorkerProcess"]

log = logging.getLogger(__name__)

T = TypeVar("T")


class WorkerProcess:
    """The skills and the connections of a worker.

    Args:
        environment: what the settings say that handlers can see.
        owner: who the runs belong to: the parent, whose heart beats for all of its children.
        metrics: what the parent counts, for all of its children.
    """

    def __init__(
        self,
        skills: Mapping[str, Skill],
        store_url: str,
        broker: Broker,
        topology: Topology,
        owner: Process,
        environment: Environment,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        #: Called in the parent once it has its threads, with its consumer: whoever wants to watch it.
        self.begun: Callable[[Any], None] = lambda consumer: None
        #: Whether it was started by itself, not by ``dragoman run``.
        self.alone = True
        self.skills = skills
        self.broker = broker
        self.topology = topology
        self.owner = owner
        self.environment = environment
        self._store_url = store_url
        self._lock = threading.RLock()
        self._opened_by = 0
        self._engine: Engine | None = None
        self._batcher: Batcher | None = None
        self._publisher: Publisher | None = None
        self._services: StoreServices | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _here(self) -> None:
        """After a fork nothing of the parent's may be used: connections are not for sharing."""
        if self._opened_by != os.getpid():
            self._lock = threading.RLock()
            self._engine = self._batcher = self._publisher = self._services = self._loop = None
            self._opened_by = os.getpid()

    @property
    def engine(self) -> Engine:
        self._here()
        with self._lock:
            if self._engine is None:
                self._engine = connect(self._store_url)
            return self._engine

    @property
    def batcher(self) -> Batcher:
        self._here()
        with self._lock:
            if self._batcher is None:
                self._batcher = Batcher(self.engine)
            return self._batcher

    @property
    def services(self) -> StoreServices:
        """What stands behind the contexts of this process."""
        self._here()
        with self._lock:
            if self._services is None:
                self._services = StoreServices(self.engine, self.environment, self.leave, time.time)
            return self._services

    def serve(self, connection: Connection) -> None:
        """Say which versions of which skills run here."""
        found = [skill.manifest() for skill in self.skills.values()]
        for skill in serve(connection, self.owner, found, alone=self.alone):
            log.warning(
                "nobody has the version of %s any more that was published; this worker's is published again", skill
            )

    def leave(self, task: Task, actions: Sequence[Action]) -> None:
        """Let actions of a run that goes on leave now: into the ledger, then to the gateway.

        Raises:
            SkillError: the run was taken over by another worker, so this one must stop.
        """
        with self._lock:
            fresh = self.batcher.submit(flush_runs, Finish(task.run, self.owner.id, tuple(actions))).result()
            if fresh is None:
                raise SkillError(f"run {task.run} belongs to another worker now; this attempt stops")
            if self._publisher is None:
                self._publisher = Publisher(self.broker, "worker")
            # What cannot be published now is in the ledger: the sweeper does it later.
            self._publisher.publish([action_message(self.topology, a) for a in actions if a.key in fresh])

    def run_coroutine(self, coroutine: Coroutine[Any, Any, T], time_limit: float, ends_after: float) -> T:
        """Run it on this process's one event loop and wait for it.

        Raises:
            TimeoutError: it was cancelled at its time limit, or has not ended long after that.
        """
        self._here()
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="dragoman-loop", daemon=True).start()
            loop = self._loop
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, time_limit), loop)
        # A coroutine can swallow its cancellation; its run and its slot are not held for ever by that.
        return future.result(ends_after)

    def close(self) -> None:
        """Commit what was asked, then close what this process has opened."""
        self._here()
        with self._lock:
            if self._batcher is not None:
                self._batcher.close()
            if self._publisher is not None:
                self._publisher.close()
            if self._engine is not None:
                self._engine.dispose()
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._opened_by = 0
