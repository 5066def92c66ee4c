"""Steers a running worker by what has been said of its skills: pause, resume, scale; and watches that it is not deaf.

A thread looks at the store; what it finds is done in the consumer's own thread.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from celery.worker import state

from ..controls import LOOK, Controls
from .breaker import Breaker
from .canary import STATUS, Canary
from .request import Request

if TYPE_CHECKING:
    from .consumer import Consumer

__all__ = ["Steering"]

log = logging.getLogger(__name__)

#: Seconds that a deaf worker may take to finish what runs.
LAST: Final = 60.0


class Steering:
    """One for each worker, in its parent process.

    Args:
        soon: calls a function in the consumer's thread.
    """

    def __init__(
        self, consumer: "Consumer", breaker: Breaker, canary: Canary | None, soon: Callable[..., object]
    ) -> None:
        self._consumer = consumer
        self._slots = consumer.slots
        self._skills = consumer.process.skills
        self._me: str = consumer.process.owner.id
        self._soon = soon
        self._controls = Controls(consumer.process.engine)
        self.breaker = breaker
        self.canary = canary
        #: Skills whose queues are not consumed, because somebody said so.
        self.held: set[str] = set()
        #: Skills that may try one run: the run, once it has begun.
        self._trials: dict[str, Request | None] = {}
        #: Those whose run has ended, which is not in the store yet.
        self._tried: set[str] = set()
        #: What the slots were told; 0 for a skill that is held.
        self._caps: dict[str, int | None] = {}
        self._total = self._slots.total
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="dragoman-steering", daemon=True)

    def start(self) -> None:
        """Know what has been said before anything is consumed, then follow it."""
        try:
            self._controls.refresh()
        except Exception as error:
            log.warning("what has been said of skills cannot be read yet: %s", error)
        self.apply()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():  # a worker may be told to stop before it has begun
            self._thread.join()

    # -- in any thread -------------------------------------------------------------------------------

    def began(self, request: Request) -> None:
        """A run has been given a slot."""
        if self._trials.get(request.skill, request) is None:
            self._trials[request.skill] = request
            self._soon(self.apply)

    def ended(self, request: Request, error: str | None) -> None:
        """An attempt has ended well, or with this error."""
        trial = self._trials.get(request.skill) is request
        if trial:
            self._tried.add(request.skill)
        if self.breaker.count(request.skill, error, trial=trial):
            self._wake.set()

    # -- in a thread of its own ----------------------------------------------------------------------

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.breaker.write()
                for name, skill in self._skills.items():
                    control = self._controls.of(name)
                    if control.until is not None and control.until <= time.time():
                        self.breaker.try_one(name, skill.time_limit)
                self._controls.refresh()
            except Exception as error:
                log.warning("what has been said of skills cannot be read: %s", error)
            self._soon(self.apply)
            if self.canary is not None and self.canary.look():
                self._end_deaf()
                return
            self._wake.wait(LOOK)
            self._wake.clear()

    def _end_deaf(self) -> None:
        log.error("this worker is connected and gets nothing: it ends (status %d), to be started again", STATUS)
        state.should_stop = STATUS  # Celery's loop looks at it, and ends when what runs has ended
        timer = threading.Timer(LAST, os._exit, (STATUS,))
        timer.daemon = True
        timer.start()

    # -- in the consumer's thread --------------------------------------------------------------------

    def apply(self) -> None:
        """Do what has been said of each skill."""
        caps = {name: self._cap(name) for name in self._skills}
        self._resize(max((cap for cap in caps.values() if cap is not None), default=0))
        for name, cap in caps.items():
            control = self._controls.of(name)
            trying = control.broken and control.trial == self._me
            if trying:
                run = self._trials.setdefault(name, None)
                if run is not None and name not in self._tried and not self._slots.running(name):
                    self._trials[name] = run = None  # it was done already, and proves nothing
                trying, cap = run is None, 1
            else:
                self._trials.pop(name, None)
                self._tried.discard(name)
            if control.state == "paused" and not trying:
                self._hold(name)
            elif self._caps.get(name, 0) != cap:
                self._release(name, cap)
        if self.canary is not None and self._consumer.busy():
            self.canary.seen()

    def _cap(self, name: str) -> int | None:
        return self._controls.of(name).concurrency or self._skills[name].concurrency

    def _hold(self, name: str) -> None:
        if name not in self.held:
            self.held.add(name)
            log.warning("%s is paused: %s", name, self._controls.of(name).reason or "no reason was given")
        self._caps[name] = 0
        self._slots.limit(name, 0)
        self._consumer.stop_taking(name)
        # Also what was on its way here; no broker lets anybody hold a message for ever.
        for request in self._slots.take(name):
            give_back(request)

    def _release(self, name: str, cap: int | None) -> None:
        if name in self.held:
            self.held.discard(name)
            self.breaker.forget(name)
            log.info("%s goes on", name)
        self._caps[name] = cap
        self._slots.limit(name, cap)
        self._consumer.take_from(name)

    def _resize(self, most: int) -> None:
        """A pool in which one skill may have so many slots, and a quarter is still there for the others."""
        total = self._total
        while total - total // 4 < most:
            total += 1
        if total > self._slots.total:
            self._consumer.grow(total)
        self._slots.resize(total)


def give_back(request: Any) -> None:
    """To the broker, for another worker or for later: it has not begun."""
    state.task_ready(request)
    request.reject(requeue=True)
