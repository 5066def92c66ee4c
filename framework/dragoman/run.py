"""Running a handler: from a task to its actions, with nothing of Celery, brokers or stores."""

import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

from .action import Action
from .content import Content
from .context import Context
from .errors import SkillError
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
    result = handler.function(**_arguments(handler, task, context))
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
    result = handler.function(**_arguments(handler, task, context))
    if inspect.isasyncgen(result):
        values: AsyncIterator[Any] = result
        async for value in values:
            _say(handler, context, value)
            await context.flush()
    else:
        _say(handler, context, await result)
    return context.take()


def _arguments(handler: Handler, task: Task, context: Context) -> dict[str, Any]:
    known = {parameter.name for parameter in handler.parameters}
    arguments = {name: value for name, value in task.arguments.items() if name in known}
    if handler.context is not None:
        arguments[handler.context] = context
    return arguments


def _say(handler: Handler, context: Context, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, str | Content):
        raise SkillError(
            f"handler {handler.name!r} returned {type(value).__name__}; return or yield a text, a Content or None"
        )
    if isinstance(value, Content) or value.strip():
        context.reply(value)
