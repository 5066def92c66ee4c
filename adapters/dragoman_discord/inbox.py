"""What came in is handed over once, and again if it could not be taken.

Discord has no acknowledgement: what is not taken is not sent again. So it is kept here, in order, and tried until
it is taken; the next ones queue behind it. If more than so many wait, the newest are lost, which is said.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from dragoman import EventBase, Receive

from .client import delays

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
        delay: seconds before each next attempt, as `dragoman_discord.client.delays` gives.
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
        #: The oldest first; those being taken now are in it.
        self._taken: OrderedDict[str, None] = OrderedDict()
        self._waiting: deque[tuple[EventBase, int]] = deque()
        self._drain: asyncio.Task[None] | None = None

    async def take(self, event: EventBase) -> None:
        """Hand it over, now or later, unless that has been done."""
        if event.key in self._taken:
            return
        self._taken[event.key] = None
        while len(self._taken) > MOST_TAKEN:
            self._taken.popitem(last=False)
        if self._waiting:
            self._wait(event)
            return
        if not await self._try(event):
            self._wait(event)

    async def close(self) -> None:
        """Try no more; what waits is lost, since Discord does not send it again."""
        if self._drain is not None:
            self._drain.cancel()
            await asyncio.gather(self._drain, return_exceptions=True)
        if self._waiting:
            log.error("%s: %d events were never taken and are lost", self._account, len(self._waiting))

    async def _try(self, event: EventBase) -> bool:
        try:
            await self._receive(event)
        except Exception as error:
            log.warning("%s: %s was not taken (%s); it is tried again", self._account, event.key, error)
            return False
        return True

    def _wait(self, event: EventBase) -> None:
        if len(self._waiting) >= self._most:
            log.error("%s: %d events wait already; %s is lost", self._account, len(self._waiting), event.key)
            self._taken.pop(event.key, None)
            return
        self._waiting.append((event, 0))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._again())

    async def _again(self) -> None:
        delay = self._delays()
        while self._waiting:
            await asyncio.sleep(delay())
            while self._waiting:
                event, tries = self._waiting[0]
                taken = await self._try(event)
                self._waiting.popleft()
                if taken:
                    delay = self._delays()
                    continue
                if tries < PATIENCE:
                    self._waiting.appendleft((event, tries + 1))
                else:
                    # Perhaps it is this one's own fault: the others may pass.
                    self._waiting.append((event, 0))
                break
