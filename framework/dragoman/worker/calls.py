"""Calls in a worker's event loop, none of which is lost.

kombu's hub drops what was to be called in a turn when one of these calls raises, and with the broker one often does: an
acknowledgement over a connection that has just broken, for example. But a commit that is never made would
leave the worker waiting for its answer for ever.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["Calls"]

log = logging.getLogger(__name__)


class Calls:
    """Calls functions in the loop's thread, in the order in which they were given; may be given them by any thread.

    Args:
        hub: the worker's event loop.
        errors: what a function may raise because the connection is gone, which the loop itself will notice.
    """

    def __init__(self, hub: Any, errors: tuple[type[Exception], ...]) -> None:
        self._hub = hub
        self._errors = errors
        self._waiting: deque[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]] = deque()
        hub.on_tick.add(self._run)  # for what was dropped
        hub.on_close.add(self._run)

    def __call__(self, function: Callable[..., object], *arguments: Any, **named: Any) -> None:
        self._waiting.append((function, arguments, named))
        # Before the ticks of a turn: in one of these the pool sees that it has something to send to its processes, and
        # what it is given after that waits until something else happens, for up to a second.
        self._hub.call_soon(self._run)

    def _run(self, *_: object) -> None:
        while self._waiting:
            function, arguments, named = self._waiting.popleft()
            try:
                function(*arguments, **named)
            except self._errors as error:
                log.debug("the connection broke meanwhile: %s", error)
