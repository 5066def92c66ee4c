"""The console: one person in a terminal talks to the bot, with no account and no network."""

from .adapter import ConsoleAdapter, ConsoleSettings

__all__ = ["ConsoleAdapter", "ConsoleSettings"]
