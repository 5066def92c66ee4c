"""Running tasks in a test: what a worker and its bookkeeper do, in this thread and at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Engine

from ..action import Action
from ..environment import Environment, StoreServices, make_context
from ..event import Scheduled
from ..run import find_handler, run, run_async
from ..skill import Skill
from ..store.ledger import Failure, Finish, claim_runs, fail_runs, finish_runs, flush_runs
from ..store.schedules import write_schedules
from ..store.timers import next_due, take_due_timers
from ..task import Task

__all__ = ["Failed", "Runs"]

T = TypeVar("T")

#: Who the runs belong to.
OWNER = "test"


class Failed(NamedTuple):
    """An attempt that failed. ``retry_at`` is ``None`` after the last one."""

    error: BaseException
    retry_at: float | None


class Runs:
    """Claims runs, runs their handlers, writes their ends and performs what they said."""

    def __init__(
        self,
        engine: Engine,
        skills: Mapping[str, Skill],
        environment: Environment,
        perform: Callable[[Sequence[Action]], None],
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._skills = skills
        self._environment = environment
        self._perform = perform
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self.services = StoreServices(engine, environment, self._leave, clock)
        with engine.begin() as connection:
            write_schedules(connection, [skill.manifest() for skill in skills.values()], clock())

    def run(self, task: Task) -> Failed | None:
        """Run a task, unless it is done already."""
        with self._engine.begin() as connection:
            (claim,) = claim_runs(connection, [(task.run, OWNER)])
        if claim.attempt is None:
            return None
        task = task.model_copy(update={"attempt": claim.attempt})
        skill = self._skills[task.skill]
        try:
            handler = find_handler(skill, task)
            context = make_context(skill, task, self.services, self._environment, self._clock)

            def call() -> tuple[Action, ...]:
                if handler.coroutine:
                    return self._run_coroutine(run_async(handler, task, context))
                return _off_any_loop(lambda: run(handler, task, context))

            actions = self._environment.around(context, call)
        except Exception as error:
            again = claim.failures < skill.retries and isinstance(error, skill.retry_on)
            retry_at = self._clock() + 2.0**claim.failures if again else None
            with self._engine.begin() as connection:
                fail_runs(connection, [Failure(task.run, OWNER, repr(error), retry_at)])
            return Failed(error, retry_at)
        with self._engine.begin() as connection:
            (fresh,) = finish_runs(connection, [Finish(task.run, OWNER, actions, claim.attempt == 1)])
        self._perform([action for action in actions if fresh and action.key in fresh])
        return None

    def next_due(self, until: float) -> Scheduled | None:
        """The next thing that falls due until then, taken out of the timers."""
        with self._engine.begin() as connection:
            due = next_due(connection)
            if due is None or due > until:
                return None
            taken = take_due_timers(connection, due, most=1)
        return taken[0] if taken else None

    def close(self) -> None:
        """End the event loop of ``async def`` handlers."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)

    def _leave(self, task: Task, actions: Sequence[Action]) -> None:
        with self._engine.begin() as connection:
            (fresh,) = flush_runs(connection, [Finish(task.run, OWNER, tuple(actions))])
        self._perform([action for action in actions if fresh and action.key in fresh])

    def _run_coroutine(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._work, args=(self._loop,), name="dragoman-loop", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @staticmethod
    def _work(loop: asyncio.AbstractEventLoop) -> None:
        loop.run_forever()
        loop.close()


def _off_any_loop(call: Callable[[], T]) -> T:
    """``def`` handlers never run on an event loop, also if the test is an ``async def``."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()
