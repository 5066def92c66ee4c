"""Many callers, one commit.

Whatever is asked while a transaction runs goes into the next one. Alone, a caller waits for one short
commit; under load, one commit serves hundreds. There is no timer and no polling.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from ..errors import DragomanError

__all__ = ["Batcher"]

Item = TypeVar("Item")
Answer = TypeVar("Answer")
#: A function of `dragoman.store.ledger`: items in, an answer for each out.
Operation = Callable[[Connection, Sequence[Item]], Sequence[Answer]]
Job = tuple[Callable[..., Any], Any, "Future[Any]"]

#: At most so many items in one transaction, so that nobody else waits long for the lock.
MOST = 500


class Batcher:
    """A thread that commits to the store for everybody in this process."""

    def __init__(self, engine: Engine, name: str = "ledger") -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f"dragoman-{name}", daemon=True)
        self._thread.start()

    def submit(self, operation: "Operation[Item, Answer]", item: Item) -> "Future[Answer]":
        """Ask; the future ends when it is committed, or with the error that kept it from being."""
        future: Future[Answer] = Future()
        if self._closed:
            future.set_exception(DragomanError("the ledger is closed: this process is stopping"))
        else:
            self._jobs.put((operation, item, future))
        return future

    def close(self) -> None:
        """Commit what was asked, then stop."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()

    def _work(self) -> None:
        going = True
        while going:
            jobs: list[Job] = []
            job = self._jobs.get()
            while True:
                if job is None:
                    going = False
                    break
                jobs.append(job)
                if len(jobs) >= MOST:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            self._commit(jobs)

    def _commit(self, jobs: list[Job]) -> None:
        groups: dict[Callable[..., Any], list[Job]] = {}
        for job in jobs:
            groups.setdefault(job[0], []).append(job)
        try:
            with self._engine.begin() as connection:
                answers = [(group, self._answers(connection, group)) for group in groups.values()]
        except Exception as error:
            self._one_by_one(jobs, error)
            return
        for group, found in answers:
            for (_, _, future), answer in zip(group, found, strict=True):
                future.set_result(answer)

    def _answers(self, connection: Connection, group: list[Job]) -> Sequence[Any]:
        found: Sequence[Any] = group[0][0](connection, [item for _, item, _ in group])
        return found

    def _one_by_one(self, jobs: list[Job], error: Exception) -> None:
        """One bad item must not fail its neighbours; a store that is away fails all of them the same way."""
        for job in jobs:
            if len(jobs) > 1:
                try:
                    with self._engine.begin() as connection:
                        (answer,) = self._answers(connection, [job])
                    job[2].set_result(answer)
                    continue
                except Exception as own:
                    error = own
            job[2].set_exception(error)
