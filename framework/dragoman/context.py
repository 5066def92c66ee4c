"""What a handler may do: `Context` is given to handlers that ask for it by annotation.

Messages never act; the context does. What is said here is collected and leaves, in order, when the
handler ends; ``yield`` and ``flush`` let it go earlier.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, MutableMapping
from datetime import datetime, timedelta
from typing import Any, Final, Generic

from pydantic_core import PydanticSerializationError, to_jsonable_python
from typing_extensions import TypeVar

from .action import Action, ActionBase, Delete, Edit, React, Send, Target, Typing, action_key
from .address import NOWHERE, Address
from .blocking import off_the_loop
from .clock import zone
from .content import Content
from .data import Store
from .enquiry import ask_channel, ask_person
from .errors import ArgumentsError, SkillError
from .event import ChannelInfo, Event, Person, Scheduled, Undeliverable, Webhook
from .files import Files
from .handle import Handle
from .manifest import HandlerManifest, SkillManifest
from .people import Channel, User
from .place import find_place
from .services import Services
from .task import Task, run_id
from .timers import Timer

__all__ = ["Context"]

Settings = TypeVar("Settings", default=Any)

#: The end of the year 9999, in unix seconds: dates go no further.
NEVER: Final = 253402300800.0


class _Log(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        assert self.extra is not None
        return f"{msg} (reference {self.extra['reference']})", {**kwargs, "extra": self.extra}


class _Done:
    def __await__(self) -> Generator[Any, None, None]:
        yield from ()


class Context(Generic[Settings]):
    """One run of one handler. ``Context[WeatherSettings]`` says of which type ``settings`` is.

    Attributes:
        event: what happened.
        person: who did it, with name, time zone, locale and roles as far as the platform tells; ``None`` when
            nobody did.
        attempt: 1 for the first, 2 for the first retry. What has left in an earlier attempt is not sent again.
        reference: a short id of this run, also in the log and in the answer after a failure.
        settings: what ``[skills.NAME]`` says of this skill, as the model that the skill was declared with.
        store: what the skill keeps; see `Store`.
        files: what people attached, and what the skill sends; see `Files`.
        log: a logger whose lines carry the reference.
    """

    def __init__(
        self,
        task: Task,
        services: Services,
        *,
        schedules: Mapping[str, Callable[[dict[str, Any]], object]] | None = None,
        coroutine: bool = False,
        settings: Any = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``schedules``: the handlers that may be run later, each with what verifies its arguments."""
        self._task = task
        self._services = services
        self._schedules = schedules or {}
        self._coroutine = coroutine
        self._clock = clock
        self._ordinal = 0
        self._timers = 0
        self._waiting: list[Action] = []
        self.settings: Settings = settings if settings is not None else {}
        self.event: Event = task.event
        self.person: Person | None = task.event.person
        self.attempt: int = task.attempt
        self.reference: str = task.reference
        self.store = Store(services.data, task.skill, task.event, clock=clock)
        self.files = Files(task, services, self._prefix)
        self.log = _Log(logging.getLogger(f"dragoman.skill.{task.skill}"), {"reference": task.reference})

    # -- what is so --------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The time, in the time zone of the person (or of the bot, if theirs is not known)."""
        own = self.person.timezone if self.person else None
        return datetime.fromtimestamp(self._clock(), zone(own, self._services.timezone))

    def catalogue(self) -> tuple[SkillManifest, ...]:
        """The manifests of all skills that are served now."""
        off_the_loop("ctx.catalogue")
        return self._services.catalogue()

    def may(self, skill: SkillManifest, handler: HandlerManifest) -> bool:
        """Whether the person may use that handler here."""
        return self._services.access.decide(self.person, self.event, skill.name, handler).allowed

    def look_up(self, user: User | Person | str) -> Person:
        """Somebody on the same platform, with all that it tells of them.

        The directory knows those who have spoken; the platform is asked for others, for five seconds at most. If
        it does not answer, what is known is the id.
        """
        off_the_loop("ctx.look_up", "user")
        wanted = user if isinstance(user, str) else user.id
        found = ask_person(self._task, self._services, self._prefix, wanted)
        return found or Person(id=wanted, name="" if isinstance(user, str) else user.name)

    def look_up_channel(self, channel: Channel | str) -> ChannelInfo:
        """A channel on the same platform with its name, in the same way."""
        off_the_loop("ctx.look_up_channel", "channel")
        wanted = channel if isinstance(channel, str) else channel.id
        found = ask_channel(self._task, self._services, self._prefix, wanted)
        name = "" if isinstance(channel, str) else channel.name
        return found or ChannelInfo(id=wanted, tenant=self.event.address.tenant, name=name)

    def about(self, handle: Handle | str) -> bool:
        """Whether the event (a reaction, an edit) is about that message of the bot's."""
        off_the_loop("ctx.about", "handle")
        handle = _handle(handle)
        message, here = getattr(self.event, "id", None), self.event.address
        if message is None or handle.address.account != here.account:
            return False
        if handle.target.id is not None:
            return (handle.address.channel, handle.target.id) == (here.channel, message)
        sent = self._services.sent(handle.key)
        return sent is not None and message in sent.ids

    def handle_of(self, message: str) -> Handle | None:
        """The handle of a message of the bot's in the event's channel, by the platform's id.

        Such as what somebody reacted to (``ctx.event.id``), or below what they said something
        (``ctx.event.address.thread``). ``None`` if the bot did not say it.
        """
        off_the_loop("ctx.handle_of", "message")
        here = self.event.address
        found = self._services.said(here.account, here.channel, message)
        return None if found is None else Handle(found[1], found[0])

    # -- what to say -------------------------------------------------------------------------------------

    def reply(self, text: str | Content) -> Handle:
        """Say something where the event happened: in its thread if it was in one. CommonMark.

        Raises:
            SkillError: it belongs to no conversation (a schedule, a webhook).
        """
        if self.event.address == NOWHERE:
            raise SkillError(
                f"a {self.event.kind} event belongs to no conversation, so there is nobody to reply to: "
                'say where, such as ctx.send("acme:#general", text)'
            )
        return self.send(self.event.address, text)

    def send(
        self, place: Address | User | Person | str, text: str | Content, *, below: Handle | str | None = None
    ) -> Handle:
        """Say something anywhere.

        Args:
            place: an address, or the stored string of one; a channel by its name, ``#general`` on the account
                of the event or ``acme:#general`` on another; or a person, who gets a direct message.
            below: a message in that channel, of the bot's or of anybody (`Handle.of`): it is said in its thread. If
                that could not be sent, it is said in the channel.
        """
        content = text if isinstance(text, Content) else Content(text=text)
        address = find_place(place, self.event.address, self._services.accounts)
        thread = None
        if below is not None:
            handle = _handle(below)
            known = handle.address.thread if handle.target.id is not None else None
            thread = handle.target if known is None else Target(id=known)
        return self._say(Send, address, content=content, below=thread)

    def edit(self, handle: Handle | str, text: str | Content) -> Handle:
        """Replace what was said, now or within ``[store] handles_days`` (400) by a ``str(handle)`` that was stored."""
        handle = _handle(handle)
        content = text if isinstance(text, Content) else Content(text=text)
        self._say(Edit, handle.address, target=handle.target, content=content)
        return handle

    def delete(self, handle: Handle | str) -> Handle:
        """Take back what was said."""
        handle = _handle(handle)
        return self._say(Delete, handle.address, target=handle.target)

    def react(
        self, emoji: str, *, on: Handle | str | None = None, remove: bool = False, optional: bool = False
    ) -> Handle:
        """Put an emoji, such as ``wave``, on a message of the bot's, or on the one that this is about.

        Args:
            optional: nothing is amiss if the platform refuses it, such as an emoji that it does not have.

        Raises:
            SkillError: the event is about no message.
        """
        what = {"emoji": emoji.strip(":"), "remove": remove, "optional": optional}
        if on is not None:
            handle = _handle(on)
            return self._say(React, handle.address, target=handle.target, **what)
        message = getattr(self.event, "id", None)
        if message is None:
            raise SkillError(f"a {self.event.kind} event has no message to react to")
        return self._say(React, self.event.address, target=Target(id=message), **what)

    def typing(self, status: str = "is typing...") -> Awaitable[None]:
        """Show that the bot is busy, until it says something. Lets go what was said so far, as `flush` does."""
        self._say(Typing, self.event.address, status=status)
        return self.flush()

    def flush(self) -> Awaitable[None]:
        """Let go what was said so far. In an ``async def`` handler it must be awaited."""
        if self._coroutine:
            return asyncio.to_thread(self._flush)
        self._flush()
        return _Done()

    def take(self) -> tuple[Action, ...]:
        """What has not left yet; called once, when the handler has ended."""
        taken, self._waiting = tuple(self._waiting), []
        return taken

    # -- what to do later --------------------------------------------------------------------------------

    def later(self, when: datetime | timedelta, handler: Callable[..., Any] | str, **arguments: Any) -> str:
        """Run a handler of this skill, declared with ``@skill.schedule()``, at a time; it may reply here then.

        Written down at once, and once: a retry of this run asks for the same. It happens once, also if nothing
        was running when its time came.

        Args:
            when: a moment (with a time zone) or a time from now.
            arguments: its parameters, as JSON.

        Returns:
            An id for `cancel`.

        Raises:
            SkillError: there is no such handler, or it does not take these arguments.
        """
        off_the_loop("ctx.later", "when, handler")
        name = handler if isinstance(handler, str) else handler.__name__
        verify = self._schedules.get(name)
        if verify is None:
            raise SkillError(f"{self._task.skill}.{name} cannot be run later: declare it with @skill.schedule()")
        if isinstance(when, timedelta):
            due = self._clock() + when.total_seconds()
        elif when.tzinfo is None:
            raise SkillError("ctx.later: a moment needs a time zone; take those of parameters or of ctx.now()")
        else:
            due = when.timestamp()
        if not 0 <= due < NEVER:
            raise SkillError(f"ctx.later: {when} is no time that comes")
        try:
            given = to_jsonable_python(arguments, inf_nan_mode="strings")
            verify(given)
        except (PydanticSerializationError, ArgumentsError) as error:
            raise SkillError(f"ctx.later: {name} does not take these arguments: {error}") from None
        number, self._timers = self._timers, self._timers + 1
        event = self.event
        # The same in a retry of this run.
        identity = run_id(event.key, self._task.skill, f"{self._task.handler} later {number}")
        self._services.timers.add(
            Timer(
                id=identity,
                skill=self._task.skill,
                handler=name,
                due_at=due,
                event=Scheduled(
                    key=identity,
                    address=event.address,
                    channel_name=event.channel_name,
                    conversation=event.conversation,
                    person=event.person,
                    skill=self._task.skill,
                    handler=name,
                    due=due,
                    arguments=given,
                    traceparent=event.traceparent,
                ),
            )
        )
        return identity

    def cancel(self, timer: str) -> bool:
        """Take back what `later` was asked for; ``False`` if its time has come already."""
        off_the_loop("ctx.cancel", "timer")
        return self._services.timers.cancel(self._task.skill, timer)

    # -----------------------------------------------------------------------------------------------------

    @property
    def _prefix(self) -> str:
        return f"{self.event.key}|{self._task.skill}.{self._task.handler}"

    def _flush(self) -> None:
        if actions := self.take():
            self._services.leave(self._task, actions)

    def _nobody_waits(self, address: Address) -> bool:
        """Whether it is no answer to a person, but what was scheduled, or is said elsewhere."""
        here, person = self.event.address, self.event.person
        if person is None or isinstance(self.event, Scheduled | Webhook | Undeliverable):
            return True
        return address.channel not in (here.channel, f"@{person.id}") or address.account != here.account

    def _say(self, kind: type[ActionBase], address: Address, **fields: Any) -> Handle:
        ordinal, self._ordinal = self._ordinal, self._ordinal + 1
        action = kind(
            key=action_key(self.event.key, f"{self._task.skill}.{self._task.handler}", ordinal),
            address=address,
            run=self._task.run,
            ordinal=ordinal,
            bulk=self._nobody_waits(address),
            traceparent=self.event.traceparent,
            hops=(*self._task.hops, ("handler", self._clock())),
            **fields,
        )
        self._waiting.append(action)  # type: ignore[arg-type]  # every kind given here is in the union
        return Handle(address, action.key)


def _handle(handle: Handle | str) -> Handle:
    return Handle.parse(handle) if isinstance(handle, str) else handle
