"""Many callers, one commit.

Whatever is asked while a transaction runs goes into the next one. Alone, a caller waits for one short
commit; under load, one commit serves hundreds. There is no timer and no polling.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

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
    """Commits to the store for everybody in this process, in a thread of its own.

    Args:
        call_soon: of an event loop, which then does the work instead of a thread: what is asked in one turn of
            the loop is committed at its end. May be called from any thread.
        committed: told of each commit how many items were in it, and how many seconds it took.
    """

    def __init__(
        self,
        engine: Engine,
        name: str = "ledger",
        *,
        call_soon: Callable[[Callable[[], None]], object] | None = None,
        committed: Callable[[int, float], None] | None = None,
    ) -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._call_soon = call_soon
        self._committed = committed
        self._called = False
        self._thread: threading.Thread | None = None
        if call_soon is None:
            self._thread = threading.Thread(target=self._work, name=f"dragoman-{name}", daemon=True)
            self._thread.start()

    def submit(self, operation: "Operation[Item, Answer]", item: Item) -> "Future[Answer]":
        """Ask; the future ends when it is committed, or with the error that kept it from being."""
        future: Future[Answer] = Future()
        with self._closing:  # nothing may be put behind the mark that ends the thread
            if self._closed:
                future.set_exception(DragomanError("the ledger is closed: this process is stopping"))
                return future
            self._jobs.put((operation, item, future))
        if self._call_soon is not None and not self._called:
            self._called = True
            self._call_soon(self._turn)
        return future

    def close(self) -> None:
        """Commit what was asked, then stop."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        if self._thread is None:
            self._turn()
        else:
            self._thread.join()

    def _turn(self) -> None:
        # First, so that whoever asks from now on calls for another turn.
        self._called = False
        while not self._jobs.empty():
            self._take()

    def _work(self) -> None:
        while self._take():
            pass

    def _take(self) -> bool:
        """Wait for a job, and commit it with those that wait behind it; False at the end."""
        jobs: list[Job] = []
        job = self._jobs.get()
        while job is not None:
            # A caller that was cancelled does not wait any more; from here on it cannot be.
            if job[2].set_running_or_notify_cancel():
                jobs.append(job)
            if len(jobs) >= MOST:
                break
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
        if jobs:
            self._commit(jobs)
        return job is not None

    def _commit(self, jobs: list[Job]) -> None:
        groups: dict[Callable[..., Any], list[Job]] = {}
        for job in jobs:
            groups.setdefault(job[0], []).append(job)
        began = time.monotonic()
        try:
            with self._engine.begin() as connection:
                answers = [(group, self._answers(connection, group)) for group in groups.values()]
        except Exception as error:
            self._one_by_one(jobs, error)
            return
        if self._committed is not None:
            self._committed(len(jobs), time.monotonic() - began)
        for group, found in answers:
            for (_, _, future), answer in zip(group, found, strict=True):
                future.set_result(answer)

    def _answers(self, connection: Connection, group: list[Job]) -> Sequence[Any]:
        found: Sequence[Any] = group[0][0](connection, [item for _, item, _ in group])
        return found

    def _one_by_one(self, jobs: list[Job], error: Exception) -> None:
        """One bad item must not fail its neighbours; a store that is away fails all of them the same way."""
        for job in jobs:
            if len(jobs) > 1 and not isinstance(error, OperationalError):
                try:
                    with self._engine.begin() as connection:
                        (answer,) = self._answers(connection, [job])
                    job[2].set_result(answer)
                    continue
                except Exception as own:
                    error = own
            job[2].set_exception(error)
