"""``dragoman adapters``: which are installed, and what each platform can do, as they declare it."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.markdown import Markdown

from .adapter import Adapter
from .capabilities import Capabilities
from .plugins import ADAPTERS, Problems, discover, load_adapters

__all__ = ["Platform", "markdown", "read_platforms", "show_platforms"]


class Platform(NamedTuple):
    """An adapter that is installed; ``problem`` is why it cannot be used."""

    name: str
    origin: str
    adapter: type[Adapter] | None
    problem: str = ""


def read_platforms() -> list[Platform]:
    """All that are installed, by name; a broken one (its SDK may be missing) with what is wrong."""
    found = []
    for each in discover(ADAPTERS):
        problems: Problems = {}
        adapter = load_adapters([each.name], strict=False, problems=problems).get(each.name)
        found.append(Platform(each.name, each.origin, adapter, "; ".join(problems.values())))
    return found


def markdown(platforms: Sequence[Platform]) -> str:
    """The table of what each of them can do."""
    there = [(platform.name, platform.adapter.capabilities) for platform in platforms if platform.adapter is not None]
    rows = [["", *(name for name, _ in there)], ["---"] * (1 + len(there))]
    for name, field in Capabilities.model_fields.items():
        rows.append([field.description or name, *(str(getattr(abilities, name)) for _, abilities in there)])
    return "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in rows)


def show_platforms(platforms: Sequence[Platform], console: Console) -> None:
    """For a terminal: who they are, and the table."""
    for platform in platforms:
        console.print(f"{platform.name} ({platform.origin}){f': {platform.problem}' if platform.problem else ''}")
    console.print()
    console.print(Markdown(markdown(platforms)))
