"""The end of a worker: what runs may finish within the grace; then it is ended, and handed back in the ledger."""

import contextlib
import os
import signal
from collections.abc import Callable
from typing import Any

import billiard
from celery import signals

from ..stopping import Stopping
from ..store.processes import forget
from .process import WorkerProcess

__all__ = ["end_within"]


def end_within(process: WorkerProcess, grace: float, ready: Callable[[], None] = lambda: None) -> None:
    """Have Celery's warm shutdown, which waits for as long as a run takes, end within so many seconds.

    Args:
        ready: called when it consumes.
    """

    def hand_back() -> None:
        for child in billiard.active_children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
        with process.engine.begin() as connection:
            forget(connection, process.owner)

    stopping = Stopping(lambda: None, grace, hand_back)

    def shutting_down(**_: Any) -> None:
        stopping.begin()

    def consumes(**_: Any) -> None:
        ready()

    signals.worker_shutting_down.connect(shutting_down, weak=False)
    signals.worker_ready.connect(consumes, weak=False)
