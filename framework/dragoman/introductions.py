"""Events on their way to the router: one from somebody unknown waits a moment until the directory knows them."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from .directory import Directory
from .event import EventBase

__all__ = ["Introductions"]


@dataclass(slots=True)
class Held:
    """An event that waits; ``needs`` is made on the event loop."""

    event: EventBase
    needs: "list[asyncio.Task[None]] | None" = None


class Introductions:
    """Passes events on, in order within each channel.

    An event waits for what the directory asks about it, and for the events before it in its channel: all that
    come are asked about at once, so that none waits longer than the longest answer.

    Args:
        forward: called with each event, in any thread; must not block.
    """

    def __init__(
        self, directory: Directory, forward: Callable[[EventBase], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._directory = directory
        self._forward = forward
        self._loop = loop
        self._waiting: dict[tuple[str, str, str], deque[Held]] = {}
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def introduce(self, event: EventBase) -> None:
        """Pass it on, now or when it is known who it is from. From any thread."""
        place = (event.address.account, event.address.tenant, event.address.channel)
        with self._lock:
            queue = self._waiting.get(place)
            if self._closed or (queue is None and self._directory.knows(event)):
                held = None
            else:
                held = Held(event)
                if first := queue is None:
                    queue = self._waiting[place] = deque()
                queue.append(held)
        if held is None:
            self._forward(event)
        else:
            self._loop.call_soon_threadsafe(self._begin, place, held, first)

    def _begin(self, place: tuple[str, str, str], held: Held, first: bool) -> None:
        if self._closed:
            return
        if held.needs is None:
            held.needs = self._directory.learn(held.event)
        if first:
            task = asyncio.create_task(self._release(place))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _release(self, place: tuple[str, str, str]) -> None:
        queue = self._waiting[place]
        while True:
            held = queue[0]
            if held.needs is None:
                held.needs = self._directory.learn(held.event)
            if held.needs:
                await asyncio.wait(held.needs)
            with self._lock:
                # Within the lock: nothing of this channel may go past it while it leaves.
                self._forward(queue.popleft().event)
                if not queue:
                    del self._waiting[place]
                    return

    async def close(self) -> None:
        """Pass on what waits, as it is."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, {}
        for queue in waiting.values():
            for held in queue:
                self._forward(held.event)
