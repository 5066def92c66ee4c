"""``dragoman new bot|skill|plugin|adapter NAME``: a small, typed, tested start, written from ``templates/``.

A template is a folder of plain files whose names end in ``.template``. ``NAME`` in a path is the name as an
identifier. In a file, `string.Template` replaces:

=============  ====================================  ===================================
``$name``      what the author has called it         ``weather-report``
``$module``    the same, as an identifier            ``weather_report``
``$title``     the same, as a title                  ``Weather report``
``$type``      the same, as the start of a class     ``WeatherReport``
``$command``   what ``@skill.command`` is given      ``name="weather-report"``, or nothing
``$version``   the oldest Dragoman that it fits      ``0.1``
=============  ====================================  ===================================
"""

import builtins
import importlib.util
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Final

import click

from .errors import DragomanError
from .reporting import reports_errors
from .settings import load

__all__ = ["KINDS", "grow", "new"]

TEMPLATES: Final = Path(__file__).parent / "templates"
SUFFIX: Final = ".template"

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
#: A bot's name begins the names of its queues.
LONGEST: Final = 32
#: Names that would hide something in the files that are written.
RESERVED: Final = frozenset(
    {"bot", "context", "dragoman", "skill", "skills", "test", "tests"}
    | {word.lower() for word in [*keyword.kwlist, *keyword.softkwlist]}
    | {name for name in vars(builtins) if name.islower()}
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be written: in which folder, and what to do then (both with the placeholders of a template)."""

    summary: str
    folder: str
    steps: tuple[str, ...]


KINDS: Final = {
    "bot": Kind(
        "A bot in a folder of its own, with a first skill.",
        "$name",
        ("cd $folder", "dragoman chat        # then say: hello Ann", "pytest", "# then see README.md: a bot on Slack"),
    ),
    "skill": Kind(
        "A skill in a bot's folder: no packaging needed.",
        ".",
        ("cd $folder", "dragoman chat        # then say: $name Ann", "pytest"),
    ),
    "plugin": Kind(
        "A skill as a distribution that others can install.",
        "dragoman-$name",
        (
            "cd $folder",
            "pip install -e '.[dev]'",
            "pytest",
            "dragoman chat        # then say: $name Ann",
        ),
    ),
    "adapter": Kind(
        "An adapter for a platform, as a distribution: a working one to change.",
        "dragoman-$name",
        ("cd $folder", "pip install -e '.[dev]'", "pytest", "# then see README.md: it talks already"),
    ),
}


def grow(kind: str, name: str, into: Path = Path()) -> tuple[list[Path], list[str]]:
    """Write it; nothing is overwritten.

    Args:
        kind: one of `KINDS`.
        into: the folder to write into: the bot's own for a skill.

    Returns:
        What was written, and the next commands.

    Raises:
        DragomanError: the name or the folder will not do; the message says why. Nothing was written.
    """
    _check_name(kind, name)
    values = {
        "name": name,
        "module": name.replace("-", "_"),
        "title": name.replace("-", " ").capitalize(),
        "type": "".join(word.capitalize() for word in name.split("-")),
        "command": f'name="{name}"' if "-" in name else "",
        "version": ".".join(version("dragoman").split(".")[:2]),
    }
    folder = into / Template(KINDS[kind].folder).substitute(values)
    files = {folder / path: text for path, text in _filled(kind, values)}
    if kind == "skill":
        files = _in_the_bot(folder, files)
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DragomanError(f"{folder} is there already, and nothing is overwritten: take another name or --into")
    try:
        for file, text in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as out:
                out.write(text)
    except OSError as error:
        raise DragomanError(f"{folder} cannot be written: {error}") from None
    steps = [Template(step).substitute(values, folder=folder) for step in KINDS[kind].steps]
    return list(files), [step for step in steps if step != "cd ."]


def _filled(kind: str, values: dict[str, str]) -> Iterator[tuple[Path, str]]:
    root = TEMPLATES / kind
    for file in sorted(root.rglob(f"*{SUFFIX}")):
        path = str(file.relative_to(root)).removesuffix(SUFFIX).replace("NAME", values["module"])
        yield Path(path), Template(file.read_text(encoding="utf-8")).substitute(values)


def _check_name(kind: str, name: str) -> None:
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        near = "-".join(re.findall(r"[a-z0-9]+", name.lower())).lstrip("0123456789-")[:LONGEST].rstrip("-")
        hint = f"; try {near!r}" if near and near not in RESERVED and near != name else ""
        raise DragomanError(
            f"{name!r} cannot be the name of a {kind}: it is lower-case words with hyphens between them, "
            f"{LONGEST} characters at most{hint}"
        )
    if name in RESERVED:
        raise DragomanError(f"{name!r} cannot be the name of a {kind}: Python or Dragoman uses it; take another one")
    package = f"dragoman_{name.replace('-', '_')}"
    if kind in ("plugin", "adapter") and importlib.util.find_spec(package) is not None:
        raise DragomanError(f"{package} is installed already: take another name, or uninstall that")
    if kind == "skill":
        from .plugins import SKILLS, discover

        for found in discover(SKILLS):
            if found.name == name:
                raise DragomanError(f"the skill {name!r} is in {found.origin} already: take another name")


def _in_the_bot(folder: Path, files: dict[Path, str]) -> dict[Path, str]:
    """The same files, where the bot of that folder has its skills."""
    settings = folder / "dragoman.toml"
    if not settings.is_file():
        raise DragomanError(
            f"there is no dragoman.toml in {folder.absolute()}: go into a bot's folder (or name it with --into), "
            "or make one with `dragoman new bot NAME`"
        )
    skills = load(settings).bot.folder
    placed = {
        folder / skills / file.name if file.parent == folder / "skills" else file: text for file, text in files.items()
    }
    if there := [file for file in placed if file.exists()]:
        raise DragomanError(f"{there[0]} is there already: take another name, or remove it")
    return placed


@click.group()
def new() -> None:
    """Write a small, typed, tested start: a bot, a skill, a plugin or an adapter."""


def _command(kind: str) -> click.Command:
    @click.command(kind, help=KINDS[kind].summary)
    @click.argument("name")
    @click.option(
        "--into",
        type=click.Path(path_type=Path),
        default=Path(),
        help="The bot's folder (default: here)." if kind == "skill" else "Where to make its folder (default: here).",
    )
    @reports_errors
    def command(name: str, into: Path) -> None:
        written, steps = grow(kind, name, into)
        click.echo("Wrote")
        for file in written:
            click.echo(f"  {file}")
        click.echo("\nNext:")
        for step in steps:
            click.echo(f"  {step}")

    return command


for _kind in KINDS:
    new.add_command(_command(_kind))
