"""The plugins that are loaded, and what the framework asks them on the way of a message."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import pluggy

from .action import ActionBase
from .context import Context
from .errors import DeliveryError, PluginError
from .event import EventBase
from .hooks import PROJECT, Hooks, hookimpl

__all__ = ["RUN", "PluginSet", "new_manager"]

log = logging.getLogger(__name__)

RUN: Final = "dragoman_run"
#: The name of the framework's own implementations.
OWN: Final = "dragoman"


class _Runs:
    """The innermost of all around a run."""

    @hookimpl
    def dragoman_run(self, call: Callable[[], Any]) -> Any:
        return call()


def new_manager() -> pluggy.PluginManager:
    """One that knows the hooks, and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    return manager


class PluginSet:
    """Filters and wrappers, in their order. Without plugins it costs nothing.

    Args:
        plugins: by name (``distribution:name``), in order; they fit the hooks.
    """

    def __init__(self, plugins: Sequence[tuple[str, object]] = ()) -> None:
        manager = new_manager()
        manager.register(_Runs(), name=OWN)
        for name, plugin in plugins:
            manager.register(plugin, name=name)
        self.names = tuple(name for name, _ in plugins)
        self._events = _ordered(manager.hook.dragoman_event)
        self._actions = _ordered(manager.hook.dragoman_action)
        # One caller for each wrapper, so that it is known whose an error is. The innermost is the first to be put on.
        wrappers = _ordered(manager.hook.dragoman_run)
        self._wrappers = [
            (
                each.plugin_name,
                manager.subset_hook_caller(
                    RUN, [other.plugin for other in wrappers if other is not each and other.plugin_name != OWN]
                ),
            )
            for each in reversed(wrappers)
            if each.plugin_name != OWN
        ]

    def event(self, event: EventBase) -> Any:
        """The event as the filters leave it, or ``None`` if one drops it. One that fails is passed over."""
        for implementation in self._events:
            try:
                found = _call(implementation, event=event)
                if found is None:
                    log.info("%s drops event %s", implementation.plugin_name, event.key)
                    return None
                _same(found, event)
            except Exception:
                log.exception("%s failed in dragoman_event; %s goes on", implementation.plugin_name, event.key)
            else:
                event = found
        return event

    def action(self, action: ActionBase) -> Any:
        """The action as the filters leave it.

        Raises:
            DeliveryError: one drops it, or fails: it is not to be performed. The message names the plugin.
        """
        for implementation in self._actions:
            name = implementation.plugin_name
            try:
                found = _call(implementation, action=action)
                if found is not None:
                    _same(found, action)
            except Exception as error:
                log.exception("%s failed in dragoman_action", name)
                raise DeliveryError(f"{name}: its dragoman_action failed: {error!r}", code="plugin") from error
            if found is None:
                raise DeliveryError(f"{name} has dropped it", code="plugin")
            action = found
        return action

    def around(self, context: Context, call: Callable[[], Any]) -> Any:
        """Call a handler with the wrappers around it; what it said.

        Raises:
            PluginError: a wrapper failed, and not the handler. The message names the plugin.
        """
        for name, hook in self._wrappers:
            call = partial(_wrapped, name, hook, context, call)
        return call()


def _wrapped(name: str, hook: Any, context: Context, call: Callable[[], Any]) -> Any:
    raised: list[BaseException] = []

    def called() -> Any:
        try:
            return call()
        except BaseException as error:
            raised.append(error)
            raise

    try:
        result = hook(context=context, call=called)
    except Exception as error:
        if any(error is each for each in raised):
            raise
        raise PluginError(f"{name}: its {RUN} failed: {error!r}") from error
    if not isinstance(result, tuple):
        raise PluginError(f"{name}: its {RUN} must return what `yield` gave it, not {type(result).__name__}")
    return result


def _ordered(caller: Any) -> list[Any]:
    """Its implementations, in the order in which they are called: for filters, and from the outside in."""
    return sorted(caller.get_hookimpls(), key=lambda each: (not each.tryfirst, each.trylast, each.plugin_name))


def _call(implementation: Any, **given: Any) -> Any:
    return implementation.function(*(given[name] for name in implementation.argnames))


def _same(found: object, given: EventBase | ActionBase) -> None:
    if not isinstance(found, type(given)):
        raise TypeError(f"it must return a {type(given).__name__} or None, not {type(found).__name__}")
    if found.key != given.key:
        raise ValueError(f"it must not change the key {given.key!r}")
