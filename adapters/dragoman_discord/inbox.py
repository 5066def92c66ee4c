"""What came in is handed over once, and again if it could not be taken.

Discord has no acknowledgement, but a session that is resumed repeats what came after a number. So an event is kept
here, in order, and tried until it is taken; the next ones queue behind it, and the number does not go on before. If
more than so many wait, the newest are not kept: they come again with the session's next resumption by a new process.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from dragoman import EventBase, Receive
from dragoman.adapting import delays

__all__ = ["Inbox"]

log = logging.getLogger(__name__)

#: How many events may wait.
MOST_WAITING: Final = 10_000
#: How many keys are remembered as taken, and how often one event is tried before others may pass it.
MOST_TAKEN: Final = 20_000
PATIENCE: Final = 5


class Inbox:
    """The events of one account on their way to the ledger.

    Args:
        delay: seconds before each next attempt, as `dragoman.adapting.delays` gives.
    """

    def __init__(
        self,
        account: str,
        receive: Receive,
        *,
        delay: Callable[[], Callable[[], float]] = delays,
        most: int = MOST_WAITING,
    ) -> None:
        self._account = account
        self._receive = receive
        self._delays = delay
        self._most = most
        #: The oldest first; those that are not taken yet with what ends when they are.
        self._taken: OrderedDict[str, asyncio.Future[bool] | None] = OrderedDict()
        self._waiting: deque[tuple[EventBase, int, asyncio.Future[bool]]] = deque()
        self._drain: asyncio.Task[None] | None = None

    async def take(self, event: EventBase) -> bool:
        """Hand it over, now or later, unless that has been done; returns when it has been taken.

        False: too many wait, so that it was not kept.
        """
        if event.key in self._taken:
            pending = self._taken[event.key]
            return True if pending is None else await asyncio.shield(pending)
        pending = self._taken[event.key] = asyncio.get_running_loop().create_future()
        while len(self._taken) > MOST_TAKEN:
            self._taken.popitem(last=False)
        if not self._waiting and await self._try(event):
            self._done(event, pending)
        elif len(self._waiting) >= self._most:
            log.error("%s: %d events wait already; %s is not kept", self._account, len(self._waiting), event.key)
            self._taken.pop(event.key, None)
            pending.set_result(False)
        else:
            self._wait(event, pending)
        return await asyncio.shield(pending)

    async def close(self) -> None:
        """Try no more; what waits comes again when the session is resumed."""
        if self._drain is not None:
            self._drain.cancel()
            await asyncio.gather(self._drain, return_exceptions=True)
        if self._waiting:
            log.warning(
                "%s: %d events were not taken; they come again if the session can be resumed",
                self._account,
                len(self._waiting),
            )

    async def _try(self, event: EventBase) -> bool:
        try:
            await self._receive(event)
        except Exception as error:
            log.warning("%s: %s was not taken (%s); it is tried again", self._account, event.key, error)
            return False
        return True

    def _done(self, event: EventBase, pending: "asyncio.Future[bool]") -> None:
        if event.key in self._taken:
            self._taken[event.key] = None
        if not pending.done():
            pending.set_result(True)

    def _wait(self, event: EventBase, pending: "asyncio.Future[bool]") -> None:
        self._waiting.append((event, 0, pending))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._again())

    async def _again(self) -> None:
        delay = self._delays()
        while self._waiting:
            await asyncio.sleep(delay())
            while self._waiting:
                event, tries, pending = self._waiting[0]
                taken = await self._try(event)
                self._waiting.popleft()
                if taken:
                    self._done(event, pending)
                    delay = self._delays()
                    continue
                if tries < PATIENCE:
                    self._waiting.appendleft((event, tries + 1, pending))
                else:
                    # Perhaps it is this one's own fault: the others may pass.
                    self._waiting.append((event, 0, pending))
                break
