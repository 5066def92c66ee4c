"""Dragoman on Slack: Socket Mode in, the Web API out.

``SlackAdapter`` and ``SlackSettings`` are loaded on first use, so that importing this package costs nothing
and needs no SDK. The app manifest is `dragoman_slack.app_manifest.app_manifest`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapter import SlackAdapter
    from .settings import SlackSettings

__all__ = ["SlackAdapter", "SlackSettings"]

_HOMES = {"SlackAdapter": "adapter", "SlackSettings": "settings"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
