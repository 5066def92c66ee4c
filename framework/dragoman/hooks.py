"""Every hook, on one page.

A plugin is an object (a `Skill`, an `Adapter` subclass, a `Plugin` subclass, a module) that an entry point in the
group ``dragoman.skills``, ``dragoman.adapters`` or ``dragoman.plugins`` names. Its hook implementations are marked
with `hookimpl` and return values; none receives a registry to change. `Skill` and `Adapter` carry theirs already.

An implementation may leave out parameters that it does not need. Where several plugins implement a filter or a
wrapper, they are called in the order of their names (``distribution:name``), ``tryfirst`` ones before and
``trylast`` ones after all others, each with what the one before has made.

Filters and wrappers are called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import click

    from .action import Action
    from .adapter import Adapter
    from .context import Context
    from .event import Event
    from .skill import Skill

__all__ = ["PROJECT", "Hooks", "hookimpl", "hookspec"]

PROJECT = "dragoman"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The specifications: when each is called, in which process, what it returns, and what an error in it does."""

    @hookspec
    def dragoman_skills(self) -> Sequence[Skill]:  # type: ignore[empty-body]  # a specification has no body
        """The skills of a plugin (group ``dragoman.skills``).

        Called once, when a worker starts (and in ``run``, ``chat`` and ``check``). After an error the plugin is
        named in the log and left out, or the start fails (``--strict``).
        """

    @hookspec
    def dragoman_adapters(self) -> Sequence[type[Adapter]]:  # type: ignore[empty-body]  # likewise
        """The adapters of a plugin (group ``dragoman.adapters``), for the platform that its entry point is named after.

        Called once, when a gateway starts with an account of that platform (and in ``run`` and ``check``). After an
        error its accounts are left out, or the start fails (``--strict``).
        """

    @hookspec
    def dragoman_commands(self) -> Sequence[click.Command]:  # type: ignore[empty-body]  # likewise
        """Commands for the command line, under the name of the plugin.

        Groups ``dragoman.adapters`` and ``dragoman.plugins``. Called in the process of the command line, when
        somebody types the plugin's name or asks for help; the plugin need not be enabled, and its settings are not
        read: of a `Plugin`, this is a ``classmethod``. One command (or group of commands) is named as the plugin is.
        An error is told with the plugin's name.
        """

    @hookspec
    def dragoman_event(self, event: Event) -> Event | None:
        """Filter an event: return it, a changed copy (``event.model_copy(update=...)``), or ``None`` to drop it.

        Group ``dragoman.plugins``. Called in the router, for every event, after the directory has completed its
        person and before it is matched; what it takes, every event waits for. Its key must stay: it says what
        happened. After an error the plugin is named in the log, and the event goes on as it was.
        """

    @hookspec(firstresult=True)
    def dragoman_run(self, context: Context, call: Callable[[], Any]) -> Any:
        """Wrap every run of a handler.

        Group ``dragoman.plugins``; ``@hookimpl(wrapper=True)`` on a generator that yields once, and returns what
        ``yield`` gave it. Called in the worker: in the process or thread where a ``def`` handler runs, and in
        the thread that waits for an ``async def`` handler. ``yield`` gives what the handler has said that has not left
        yet (a tuple of actions), or raises what it raised. The framework's own implementation runs the handler;
        ``call`` is for it alone. An error of the wrapper's own fails the run, which is tried again as any other, and
        names the plugin.
        """

    @hookspec
    def dragoman_action(self, action: Action) -> Action | None:
        """Filter what the bot does: return the action, a changed copy, or ``None`` to drop it.

        Group ``dragoman.plugins``. Called in the gateway, on its event loop, right before an action is performed (so
        it must not block), with addresses and targets resolved. Its key must stay. What is dropped is parked in the
        ledger with the plugin's name; so is what a filter fails on, for it may be there to keep something in.
        """
