"""``dragoman plugins``: what is there, from which distribution, with which hooks, and whether it works."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .errors import DragomanError
from .local_skills import local_files
from .plugins import (
    ADAPTERS,
    PLUGINS,
    SKILLS,
    Problems,
    discover,
    hooks_of,
    load_adapters,
    load_plugins,
    load_skills,
)
from .settings import Settings

__all__ = ["Row", "list_plugins", "show_plugins"]

#: Of the states, the colours.
COLOURS: Final = {"enabled": "green", "not enabled": "dim", "broken": "red", "not installed": "red"}


class Row(NamedTuple):
    """One of them.

    Attributes:
        kind: ``skill``, ``adapter`` or ``plugin``.
        origin: the distribution and its version, or the file in the bot's own folder.
        state: ``enabled``, ``not enabled``, ``broken`` or ``not installed``.
        hooks: that it implements; of what is not enabled they are not known, for it is not imported.
        problem: what is wrong.
    """

    kind: str
    name: str
    origin: str
    state: str
    hooks: tuple[str, ...] = ()
    problem: str = ""


def list_plugins(settings: Settings) -> list[Row]:
    """All that is installed, all that the settings name, and the files in the bot's own folder."""
    problems: Problems = {}
    used = {str(account["platform"]) for account in settings.accounts.values()}
    folder = settings.root / settings.bot.folder
    skills = load_skills(_there(SKILLS, settings.bot.skills), folder, strict=False, problems=problems)
    load_adapters(_there(ADAPTERS, used), strict=False, problems=problems)
    for found in discover(PLUGINS):
        if found.name in settings.bot.plugins:
            try:
                load_plugins(_only(settings, found.name), strict=True)
            except DragomanError as error:  # its settings, perhaps
                problems[found.plugin_name] = str(error)
    rows = [*_group(SKILLS, "skill", settings.bot.skills, problems)]
    for file in local_files(folder):
        if file.name in problems:
            rows.append(Row("skill", file.stem, file.name, "broken", problem=problems[file.name]))
        for name, skill in skills.items():
            if skill.origin == file.name:
                rows.append(Row("skill", name, file.name, "enabled", hooks_of(skill)))
    rows += _group(ADAPTERS, "adapter", used, problems)
    rows += _group(PLUGINS, "plugin", settings.bot.plugins, problems)
    return rows


def _there(group: str, names: Collection[str]) -> list[str]:
    return [found.name for found in discover(group) if found.name in names]


def _only(settings: Settings, name: str) -> Settings:
    """The same, with this plugin alone."""
    own = {key: value for key, value in settings.plugins.items() if key == name}
    return settings.model_copy(update={"bot": settings.bot.model_copy(update={"plugins": (name,)}), "plugins": own})


def _group(group: str, kind: str, enabled: Collection[str], problems: Problems) -> Iterator[Row]:
    found = discover(group)
    for each in found:
        if each.name not in enabled:
            yield Row(kind, each.name, each.origin, "not enabled")
        elif each.plugin_name in problems:
            yield Row(kind, each.name, each.origin, "broken", problem=problems[each.plugin_name])
        else:
            yield Row(kind, each.name, each.origin, "enabled", hooks_of(each.load()))
    for name in sorted(set(enabled) - {each.name for each in found}):
        yield Row(kind, name, "", "not installed", problem="the settings name it; install it, or correct the name")


def show_plugins(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print them as a table that fits, and what is wrong below it."""
    out = console or Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("kind", "name", "state", "from", "hooks"):
        table.add_column(title, overflow="fold")
    for row in rows:
        hooks = ", ".join(hook.removeprefix("dragoman_") for hook in row.hooks)
        table.add_row(row.kind, row.name, Text(row.state, COLOURS[row.state]), row.origin, hooks)
    out.print(table)
    for row in rows:
        if row.problem:
            out.print(Text.assemble(("\n" + row.name, "bold red"), f": {row.problem}"), soft_wrap=True)
