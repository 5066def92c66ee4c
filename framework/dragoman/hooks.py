"""Every hook, on one page.

A plugin is an object (a `Skill`, an `Adapter` subclass, a module) that an entry point in the group
``dragoman.skills`` or ``dragoman.adapters`` names. Its hook implementations are marked with `hookimpl`
and return values; none receives a registry to change. `Skill` and `Adapter` carry theirs already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from .adapter import Adapter
    from .skill import Skill

__all__ = ["PROJECT", "Hooks", "hookimpl", "hookspec"]

PROJECT = "dragoman"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """The specifications. Each says when it is called, in which process, and what it returns."""

    @hookspec
    def dragoman_skills(self) -> Sequence[Skill]:  # type: ignore[empty-body]  # a specification has no body
        """The skills of a plugin. Called once, when a worker (or ``dragoman chat``) starts."""

    @hookspec
    def dragoman_commands(self) -> Sequence[click.Command]:  # type: ignore[empty-body]  # a specification has no body
        """Commands for the command line, under the name of the plugin: called when somebody types that name."""

    @hookspec
    def dragoman_adapters(self) -> Sequence[type[Adapter]]:  # type: ignore[empty-body]  # likewise
        """The adapters of a plugin. Called once, when a gateway starts."""
