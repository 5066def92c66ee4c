"""Who people are and where channels are, as the platforms tell it: asked for when needed, kept in the store.

Lives on the gateway's event loop. In the steady state an event costs two look-ups in a dictionary.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from .action import LookUp
from .adapter import Adapter
from .address import ANY_TENANT, Address
from .errors import DeliveryError, DragomanError
from .event import ChannelInfo, EventBase, Person, PersonChanged
from .store.batch import Batcher
from .store.directory import KnownChannel, KnownPerson
from .store.enquiries import find_channels, find_channels_by_name, find_people, keep_channels, keep_people

__all__ = ["Directory", "is_named"]

log = logging.getLogger(__name__)

T = TypeVar("T", Person, ChannelInfo)

#: Seconds that what a platform told is not asked for again.
FRESH: Final = 600.0
#: Seconds after which it is not believed without asking again, since a role may have been taken away meanwhile.
OLD: Final = 1200.0
#: Seconds that a platform which could not answer is not asked the same again.
FAILED: Final = 60.0
#: Seconds that a platform may take to tell of somebody, and so the longest that an event waits for it.
ANSWER: Final = 2.0
#: Seconds that a channel's name stands for the same channel.
NAMED: Final = 86_400.0
#: Seconds that a platform may take to find a channel by its name: it may have to page through all of them.
SEARCH: Final = 30.0
#: Questions to one account at one time.
QUESTIONS: Final = 8
#: People and channels, and names of channels, that are remembered here.
MOST: Final = 20_000

#: ``person`` or ``channel``, account, tenant, id.
Subject = tuple[str, str, str, str]


class Noted(NamedTuple):
    """Until when nobody asks again, whether the directory has an answer, and when that was given (all monotonic)."""

    until: float
    known: bool
    told: float


def is_named(address: Address) -> bool:
    """Whether this is a channel by name, or somebody's direct conversation: to be looked up before it is used."""
    return address.channel[0] in "#@" or address.tenant == ANY_TENANT


