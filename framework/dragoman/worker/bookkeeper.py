"""The worker's side of the ledger: claims runs, writes their ends, sends what they said.

Everything is asked of a `Batcher`, so what happens at the same time shares a commit. Nothing is given up
while the store is away: it is asked again until it is there.
"""

import json
import logging
import platform
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from importlib.metadata import version
from typing import Any, Final

from .. import wire
from ..action import Action
from ..apology import apology
from ..exchange.publisher import AsyncPublisher
from ..exchange.topology import Priority
from ..messages import action_message, task_message
from ..redaction import redact
from ..retrying import came_at, next_attempt
from ..skill import Skill
from ..store.batch import Batcher
from ..store.homeless import Homeless, PassedOn, pass_on
from ..store.ledger import Claim, Failure, Finish, claim_runs, fail_runs, finish_runs
from ..store.lines import next_in_line
from ..store.sweep import DueRun, runs_to_publish
from ..sweeper import due_task
from ..task import Task
from .process import WorkerProcess

__all__ = ["Bookkeeper"]

log = logging.getLogger(__name__)

#: Seconds before the store is asked again.
PATIENCE: Final = 1.0
#: Characters of a traceback that are kept, from its beginning and from its end.
KEPT: Final = (4_000, 16_000)


class Bookkeeper:
    """One for each worker, in the parent process.

    Args:
        call_soon: of the worker's event loop, if it has one: what one turn of it asks for is one commit.
    """

    def __init__(self, process: WorkerProcess, call_soon: Callable[..., object] | None = None) -> None:
        self._process = process
        self._batcher = Batcher(process.engine, call_soon=call_soon, committed=process.metrics.committed)
        self._publisher = AsyncPublisher(process.broker, "worker")
        self._publisher.start()
        self._closed = threading.Event()

    def claim(self, run: str, then: Callable[[Claim], None]) -> None:
        """Ask for a run; ``then`` is called in the thread that commits."""
        self._ask(claim_runs, (run, self._process.owner.id), then)

    def pass_on(self, run: Homeless, then: Callable[[PassedOn], None]) -> None:
        """A run whose handler is not here goes to another worker, later."""
        self._ask(pass_on, run, then)

    def finish(
        self, run: str, attempt: int, bodies: Sequence[bytes], then: Callable[[], None], *, lined: bool = False
    ) -> None:
        """A run ended well: write it and what it said, then publish that.

        Args:
            lined: others of its conversation may wait for its end.
        """
        actions = tuple(wire.decode_action(body) for body in bodies)

        def written(fresh: frozenset[str] | None) -> None:
            if fresh is None:
                log.warning("run %s ended here after it was given to another worker; its result is dropped", run)
            else:
                self._publish([action for action in actions if action.key in fresh], run if lined else "")
            then()

        self._ask(finish_runs, Finish(run, self._process.owner.id, actions, attempt == 1, lined), written)

    def fail(
        self,
        run: str,
        payload: Any,
        failures: int,
        error: str,
        then: Callable[[], None],
        *,
        final: bool = False,
        begun: bool = True,
        trace: str = "",
        since: float | None = None,
    ) -> None:
        """A run ended badly: try it again after a while, or park it and tell the person.

        Args:
            payload: the task as it came, perhaps unreadable.
            failures: how often it failed before.
            final: do not try it again, whatever the skill's policy says.
            begun: whether there was an attempt; if not, there is no other one either.
            trace: the traceback.
            since: when an operator has put it back, if one has.
        """
        try:
            task = Task.model_validate(payload)
        except ValueError:
            task, final = None, True
        skill = self._process.skills.get(task.skill) if task else None
        retry_at = None
        if begun and not final and task is not None and skill is not None:
            retry_at = next_attempt(skill, failures, since or came_at(task), time.time())
        again = retry_at is not None
        answer = None if again or task is None else apology(task)
        failure = Failure(
            run, self._process.owner.id, error, retry_at, answer, shortened(redact(trace)), versions_of(skill), begun
        )

        def written(fresh: frozenset[str] | None) -> None:
            if fresh is not None:
                self._process.metrics.count_run(task.skill if task else "unreadable", "retried" if again else "parked")
                if not again:
                    self._process.metrics.count_dead("run")
                    log.error(
                        "run %s of %s is parked (reference %s): %s; see `dragoman dead show %s`",
                        run,
                        task.skill if task else "a task that cannot be read",
                        run[:8].upper(),
                        error,
                        run[:8].upper(),
                    )
                lined = retry_at is None and skill is not None and skill.order is not None
                self._publish([answer] if fresh and answer is not None else [], run if lined else "")
            then()

        self._ask(fail_runs, failure, written)

    def close(self) -> None:
        """Write what was asked, then publish what that gave."""
        self._batcher.close()
        self._closed.set()
        self._publisher.close()

    def _publish(self, actions: Sequence[Action], ended: str = "") -> None:
        """Publish what was said, and then the run that waited for the end of this one."""
        # What cannot be published is in the ledger: the sweeper does it later.
        futures = [self._publisher.submit(action_message(self._process.topology, action)) for action in actions]
        if not ended:
            return
        if not futures:
            self._next(ended)
            return

        def published(_: "Future[None]") -> None:
            # What the next one says must be behind what this one has said. If that is left to the sweeper, so is it.
            if all(future.done() and future.exception() is None for future in futures):
                self._next(ended)

        futures[-1].add_done_callback(published)

    def _next(self, ended: str) -> None:
        def found(run: str | None) -> None:
            if run is not None:
                self._ask(runs_to_publish, run, publish)

        def publish(due: DueRun | None) -> None:
            if due is not None:
                task = task_message(self._process.topology, due_task(due), Priority(due.priority))
                self._publisher.submit(task)

        if not self._closed.is_set():
            self._ask(next_in_line, ended, found)

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


def shortened(trace: str) -> str:
    """A traceback without its middle, if it is very long."""
    first, last = KEPT
    if len(trace) <= first + last:
        return trace
    return f"{trace[:first]}\n[{len(trace) - first - last} characters left out]\n{trace[-last:]}"


def versions_of(skill: Skill | None) -> str:
    """What runs here, as JSON: ``{"dragoman": "0.1.0", "python": "3.11.7", "skill": "acme-weather 2.0"}``."""
    found = {"dragoman": version("dragoman"), "python": platform.python_version()}
    if skill is not None and skill.origin:
        found["skill"] = skill.origin
    return json.dumps(found)
