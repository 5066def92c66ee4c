"""A skill: a named set of handlers, one plugin, one dedicated queue, one delivery policy, one pool."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, get_type_hints

from .arguments import parameters_of
from .context import Context
from .errors import SkillError
from .hooks import hookimpl
from .manifest import (
    CommandTrigger,
    HandlerManifest,
    HearTrigger,
    OnTrigger,
    Parameter,
    SkillManifest,
    Trigger,
)
from .patterns import Pattern

__all__ = ["Handler", "Skill"]

Function = TypeVar("Function", bound=Callable[..., Any])

#: RabbitMQ takes a message back from a consumer that holds it for 30 minutes.
LONGEST: Final = 25 * 60.0

#: Kinds that ``on`` can be given.
EVENTS: Final = ("message", "edited", "deleted", "reaction", "member_joined")


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

    def manifest(self) -> HandlerManifest:
        summary, _, description = inspect.cleandoc(self.function.__doc__ or "").partition("\n")
        return HandlerManifest(
            name=self.name,
            trigger=self.trigger,
            summary=summary.strip(),
            description=description.strip(),
            parameters=self.parameters,
        )


@dataclass(eq=False)
class Skill:
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
        retries: how many times a failed run is tried again, after a short wait.
        time_limit: seconds that one run may take; 1500 at most.
        pool: the pool of workers to run in. Left out, handlers share the pool ``default`` (processes), or
            ``async`` (threads over one event loop) if every handler is an ``async def``. Any other name
            is a pool of this skill's own, or of all the skills that name it.

    Raises:
        SkillError: something does not fit.
    """

    name: str
    summary: str = ""
    retries: int = 2
    time_limit: float = 60.0
    pool: str | None = None
    handlers: dict[str, Handler] = field(default_factory=dict, init=False)
    #: Where it was loaded from, such as ``dragoman 0.1.0``; set by the loader.
    origin: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if not 0 < self.time_limit <= LONGEST:
            raise SkillError(f"skill {self.name!r}: time_limit is in seconds, more than 0 and at most {LONGEST:g}")
        if self.retries < 0:
            raise SkillError(f"skill {self.name!r}: retries cannot be negative")
        self.manifest()

    def command(self, *aliases: str, name: str | None = None) -> Callable[[Function], Function]:
        """Run the function when its name is the first word said to the bot; its parameters are the grammar."""
        if any(callable(alias) for alias in aliases):
            raise SkillError(f"skill {self.name!r}: write @skill.command() with parentheses")

        def decorate(function: Function) -> Function:
            names = (name or function.__name__, *aliases)
            for word in names:
                if not word or word != "".join(word.split()) or word != word.casefold():
                    raise SkillError(f"skill {self.name!r}: the command {word!r} must be one lower-case word")
            self._add(function, CommandTrigger(names=names), typed=True)
            return function

        return decorate

    def hear(self, pattern: str, *, ignore_case: bool = True) -> Callable[[Function], Function]:
        """Run the function when anybody's message has the pattern in it; named groups become parameters."""
        if callable(pattern):
            raise SkillError(f"skill {self.name!r}: write @skill.hear(...) with a pattern")
        compiled = Pattern(pattern, ignore_case=ignore_case)

        def decorate(function: Function) -> Function:
            handler = self._add(function, HearTrigger(pattern=pattern, ignore_case=ignore_case), typed=True)
            groups = compiled.names
            for parameter in handler.parameters:
                if parameter.required and parameter.name not in groups:
                    raise SkillError(
                        f"{self.name}.{handler.name}: the pattern {pattern!r} has no group (?P<{parameter.name}>...)"
                    )
            return function

        return decorate

    def on(self, event: str) -> Callable[[Function], Function]:
        """Run the function for every event of a kind: message, edited, deleted, reaction, member_joined."""
        if event not in EVENTS:
            raise SkillError(f"skill {self.name!r}: on({event!r}): there are the events {', '.join(EVENTS)}")

        def decorate(function: Function) -> Function:
            self._add(function, OnTrigger(event=event), typed=False)
            return function

        return decorate

    def _add(self, function: Callable[..., Any], trigger: Trigger, *, typed: bool) -> Handler:
        name = function.__name__
        if name in self.handlers:
            raise SkillError(f"skill {self.name!r} has two handlers named {name!r}")
        try:
            hints = get_type_hints(function)
        except (NameError, TypeError) as error:
            raise SkillError(f"{self.name}.{name}: its annotations cannot be read: {error}") from None
        contexts = [parameter for parameter, hint in hints.items() if hint is Context and parameter != "return"]
        if len(contexts) > 1:
            raise SkillError(f"{self.name}.{name}: one Context is enough, not {' and '.join(contexts)}")
        parameters = parameters_of(function, skip=contexts)
        if parameters and not typed:
            raise SkillError(
                f"{self.name}.{name}: a handler of events takes only a Context, not {parameters[0].name!r}"
            )
        coroutine = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
        handler = Handler(name, function, trigger, parameters, contexts[0] if contexts else None, coroutine)
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
                origin=self.origin,
                handlers=tuple(handler.manifest() for handler in handlers),
            )
        except ValueError:
            raise SkillError(f"{self.name!r} is not a skill's name: use lower-case letters, digits, - and _") from None

    @hookimpl
    def dragoman_skills(self) -> Sequence["Skill"]:
        """A skill is a plugin that provides itself."""
        return [self]
