"""``dragoman store``: skills' data and timers out of one store, and into another."""

from typing import Any

import click

from .reporting import reports_errors

__all__ = ["store"]


@click.group()
def store() -> None:
    """Copy what skills keep, and their timers, from one store to another."""


@store.command("export")
@click.option("--skill", metavar="NAME", help="Only this skill's.")
@click.argument("file", default="-")
@click.pass_obj
@reports_errors
def export_command(state: Any, skill: str | None, file: str) -> None:
    """Write the data and timers of skills to FILE (or to standard output): JSON, one on each line."""
    import time

    from .portable_file import write_whole
    from .store.portable import export_store

    with state.store() as engine, write_whole(file) as out:
        count = export_store(engine, out, now=time.time(), skill=skill)
    click.echo(f"exported {count}", err=True)


@store.command("import")
@click.option("--replace", is_flag=True, help="Overwrite what is in the store already.")
@click.argument("file")
@click.pass_obj
@reports_errors
def import_command(state: Any, replace: bool, file: str) -> None:
    """Read data and timers from FILE (- is standard input): all of it, or nothing."""
    import time

    from .portable_file import read_lines
    from .store.portable import import_store

    lines = read_lines(file)
    with state.store() as engine:
        count = import_store(engine, lines, now=time.time(), replace=replace)
    click.echo(f"imported {count}", err=True)
