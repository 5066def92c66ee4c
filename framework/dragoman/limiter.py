"""When the next action of an account may be performed: as the platform wants it, and whoever waits goes first.

A platform may ask to be left alone (HTTP 429), as a whole or in one channel, and wants no more than so much in one
channel in a second. Actions wait here for their turn; those for a person who waits go before the rest.
"""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from .action import ActionBase, Send, Sent
from .pacing import Pacing

__all__ = ["Limiter", "Recalled"]

log = logging.getLogger(__name__)

#: After a limit, at first one action at a time is performed; each that succeeds lets two more go, until there are so
#: many that they are counted no more.
ENOUGH: Final = 64
#: Channels whose pace is remembered; of more, those that are rested are forgotten.
CHANNELS: Final = 2000


class Recalled(Exception):
    """An action need not wait any more: it is another gateway's to perform."""


@dataclass(order=True, slots=True)
class Waiter:
    """Who waits, the most urgent first."""

    bulk: bool
    number: int
    action: ActionBase = field(compare=False)
    paced: bool = field(compare=False)
    turn: "asyncio.Future[None]" = field(compare=False)


class Limiter:
    """The turns of one account's actions; made and used in its event loop.

    Args:
        clock: a steady one, in seconds.
    """

    def __init__(
        self, account: str, pacing: Pacing | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._account = account
        self._pacing = pacing
        self._clock = clock
        self._waiting: list[Waiter] = []
        self._numbers = itertools.count()
        #: By bucket (a channel; empty: all), until when the platform wants to be left alone.
        self._limits: dict[str, float] = {}
        #: By channel, when it would be as rested as if nothing had ever been said there.
        self._rested: dict[str, float] = {}
        self._room: int | None = None
        self._performing = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many actions wait for their turn."""
        return len(self._waiting)

    async def turn(self, action: ActionBase) -> None:
        """Wait for the turn of an action; `done` must follow.

        Raises:
            Recalled: see `recall`; it has had no turn.
        """
        channel, paced = action.address.channel, self._pacing is not None and isinstance(action, Send)
        if not self._waiting and self._after(channel, paced, self._clock()) <= 0 and self._has_room():
            self._begin(channel, paced)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = Waiter(action.bulk, next(self._numbers), action, paced, future)
        heapq.heappush(self._waiting, waiter)
        self._go_on()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._performing -= 1  # its turn had come
            else:
                self._waiting = sorted(each for each in self._waiting if each is not waiter)
            raise

    def done(self, action: ActionBase, sent: Sent | None) -> None:
        """It was performed (what it made), or not."""
        self._performing -= 1
        if sent is not None and self._room is not None:
            self._room += 2
            if self._room >= ENOUGH:
                self._room = None
        if sent is not None and self._pacing is not None and isinstance(action, Send) and len(sent.ids) > 1:
            # A long text became several messages.
            channel = action.address.channel
            self._rested[channel] = self._rested.get(channel, 0.0) + self._pacing.every * (len(sent.ids) - 1)
        if self._waiting:
            self._go_on()

    def limit(self, bucket: str, seconds: float) -> bool:
        """The platform wants to be left alone for so long: whether that is new."""
        now = self._clock()
        until, known = now + seconds, self._limits.get(bucket, 0.0)
        if until <= known + 0.5:
            return False  # nothing that is not known
        self._limits[bucket] = until
        self._room = 1
        if known <= now:
            where = f"channel {bucket} of {self._account}" if bucket else self._account
            log.warning("%s: the platform wants no more for %.0f s; what is to be said waits", where, seconds)
        self._go_on()
        return True

    def recall(self, which: Callable[[ActionBase], bool]) -> None:
        """Those of the waiting actions wait no more."""
        recalled = [waiter for waiter in self._waiting if which(waiter.action)]
        self._waiting = sorted(waiter for waiter in self._waiting if waiter not in recalled)
        for waiter in recalled:
            if not waiter.turn.done():
                waiter.turn.set_exception(Recalled())

    def _has_room(self) -> bool:
        return self._room is None or self._performing < self._room

    def _after(self, channel: str, paced: bool, now: float) -> float:
        """In how many seconds something may be done there; 0 or less: now."""
        ready = max(self._limits.get("", 0.0), self._limits.get(channel, 0.0)) if self._limits else 0.0
        if paced and self._pacing is not None:
            ready = max(ready, self._rested.get(channel, 0.0) - self._pacing.every * (self._pacing.burst - 1))
        return ready - now

    def _begin(self, channel: str, paced: bool) -> None:
        self._performing += 1
        if paced and self._pacing is not None:
            now = self._clock()
            if len(self._rested) > CHANNELS:
                self._rested = {each: at for each, at in self._rested.items() if at > now}
            self._rested[channel] = max(self._rested.get(channel, 0.0), now) + self._pacing.every

    def _go_on(self) -> None:
        """Let those go whose turn has come, and come back for the next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock()
        for bucket in [each for each, until in self._limits.items() if until <= now]:
            del self._limits[bucket]
            where = f"channel {bucket} of {self._account}" if bucket else self._account
            log.warning("%s: the limit is over; %d actions waited", where, len(self._waiting))
        soonest = min((until - now for until in self._limits.values()), default=float("inf"))
        left: list[Waiter] = []
        for waiter in sorted(self._waiting):
            after = self._after(waiter.action.address.channel, waiter.paced, now)
            if after <= 0 and self._has_room():
                if not waiter.turn.done():  # not cancelled
                    self._begin(waiter.action.address.channel, waiter.paced)
                    waiter.turn.set_result(None)
            else:
                left.append(waiter)
                if after > 0:
                    soonest = min(soonest, after)
        self._waiting = left  # sorted, so a heap as well
        if soonest < float("inf"):
            self._timer = asyncio.get_running_loop().call_later(soonest, self._go_on)

    def close(self) -> None:
        """Wake nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
