"""Stopping a part: what it holds is finished within the grace, the rest handed back; a second Ctrl-C ends it at once.

Nothing is lost by ending early: what was taken is in the ledger (or in a spool) before anybody is told so, and what a
broker gave is not acknowledged before it is done.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

__all__ = ["INTERRUPTED", "MARGIN", "Stopping"]

log = logging.getLogger(__name__)

#: Seconds beyond the grace that a supervisor waits before it kills: closing connections takes a moment.
MARGIN: Final = 2.0
#: The exit status of a process that Ctrl-C has ended at once, as shells have it.
INTERRUPTED: Final = 130


class Stopping:
    """The end of one process.

    Args:
        stop: asks it to take no more and to finish; must not block, and may be called from a signal handler.
        grace: seconds that this may take.
        hand_back: gives back what it has not finished by then.
        end: ends the process at once, with that status.
    """

    def __init__(
        self,
        stop: Callable[[], None],
        grace: float,
        hand_back: Callable[[], None] = lambda: None,
        *,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._stop = stop
        self._grace = grace
        self._hand_back = hand_back
        self._end = end
        self._begun = False

    def begin(self) -> None:
        """Take no more, and finish what is in hand. May be called from a signal handler, and more than once."""
        if self._begun:
            return
        self._begun = True
        self._stop()
        self.watch()

    def watch(self) -> None:
        """Hand back and end when the grace is over; for a process that knows already that it has to stop."""
        timer = threading.Timer(self._grace, self._over)
        timer.daemon = True
        timer.start()

    def interrupt(self) -> None:
        """Ctrl-C: the first one stops, the second one ends at once."""
        if self._begun:
            self._end(INTERRUPTED)
        self.begin()

    def handle(self) -> None:
        """Let SIGTERM and SIGINT (Ctrl-C) stop this process."""

        def terminated(number: int, frame: FrameType | None) -> None:
            self.begin()

        def interrupted(number: int, frame: FrameType | None) -> None:
            self.interrupt()

        signal.signal(signal.SIGTERM, terminated)
        signal.signal(signal.SIGINT, interrupted)

    def _over(self) -> None:
        log.warning("not everything was finished within %g s: the rest is handed back", self._grace)
        try:
            self._hand_back()
        except Exception as error:
            log.warning("it could not be handed back, and is taken over when it is missed: %s", error)
        logging.shutdown()
        self._end(0)
