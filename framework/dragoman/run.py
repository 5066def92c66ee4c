"""Running a handler: from a task to its actions, with nothing of Celery, brokers or stores."""

import contextlib
import inspect
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

from .action import Action
from .arguments import bind
from .content import Content
from .context import Context
from .errors import ArgumentsError, SkillError
from .event import Scheduled
from .skill import Handler, Skill
from .task import Task

__all__ = ["find_handler", "run", "run_async"]


def find_handler(skill: Skill, task: Task) -> Handler:
    """The handler that a task names.

    Raises:
        SkillError: this version of the skill has no such handler.
    """
    try:
        return skill.handlers[task.handler]
    except KeyError:
        raise SkillError(
            f"skill {skill.name!r} has no handler {task.handler!r} (it has {', '.join(skill.handlers) or 'none'}); "
            "the task was routed by another version of its manifest"
        ) from None


def run(handler: Handler, task: Task, context: Context) -> tuple[Action, ...]:
    """Run a ``def`` handler; the actions that have not left yet."""
    try:
        arguments = _arguments(handler, task, context)
    except ArgumentsError as error:
        return _refuse(task, context, error)
    with _not_exiting(handler):
        result = handler.function(**arguments)
        if inspect.isgenerator(result):
            values: Iterator[Any] = result
            for value in values:
                _say(handler, context, value)
                context.flush()
        else:
            _say(handler, context, result)
    return context.take()


async def run_async(handler: Handler, task: Task, context: Context) -> tuple[Action, ...]:
    """Run an ``async def`` handler; the actions that have not left yet."""
    try:
        arguments = _arguments(handler, task, context)
    except ArgumentsError as error:
        return _refuse(task, context, error)
    with _not_exiting(handler):
        result = handler.function(**arguments)
        if inspect.isasyncgen(result):
            values: AsyncIterator[Any] = result
            async for value in values:
                _say(handler, context, value)
                await context.flush()
        else:
            _say(handler, context, await result)
    return context.take()


@contextlib.contextmanager
def _not_exiting(handler: Handler) -> Iterator[None]:
    """``sys.exit()`` would end the event loop of all async handlers, or a thread that nobody waits for."""
    try:
        yield
    except SystemExit as error:
        raise SkillError(
            f"handler {handler.name!r} called sys.exit({error.code!r}); a handler ends by returning or with an error"
        ) from error


def _arguments(handler: Handler, task: Task, context: Context) -> dict[str, Any]:
    arguments = bind(handler.function, handler.command, handler.parameters, task.arguments)
    for name, value in arguments.items():
        if isinstance(value, datetime) and value.tzinfo is not None:
            # JSON keeps the offset of that day; "a day later" is meant by the clock on the person's wall.
            arguments[name] = value.astimezone(context.now().tzinfo)
    if handler.context is not None:
        arguments[handler.context] = context
    return arguments


def _refuse(task: Task, context: Context, error: ArgumentsError) -> tuple[Action, ...]:
    """A type of the author's own does not take what was said: the person's mistake, and no failure of the run."""
    if isinstance(task.event, Scheduled):
        # Nobody has typed it: the handler has changed since it was asked for. It fails, so that it is not lost.
        raise SkillError(f"{task.skill}.{task.handler} does not take what ctx.later was given: {error}") from error
    if task.asked:
        context.reply(f"{error}\n\nUsage: `{error.usage}`")
    return context.take()


def _say(handler: Handler, context: Context, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str | Content):
        raise SkillError(
            f"handler {handler.name!r} returned {type(value).__name__}; return or yield a text, a Content or None"
        )
    if isinstance(value, Content) or value.strip():
        context.reply(value)
