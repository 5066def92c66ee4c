"""Dragoman on Discord: the gateway in, the REST API out, and slash commands both ways.

``DiscordAdapter`` and ``DiscordSettings`` are loaded on first use, so that importing this package costs nothing
and needs no SDK.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapter import DiscordAdapter
    from .settings import DiscordSettings

__all__ = ["DiscordAdapter", "DiscordSettings"]

_HOMES = {"DiscordAdapter": "adapter", "DiscordSettings": "settings"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
