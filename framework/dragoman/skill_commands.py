"""``dragoman skills`` and ``dragoman retire``: what is published, who serves it, and how it is taken out."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .errors import SettingsError
from .reporting import reports_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from .store.serving import Server

__all__ = ["SKILL_COMMANDS", "Row", "list_skills"]


class Row(NamedTuple):
    """A skill that is published or served.

    Attributes:
        version: of what is published: the distribution that it comes from, or the file.
        publisher: ``bot`` (`dragoman run`) or ``worker``; empty if nobody has published it.
        workers: who serves it: ``pool at host (pid)``, and the version if that is another one.
    """

    skill: str
    version: str
    publisher: str
    workers: tuple[str, ...]


def list_skills(engine: "Engine") -> list[Row]:
    """All of them, by name."""
    from .store.catalogue import Reader, publishers
    from .store.engine import reading
    from .store.serving import servers

    versions = {manifest.name: manifest.origin for manifest in Reader(engine).manifests}
    with reading(engine) as connection:
        published, living = publishers(connection), servers(connection)
    return [
        Row(
            name,
            versions.get(name, ""),
            published.get(name, ""),
            tuple(_shown(server) for server in living if server.skill == name),
        )
        for name in sorted({*published, *(server.skill for server in living)})
    ]


def _shown(server: "Server") -> str:
    shown = f"{server.role.removeprefix('worker.')} at {server.host} ({server.pid})"
    if server.published:
        return shown
    origin = str(json.loads(server.body).get("origin", ""))
    return f"{shown}, another version{f' ({origin})' if origin else ''}"


@click.command("skills")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
@reports_errors
def skills(state: Any, as_json: bool) -> None:
    """Show which skills the bot knows, of which version, and which workers serve them now."""
    with state.store() as engine:
        rows = list_skills(engine)
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
    elif rows:
        _show(rows)
    else:
        click.echo("no worker has published a skill yet: `dragoman run` or `dragoman worker` does")


@click.command("retire")
@click.argument("skill")
@click.pass_obj
@reports_errors
def retire(state: Any, skill: str) -> None:
    """Forget SKILL, which no worker serves any more: the bot does not know its commands from then on."""
    import difflib

    from .store.catalogue import retire_skill
    from .store.serving import servers

    with state.store() as engine:
        known = [row.skill for row in list_skills(engine)]
        if skill not in known:
            near = difflib.get_close_matches(skill, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
            raise SettingsError(f"no worker has published a skill {skill!r}: {hint}")
        with engine.begin() as connection:
            living = servers(connection, skill)
            if not living:
                retire_skill(connection, skill)
    if living:
        raise SettingsError(
            f"{skill} is still served by {_shown(living[0])}: stop its workers first (a worker that was killed counts "
            f"for a few seconds), or let `dragoman drain {skill}` work off what waits"
        )
    click.echo(f"{skill} is retired; what waits for it stays in the ledger (`dragoman purge {skill}`)")


#: All of them, for the ``dragoman`` command.
SKILL_COMMANDS = (skills, retire)


def _show(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("skill", "version", "published by", "served by"):
        table.add_column(title, overflow="fold")
    for row in rows:
        workers: Text | str = "\n".join(row.workers) or Text("nobody: what it is asked waits", "yellow")
        table.add_row(row.skill, row.version, row.publisher, workers)
    Console(highlight=False).print(table)
