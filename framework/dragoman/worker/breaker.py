"""The circuit breaker: a skill that fails everything is paused, and tried again with one run after a while.

A worker counts for itself; that a skill is paused is in the store, and holds for all workers. What is written waits
for the store: whoever counts is not held up.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, Engine

from ..action import Action
from ..address import Address
from ..operator import tell
from ..store.controls import close_breaker, open_breaker, take_trial
from ..store.ledger import postpone_actions

__all__ = ["Breaker"]

log = logging.getLogger(__name__)

#: Seconds that a trial may take beyond the time limit of its skill before another worker may try.
PATIENCE: Final = 30.0


class Breaker:
    """Counts in any thread; `write` is called in one that may wait for the store.

    Args:
        owner: the id of the worker's process.
        failures: so many failed attempts in a row, and none good, pause a skill.
        seconds: for so long at first; twice as long after each trial that fails, an hour at most.
        operator: where it is told.
        publish: sends what is to be said on its way; it is in the ledger already.
    """

    def __init__(
        self,
        engine: Engine,
        owner: str,
        *,
        failures: int,
        seconds: float,
        operator: Address | None = None,
        publish: Callable[[Action], object] = lambda action: None,
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._failures, self._seconds = failures, seconds
        self._operator, self._publish = operator, publish
        self._lock = threading.Lock()
        self._in_a_row: dict[str, int] = {}
        self._wishes: deque[tuple[str, str | None, bool]] = deque()

    def count(self, skill: str, error: str | None, *, trial: bool = False) -> bool:
        """An attempt has ended well, or with this error; whether there is something to write.

        Args:
            trial: it is the one run that decides whether the skill goes on.
        """
        with self._lock:
            failed = 0 if error is None else self._in_a_row.get(skill, 0) + 1
            if trial or failed >= self._failures:
                self._wishes.append((skill, error, trial))
                failed = 0
            self._in_a_row[skill] = failed
            return bool(self._wishes)

    def forget(self, skill: str) -> None:
        """Count from the start: it has just been let run again."""
        with self._lock:
            self._in_a_row.pop(skill, None)

    def write(self) -> None:
        """Write what is to be written. Raises what the store does; then call it again later."""
        while self._wishes:
            skill, error, trial = self._wishes[0]
            with self._engine.begin() as connection:
                said = (self._close if trial else self._open)(connection, skill, error)
            self._wishes.popleft()
            for action in said:
                self._publish(action)

    def try_one(self, skill: str, time_limit: float) -> bool:
        """Ask for the trial of a skill whose pause is over."""
        with self._engine.begin() as connection:
            return take_trial(connection, skill, self._owner, time_limit + PATIENCE)

    def _open(self, connection: Connection, skill: str, error: str | None) -> list[Action]:
        kind = (error or "").partition(":")[0]
        reason = f"{self._failures} attempts in a row failed, the last one with {kind}"
        if not open_breaker(connection, skill, reason, self._seconds):
            return []
        log.error("%s is paused: %s; one run is tried in %.0f s", skill, reason, self._seconds)
        text = f"I have paused `{skill}`: {reason}. What it is asked is kept. I try one in {self._seconds:.0f} s."
        return self._say(connection, f"{skill} paused", text)

    def _close(self, connection: Connection, skill: str, error: str | None) -> list[Action]:
        kind = error and error.partition(":")[0]
        reason = f"it failed again, with {kind}" if error is not None else None
        if not close_breaker(connection, skill, self._owner, reason):
            return []
        if error is not None:
            log.error("%s stays paused: %s", skill, reason)
            return []
        log.warning("%s runs again", skill)
        return self._say(connection, f"{skill} runs", f"`{skill}` works again; it goes on.")

    def _say(self, connection: Connection, about: str, text: str) -> list[Action]:
        if self._operator is None:
            return []
        action = tell(self._operator, f"{about}/{time.time_ns()}", text)
        # In the ledger together with the change: it is told once for each, whoever dies.
        postpone_actions(connection, [action])
        return [action]