class Directory:
    """What is known of the people and channels of some accounts.

    Args:
        adapters: by account name.
        batcher: of the store.
        clock: unix seconds.
    """

    def __init__(
        self, adapters: Mapping[str, Adapter], batcher: Batcher, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._adapters = adapters
        self._batcher = batcher
        self._clock = clock
        self._noted: dict[Subject, Noted] = {}
        self._named: dict[tuple[str, str, str], tuple[float, ChannelInfo | None]] = {}
        self._asking: dict[object, asyncio.Task[Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._doors = {account: asyncio.Semaphore(QUESTIONS) for account in adapters}

    # -- people and channels of events ---------------------------------------------------------------

    def knows(self, event: EventBase) -> bool:
        """Whether there is nothing to ask about this event. From any thread."""
        if isinstance(event, PersonChanged):
            return False
        now = time.monotonic()
        for subject in _subjects(event):
            noted = self._noted.get(subject)
            if noted is None or noted.until < now:
                return False
        return True

    def learn(self, event: EventBase) -> list[asyncio.Task[None]]:
        """Ask what is not known of it; what the event should wait for, which never takes much longer than `ANSWER`.

        What is known but not fresh is asked for as well, and not waited for unless it is old.
        """
        if event.address.account not in self._adapters:
            return []
        if isinstance(event, PersonChanged):
            return [self._spawn(self._changed(event))]
        wait: list[asyncio.Task[None]] = []
        if event.channel_name and event.conversation != "direct":
            self._take_name(event)
        for subject in _subjects(event):
            noted = self._noted.get(subject)
            if noted is not None and noted.until >= time.monotonic():
                continue
            if noted is not None and noted.known and time.monotonic() - noted.told <= OLD:
                self._note(subject, FAILED, known=True)  # one question at a time; the answer notes it for longer
                self._spawn(self._refresh(subject))
            else:
                wait.append(self._once(subject, partial(self._introduce, subject)))
        return wait

    async def _introduce(self, subject: Subject) -> None:
        """Read the store; if it has nothing, or what is old, ask the platform."""
        kind, *key = subject
        operation = find_people if kind == "person" else find_channels
        try:
            found: KnownPerson | KnownChannel | None = await self._do(operation, tuple(key))
        except (SQLAlchemyError, DragomanError) as error:
            log.warning("the directory cannot be read: %s", error)
            return
        if found is None:
            await self._refresh(subject)
            return
        age = max(0.0, self._clock() - found.fetched_at)
        self._note(subject, FRESH - age if age < FRESH else FAILED, known=True, age=age)
        if age > OLD:
            await self._refresh(subject)
        elif age >= FRESH:
            self._spawn(self._refresh(subject))

    async def _refresh(self, subject: Subject) -> None:
        """Ask the platform, and note that it was asked, whatever it says."""
        try:
            await self._once(("ask", *subject), partial(self._ask, subject))
        except DeliveryError as error:
            log.info("%s: %s", _name(subject), error)
            noted = self._noted.get(subject)
            self._note(subject, FAILED, known=noted is not None and noted.known)
        except Exception as error:  # the store's, of any kind; the event goes on
            log.warning("%s: the directory cannot be written: %s", _name(subject), error)
            self._note(subject, FAILED, known=False)

    async def _ask(self, subject: Subject) -> None:
        """Ask the platform, and keep the answer.

        Raises:
            DeliveryError: it cannot be asked now.
            SQLAlchemyError, DragomanError: the answer cannot be kept.
        """
        kind, account, tenant, id = subject
        adapter = self._adapters[account]
        if kind == "person":
            person = await self._answer(account, Person, ANSWER, lambda: adapter.look_up_person(id, tenant))
            if person is not None:
                await self._do(keep_people, (account, tenant, person, self._clock()))
        else:
            channel = await self._answer(account, ChannelInfo, ANSWER, lambda: adapter.look_up_channel(id, tenant))
            if channel is not None:
                await self._do(keep_channels, (account, channel, self._clock()))
        self._note(subject, FRESH, known=True, age=0.0)

    async def _changed(self, event: PersonChanged) -> None:
        """They are complete: nobody needs to be asked."""
        if event.person is None:
            return
        account, tenant = event.address.account, event.address.tenant
        try:
            await self._do(keep_people, (account, tenant, event.person, self._clock()))
            self._note(("person", account, tenant, event.person.id), FRESH, known=True, age=0.0)
        except (SQLAlchemyError, DragomanError) as error:
            log.warning("the directory cannot be told that somebody has changed: %s", error)

    def _take_name(self, event: EventBase) -> None:
        """The adapter has said what the channel is called."""
        here = event.address
        subject = ("channel", here.account, here.tenant, here.channel)
        noted = self._noted.get(subject)
        if noted is None or noted.until < time.monotonic():
            self._note(subject, FRESH, known=True)
            channel = ChannelInfo(id=here.channel, tenant=here.tenant, name=event.channel_name)
            self._batcher.submit(keep_channels, (here.account, channel, self._clock())).add_done_callback(_log_failure)

    # -- on request ----------------------------------------------------------------------------------

    async def look_up(self, action: LookUp) -> None:
        """Do what a skill asks: fetch somebody, or a channel.

        Raises:
            DeliveryError: the platform cannot be asked now.
        """
        account, tenant = action.address.account, action.address.tenant
        if action.person is not None:
            subject = ("person", account, tenant, action.person)
            await self._once(("ask", *subject), partial(self._ask, subject))
        if action.channel is not None:
            await self.resolve(Address(account=account, tenant=tenant, channel=action.channel), again=True)

    def resolved(self, address: Address) -> Address | None:
        """The place itself, if it is remembered, or if it is no name at all."""
        if not is_named(address):
            return address
        until, channel = self._named.get(_named_key(address), (0.0, None))
        return _at(address, channel) if channel is not None and until >= time.monotonic() else None

    async def resolve(self, address: Address, *, again: bool = False) -> Address:
        """The place itself, for ``#general``, for ``@U1``, and for an id of whichever tenant.

        Args:
            again: ask the platform, whatever is known.

        Raises:
            DeliveryError: there is no such channel, or the platform cannot be asked now.
        """
        if not again and (known := self.resolved(address)) is not None:
            return known
        key = _named_key(address)
        return _at(address, await self._once(key, partial(self._find, address, again=again)))

    def distrust(self, address: Address) -> None:
        """The platform would not have something here: if it was found by a name, that is looked for again."""
        for key, (_, channel) in list(self._named.items()):
            if channel is not None and channel.id == address.channel and key[0] == address.account:
                self._remember(key, 0.0, None)

    async def _find(self, address: Address, *, again: bool) -> ChannelInfo:
        account, tenant, channel = address.account, address.tenant, address.channel
        key = _named_key(address)
        if not again and key not in self._named and channel[0] != "@":
            operation = find_channels_by_name if channel[0] == "#" else find_channels
            found: KnownChannel | None = await self._do(operation, (account, tenant, channel))
            if found is not None and (left := found.fetched_at + NAMED - self._clock()) > 0:
                self._remember(key, left, found.channel)
                return found.channel
        adapter = self._adapters[account]
        info = await self._answer(account, ChannelInfo, SEARCH, lambda: adapter.look_up_channel(channel, tenant))
        if info is None:
            raise DeliveryError(
                f"account {account} has no {_place(channel)} that the bot can see: is the name right, "
                "and has the bot been invited?",
                code="channel_not_found",
            )
        self._remember(key, NAMED, info)
        if channel[0] != "@":
            await self._do(keep_channels, (account, info, self._clock()))
        return info

    # ------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Ask no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(
        self, account: str, kind: type[T], patience: float, ask: Callable[[], Awaitable[T | None]]
    ) -> T | None:
        """What an adapter says. Only a `DeliveryError` comes out: an adapter's mistake is one as well."""
        try:
            async with asyncio.timeout(patience), self._doors[account]:
                answer = await ask()
                if answer is not None and not isinstance(answer, kind):
                    raise TypeError(f"{kind.__name__} or None was expected, not {type(answer).__name__}")
                return answer
        except DeliveryError:
            raise
        except TimeoutError:
            raise DeliveryError(f"no answer within {patience:g} s", code="timeout", retry=True) from None
        except Exception as error:
            log.exception("the adapter of account %s failed when it was asked", account)
            raise DeliveryError(f"the adapter failed: {error!r}", code="adapter", retry=True) from error

    async def _do(self, operation: Callable[..., Any], item: object) -> Any:
        return await asyncio.wrap_future(self._batcher.submit(operation, item))

    def _once(self, key: object, make: Callable[[], Coroutine[Any, Any, Any]]) -> "asyncio.Task[Any]":
        """The one task that does this; many may wait for it."""
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = self._spawn(make())
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return task

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it is told; nobody may be

    def _note(self, subject: Subject, seconds: float, *, known: bool, age: float | None = None) -> None:
        """``age``: of the answer, in seconds; left out, there is no new one."""
        now, before = time.monotonic(), self._noted.pop(subject, None)
        told = now - age if age is not None else before.told if before is not None else -math.inf
        self._noted[subject] = Noted(now + seconds, known, told)
        if len(self._noted) > MOST:
            del self._noted[next(iter(self._noted))]  # the one that was noted first

    def _remember(self, key: tuple[str, str, str], seconds: float, channel: ChannelInfo | None) -> None:
        self._named.pop(key, None)
        self._named[key] = (time.monotonic() + seconds, channel)
        if len(self._named) > MOST:
            del self._named[next(iter(self._named))]


def _subjects(event: EventBase) -> Iterator[Subject]:
    here, person = event.address, event.person
    if person is not None and not person.bot:
        yield "person", here.account, here.tenant, person.id
    if event.conversation != "direct":
        yield "channel", here.account, here.tenant, here.channel


def _named_key(address: Address) -> tuple[str, str, str]:
    channel = address.channel
    return address.account, address.tenant, channel.casefold() if channel[0] == "#" else channel


def _at(address: Address, channel: ChannelInfo) -> Address:
    return address.model_copy(update={"tenant": channel.tenant, "channel": channel.id})


def _place(channel: str) -> str:
    return f"direct conversation with {channel[1:]}" if channel[0] == "@" else f"channel {channel}"


def _name(subject: Subject) -> str:
    return f"{subject[0]} {'/'.join(subject[1:])}"


def _log_failure(future: "Future[None]") -> None:
    if (error := future.exception()) is not None:
        log.warning("the directory cannot be written: %s", error)
