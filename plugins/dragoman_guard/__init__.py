"""Guard: people who are not listened to, handlers that take long, and tokens that must not be said.

A bundled plugin, and an example of each hook on a message's way::

    [bot]
    plugins = ["guard"]

    [plugins.guard]
    ignore = ["U0123", "B0456"]
    slow = 10
"""

import logging
import re
import time
from collections.abc import Generator
from typing import Annotated, Any, Final

import click
from pydantic import Field

from dragoman import Action, Context, Edit, Event, Plugin, PluginSettings, Send, hookimpl

__all__ = ["Guard", "redact"]

log = logging.getLogger(__name__)

#: What platforms' and clouds' credentials look like.
TOKEN: Final = re.compile(
    r"""
    \bxox[a-z](?:\.xox[a-z])?-[\w-]{10,}                            # Slack: bots, users, refresh, configuration
  | \bxapp-[\w-]{10,}                                               # Slack: apps
  | (?<![\w.-])[MNO][\w-]{22,28}\.[\w-]{6}\.[\w-]{27,45}(?![\w-])   # Discord: bots
  | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b                                   # AWS: access keys
  | -----BEGIN\ (?:[A-Z]+\ )*PRIVATE\ KEY-----                      # PEM, to its end or to the end of the text
    (?:(?!-----END).)*(?:-----END\ [A-Z ]*-----)?
    """,
    re.VERBOSE | re.DOTALL,
)


class GuardSettings(PluginSettings):
    """``[plugins.guard]``: ids of people (or bots) to ignore, and from how many seconds on a handler is slow."""

    ignore: frozenset[str] = frozenset()
    slow: Annotated[float, Field(gt=0)] = 5.0


class Guard(Plugin):
    """Enabled by ``plugins = ["guard"]``."""

    Settings = GuardSettings
    settings: GuardSettings

    @hookimpl
    def dragoman_event(self, event: Event) -> Event | None:
        """Who is ignored has said nothing."""
        return None if event.person is not None and event.person.id in self.settings.ignore else event

    @hookimpl(wrapper=True)
    def dragoman_run(self, context: Context) -> Generator[None, Any, Any]:
        """Time every handler."""
        started = time.monotonic()
        try:
            return (yield)
        finally:
            took = time.monotonic() - started
            if took > self.settings.slow:
                context.log.warning("slow: it took %.1f s for %s", took, context.event.key)

    @hookimpl
    def dragoman_action(self, action: Action) -> Action | None:
        """Whatever the bot says, it says without tokens."""
        if not isinstance(action, Send | Edit) or (text := redact(action.content.text)) == action.content.text:
            return action
        log.error("a token was taken out of what the bot says: %s", action.key)
        return action.model_copy(update={"content": action.content.model_copy(update={"text": text})})

    @classmethod
    @hookimpl
    def dragoman_commands(cls) -> list[click.Command]:
        """``dragoman guard TEXT``."""
        return [guard]


def redact(text: str) -> str:
    """The text without what looks like a credential."""
    return TOKEN.sub("[removed]", text)


@click.command()
@click.argument("text")
def guard(text: str) -> None:
    """Print TEXT as the guard would let the bot say it."""
    click.echo(redact(text))
