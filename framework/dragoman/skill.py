"""A skill: a named set of handlers, one plugin, one dedicated queue, one delivery policy, one pool."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ByteSize, Field, TypeAdapter

from .arguments import parameters_of
from .context import Context
from .cooldown import Cooldown
from .errors import SkillError
from .hooks import hookimpl
from .manifest import HandlerManifest, Policy, SkillManifest
from .parameter import Parameter
from .triggers import CommandTrigger, Declarations, Trigger
from .triggers.trigger import Declared

__all__ = ["GRACE", "Handler", "Skill"]

#: Seconds between the exception that a handler gets at its time limit and its end.
GRACE: Final = 5.0
#: RabbitMQ takes a message back from a consumer that holds it for 30 minutes.
LONGEST: Final = 25 * 60.0
SIZE: Final[TypeAdapter[int | None]] = TypeAdapter(Annotated[ByteSize, Field(ge=1_000_000)] | None)


@dataclass(frozen=True, slots=True)
class Handler:
    """A function with a trigger.

    Attributes:
        context: the name of the parameter annotated with `Context`, if it asks for one.
        coroutine: whether it is an ``async def`` (or an async generator).
    """

    name: str
    function: Callable[..., Any]
    trigger: Trigger
    parameters: tuple[Parameter, ...] = ()
    context: str | None = None
    coroutine: bool = False
    allow: tuple[str, ...] = ()
    cooldown: Cooldown | None = None

    @property
    def command(self) -> str:
        """What it is called in its usage line."""
        return self.trigger.names[0] if isinstance(self.trigger, CommandTrigger) else self.name

    def manifest(self) -> HandlerManifest:
        summary, _, description = inspect.cleandoc(self.function.__doc__ or "").partition("\n")
        return HandlerManifest(
            name=self.name,
            trigger=self.trigger,
            summary=summary.strip(),
            description=description.strip(),
            parameters=self.parameters,
            allow=self.allow,
            cooldown=self.cooldown,
        )


@dataclass(eq=False)
class Skill(Declarations):
    """Declare a skill::

        skill = Skill("dice", summary="Roll dice")

        @skill.command()
        def roll(dice: str = "1d6") -> str:
            "Roll dice such as 2d20."
            ...

    An entry point in the group ``dragoman.skills`` names the object; nothing is registered by hand.

    Args:
        name: lower case; names the queue (``dragoman.skill.<name>``) and the task.
        summary: one line for help.
        retries: how many times a failed run is tried again: after a second or less, and then after up to twice as
            long each time, to 5 minutes.
        retry_on: the exceptions that are worth another attempt, such as ``(ConnectionError, TimeoutError)``; any other
            one parks the run at once. Going over the time limit counts as a ``TimeoutError``. A run whose process has
            died is always tried again.
        time_limit: seconds that one run may take; 1500 at most. Then a ``def`` handler gets an exception, and an
            ``async def`` one is cancelled.
        hard_time_limit: seconds after which its process is ended, whatever it does; left out, 5 more.
        give_up_after: seconds after its event came in which an attempt may begin. Later, the run is parked, and
            whoever waits for it is told. Left out, the age does not matter.
        pool: the pool of workers to run in. Left out, handlers share the pool ``default`` (processes), or
            ``async`` (threads over one event loop) if every handler is an ``async def``. Any other name
            is a pool of this skill's own, or of all the skills that name it.
        order: ``"conversation"``: what happens in one conversation (a channel with its threads) runs one after
            another, in the order in which it happened, on however many workers. While a run waits to be tried
            again, those behind it wait as well. Left out, everything runs as soon as it can.
        policy: with ``order``: which of what waits behind a run is run. ``"all"`` of it; the ``"latest"`` only, which
            takes the place of what has not begun; or nothing of what comes while it is busy (``"drop_while_busy"``).
        concurrency: how many of its runs each worker has under way at once; left out, half of the pool.
        max_memory: such as ``"200MB"``: a process of its pool that a run has left larger is replaced, and nothing is
            lost. In a pool of several skills the smallest counts. Threads (the pool ``async``) know no such limit.
        settings: the model of ``[skills.NAME]``: verified at the start, and handed over as ``ctx.settings``.

    Raises:
        SkillError: something does not fit.
    """

    name: str
    summary: str = ""
    retries: int = 2
    retry_on: tuple[type[Exception], ...] = (Exception,)
    time_limit: float = 60.0
    hard_time_limit: float | None = None
    give_up_after: float | None = None
    pool: str | None = None
    order: Literal["conversation"] | None = None
    policy: Policy = "all"
    concurrency: int | None = None
    max_memory: str | int | None = None
    settings: type[BaseModel] | None = None
    handlers: dict[str, Handler] = field(default_factory=dict, init=False)
    #: Where it was loaded from, such as ``dragoman 0.1.0``; set by the loader.
    origin: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if not 0 < self.time_limit <= LONGEST:
            raise SkillError(f"skill {self.name!r}: time_limit is in seconds, more than 0 and at most {LONGEST:g}")
        if self.retries < 0:
            raise SkillError(f"skill {self.name!r}: retries cannot be negative")
        self._verify_failures()
        if self.order not in (None, "conversation"):
            raise SkillError(f'skill {self.name!r}: order is "conversation" or left out, not {self.order!r}')
        if self.policy not in get_args(Policy):
            known = ", ".join(get_args(Policy))
            raise SkillError(f"skill {self.name!r}: policy is one of {known}, not {self.policy!r}")
        if self.policy != "all" and self.order is None:
            raise SkillError(f'skill {self.name!r}: policy = "{self.policy}" needs order = "conversation"')
        if self.concurrency is not None and not 1 <= self.concurrency <= 1000:
            raise SkillError(f"skill {self.name!r}: concurrency is from 1 to 1000")
        if self.max_memory is not None:
            self.memory()
        self.manifest()

    def _verify_failures(self) -> None:
        if not isinstance(self.retry_on, tuple) or not all(
            isinstance(kind, type) and issubclass(kind, Exception) for kind in self.retry_on
        ):
            raise SkillError(
                f"skill {self.name!r}: retry_on is a tuple of exceptions such as (ConnectionError, TimeoutError), "
                f"not {self.retry_on!r}"
            )
        if self.hard_time_limit is not None and not self.time_limit < self.hard_time_limit <= LONGEST + GRACE:
            raise SkillError(
                f"skill {self.name!r}: hard_time_limit is in seconds, more than time_limit ({self.time_limit:g}) and "
                f"at most {LONGEST + GRACE:g}"
            )
        if self.give_up_after is not None and not self.give_up_after > 0:
            raise SkillError(f"skill {self.name!r}: give_up_after is in seconds, and more than 0")

    @property
    def ends_after(self) -> float:
        """Seconds after which a run is ended: ``hard_time_limit``, or the time limit and a little more."""
        return self.time_limit + GRACE if self.hard_time_limit is None else self.hard_time_limit

    def memory(self) -> int | None:
        """``max_memory`` in bytes.

        Raises:
            SkillError: it is no size.
        """
        try:
            return SIZE.validate_python(self.max_memory)
        except ValueError:
            raise SkillError(
                f'skill {self.name!r}: max_memory is a size such as "200MB", not {self.max_memory!r}'
            ) from None

    def add(self, function: Callable[..., Any], declared: Declared) -> Handler:
        """Make a function a handler; what the decorators do.

        Raises:
            SkillError: its signature does not fit the trigger.
        """
        name = function.__name__
        where = f"{self.name}.{name}"
        if name in self.handlers:
            raise SkillError(f"skill {self.name!r} has two handlers named {name!r}")
        try:
            hints = get_type_hints(function)
        except (NameError, TypeError) as error:
            raise SkillError(f"{where}: its annotations cannot be read: {error}") from None
        contexts = [
            parameter
            for parameter, hint in hints.items()
            if (hint is Context or get_origin(hint) is Context) and parameter != "return"
        ]
        if len(contexts) > 1:
            raise SkillError(f"{where}: one Context is enough, not {' and '.join(contexts)}")
        parameters = parameters_of(function, skip=contexts)
        trigger = declared.trigger
        if isinstance(trigger, CommandTrigger):
            trigger = trigger.named(name)
        if parameters and not trigger.typed:
            raise SkillError(f"{where}: its handler takes only a Context, not {parameters[0].name!r}")
        trigger.check(where, parameters)
        handler = Handler(
            name=name,
            function=function,
            trigger=trigger,
            parameters=parameters,
            context=contexts[0] if contexts else None,
            coroutine=inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function),
            allow=declared.allow,
            cooldown=declared.cooldown,
        )
        self.handlers[name] = handler
        return handler

    def manifest(self) -> SkillManifest:
        """The skill described as data."""
        handlers = self.handlers.values() if "handlers" in self.__dict__ else ()
        pool = self.pool
        if pool is None:
            pool = "async" if handlers and all(h.coroutine for h in handlers) else "default"
        try:
            return SkillManifest(
                name=self.name,
                summary=self.summary,
                pool=pool,
                retries=self.retries,
                time_limit=self.time_limit,
                hard_time_limit=self.hard_time_limit,
                give_up_after=self.give_up_after,
                order=self.order,
                policy=self.policy,
                origin=self.origin,
                handlers=tuple(handler.manifest() for handler in handlers),
            )
        except ValueError:
            raise SkillError(f"{self.name!r} is not a skill's name: use lower-case letters, digits, - and _") from None

    @hookimpl
    def dragoman_skills(self) -> Sequence["Skill"]:
        """A skill is a plugin that provides itself."""
        return [self]
