"""What a platform gives to tests: people who do things there, an adapter that hears them, and what is shown."""

import asyncio
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from dragoman import ActionBase, Adapter, EventBase, Message, Reaction, Sent

__all__ = ["Ground", "Shown", "reaction_to", "the_message"]

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """A message as people see it.

    Attributes:
        text: in the platform's own markup.
        thread: the id of the thread that it is in.
        reactions: the bot's, as `Ground.emoji` writes them.
    """

    text: str
    thread: str | None
    reactions: frozenset[str]


def the_message(id: str) -> Callable[[EventBase], bool]:
    """What is wanted of `Ground.heard`: that message."""
    return lambda event: isinstance(event, Message) and event.id == id


def reaction_to(id: str, added: bool) -> Callable[[EventBase], bool]:
    """What is wanted of `Ground.heard`: a reaction to that message, or its end."""
    return lambda event: isinstance(event, Reaction) and event.id == id and event.added is added


class Ground(ABC):
    """One platform with its simulator and the real adapter, which run in a thread with an event loop of its own.

    People and channels are named by the test; ``ids`` are the platform's. Everything here is called from the test's
    thread. What people do returns the event that the adapter has made of it.
    """

    name: str
    #: Whether there are threads.
    threads = True
    #: Whether other programs talk there.
    programs = True
    adapter: Adapter

    def __init__(self) -> None:
        self._events: queue.Queue[EventBase] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"ground-{self.name}", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the platform's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def receive(self, event: EventBase) -> None:
        self._events.put(event)

    def heard(self, wanted: Callable[[EventBase], bool]) -> EventBase:
        """The next event that is wanted; others (somebody joined, say) are not the test's."""
        while True:
            event = self._events.get(timeout=20)
            if wanted(event):
                return event

    def close(self) -> None:
        self.call(self.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def perform(self, action: ActionBase) -> Sent:
        return self.call(self.adapter.perform(action))

    async def stop(self) -> None:
        """End the adapter and the simulator."""
        await self.adapter.close()

    @property
    @abstractmethod
    def tenant(self) -> str: ...

    @abstractmethod
    def person(self, name: str) -> str:
        """The id of somebody, who is there from now on."""

    def program(self, name: str) -> str:
        """The id of another program, which is there from now on."""
        return self.person(name)

    def emoji(self, name: str) -> str:
        """How a reaction is written there."""
        return name

    @abstractmethod
    def channel(self, name: str) -> str:
        """The id of a channel, which is there from now on."""

    @abstractmethod
    def direct(self, name: str) -> str:
        """The id of somebody's direct messages with the bot."""

    @abstractmethod
    def thread(self, channel: str) -> str:
        """The id of a new thread there."""

    @abstractmethod
    def say(self, person: str, channel: str, thread: str | None, text: str, *, to_bot: bool) -> EventBase:
        """Somebody says something; ids but for the person's name. ``<@name>`` in the text mentions somebody."""

    @abstractmethod
    def react(self, person: str, channel: str, message: str, emoji: str, *, added: bool) -> EventBase: ...

    @abstractmethod
    def shown(self, channel: str, message: str) -> Shown | None:
        """What people see of a message; ``None`` if it is not there."""
