"""The worker's side of the ledger: claims runs, writes their ends, sends what they said.

Everything is asked of a `Batcher`, so what happens at the same time shares a commit. Nothing is given up
while the store is away: it is asked again until it is there.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final

from .. import wire
from ..action import Action
from ..apology import apology
from ..exchange.publisher import AsyncPublisher
from ..messages import action_message
from ..store.batch import Batcher
from ..store.ledger import Claim, Failure, Finish, claim_runs, fail_runs, finish_runs
from ..task import Task
from .process import WorkerProcess

__all__ = ["Bookkeeper"]

log = logging.getLogger(__name__)

#: Seconds before the first retry; doubled for each further one.
BACK_OFF: Final = 1.0
#: Seconds before the store is asked again.
PATIENCE: Final = 1.0


class Bookkeeper:
    """One for each worker, in the parent process.

    Args:
        call_soon: of the worker's event loop, if it has one: what one turn of it asks for is one commit.
    """

    def __init__(self, process: WorkerProcess, call_soon: Callable[..., object] | None = None) -> None:
        self._process = process
        self._batcher = Batcher(process.engine, call_soon=call_soon)
        self._publisher = AsyncPublisher(process.broker, "worker")
        self._publisher.start()
        self._closed = threading.Event()

    def claim(self, run: str, then: Callable[[Claim], None]) -> None:
        """Ask for a run; ``then`` is called in the thread that commits."""
        self._ask(claim_runs, (run, self._process.owner.id), then)

    def finish(self, run: str, attempt: int, bodies: Sequence[bytes], then: Callable[[], None]) -> None:
        """A run ended well: write it and what it said, then publish that."""
        actions = tuple(wire.decode_action(body) for body in bodies)

        def written(fresh: frozenset[str] | None) -> None:
            if fresh is None:
                log.warning("run %s ended here after it was given to another worker; its result is dropped", run)
            else:
                self._publish([action for action in actions if action.key in fresh])
            then()

        self._ask(finish_runs, Finish(run, self._process.owner.id, actions, attempt == 1), written)

    def fail(
        self,
        run: str,
        payload: Any,
        failures: int,
        error: str,
        then: Callable[[], None],
        *,
        final: bool = False,
    ) -> None:
        """A run ended badly: try it again after a while, or park it and tell the person.

        Args:
            payload: the task as it came, perhaps unreadable.
            failures: how often it failed before.
            final: do not try it again, whatever the skill's policy says.
        """
        try:
            task = Task.model_validate(payload)
        except ValueError:
            task, final = None, True
        skill = self._process.skills.get(task.skill) if task else None
        again = not final and skill is not None and failures < skill.retries
        retry_at = time.time() + BACK_OFF * 2.0**failures if again else None
        answer = None if again or task is None else apology(task)

        def written(fresh: frozenset[str] | None) -> None:
            if fresh and answer is not None:
                self._publish([answer])
            then()

        self._ask(fail_runs, Failure(run, self._process.owner.id, error, retry_at, answer), written)

    def close(self) -> None:
        """Write what was asked, then publish what that gave."""
        self._batcher.close()
        self._closed.set()
        self._publisher.close()

    def _publish(self, actions: Sequence[Action]) -> None:
        for action in actions:
            # What cannot be published is in the ledger: the sweeper does it later.
            self._publisher.submit(action_message(self._process.topology, action))

    def _ask(self, operation: Any, item: Any, then: Callable[[Any], None]) -> None:
        def answered(future: "Future[Any]") -> None:
            error = future.exception()
            if error is None:
                then(future.result())
            elif not self._closed.is_set():
                log.error("the store cannot be written, trying again: %s", error)
                timer = threading.Timer(PATIENCE, self._ask, (operation, item, then))
                timer.daemon = True
                timer.start()

        self._batcher.submit(operation, item).add_done_callback(answered)
