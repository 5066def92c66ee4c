"""Reading the pages of the house: their code blocks, tables and commands, and running what stands in them."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import click

from dragoman.cli import cli

__all__ = [
    "Block",
    "blocks",
    "cells",
    "chat",
    "commands",
    "environment",
    "exists",
    "part",
    "read_blocks",
    "run",
    "sessions",
]

FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w+)\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
#: What a block begins with that belongs to a file: its name, and whether it is the whole of it.
TITLE: Final = re.compile(r"# (?P<file>[\w./-]+\.(?:py|toml))(?:, (?P<how>goes on|in part))?\n")


class Block(NamedTuple):
    """A code block.

    Attributes:
        file: that it belongs to, or empty.
        how: ``goes on`` (it is added to the file), ``in part`` (it is in the file already), or empty (the whole file).
        at: where on the page it begins, in characters.
    """

    language: str
    body: str
    file: str
    how: str
    at: int


def read_blocks(text: str) -> list[Block]:
    """All code blocks of a page, without their indentation."""
    found = []
    for fence in FENCE.finditer(text):
        body = re.sub(rf"^{fence['indent']}", "", fence["body"], flags=re.MULTILINE)
        title = TITLE.match(body)
        found.append(
            Block(
                fence["language"],
                body[title.end() :] if title and title["how"] else body,
                title["file"] if title else "",
                (title["how"] or "") if title else "",
                fence.start(),
            )
        )
    return found


def blocks(language: str, text: str) -> list[str]:
    """The bodies of the code blocks in that language."""
    return [block.body for block in read_blocks(text) if block.language == language]


def sessions(body: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a ``console`` block, and the lines below it."""
    command, shown = "", list[str]()
    for line in body.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line.removeprefix("$ "), []
        else:
            shown.append(line)
    yield command, shown


def commands(text: str) -> list[str]:
    """Every command that a page names, in its blocks and between backticks."""
    lines = [line for block in blocks("sh", text) for line in block.splitlines()]
    lines += re.findall(r"`((?:dragoman|make|celery) [^`\n]*)`", FENCE.sub("", text))
    lines += [command for block in blocks("console", text) for command, _ in sessions(block)]
    return sorted({line.partition(" #")[0].strip() for line in lines if line.strip()})


def part(text: str, begin: str, end: str) -> str:
    """What stands between two texts, the first of which counts."""
    start = text.index(begin)
    return text[start : text.index(end, start)]


def cells(text: str) -> Iterator[list[str]]:
    """The rows of all tables of a text; a bar within a cell is escaped."""
    for line in text.splitlines():
        if line.startswith("| ") and not set(line) <= set("|-: "):
            yield [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def exists(line: str) -> None:
    """Every subcommand and option of a ``dragoman`` command line is there."""
    command: click.Command = cli
    context = click.Context(cli)
    rest = iter(shlex.split(line)[1:])
    for word in rest:
        if word.startswith("-"):
            option = next((p for p in command.params if word in p.opts), None)
            assert option is not None, line
            if not getattr(option, "is_flag", False):
                next(rest)
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            assert found is not None, line
            command = found
        else:
            assert any(isinstance(parameter, click.Argument) for parameter in command.params), line


def environment(path: Path | None = None) -> dict[str, str]:
    """The process's, without a bot of somebody's; ``path`` can be imported from."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DRAGOMAN_", "PYTEST_"))}
    own["PYTHONDONTWRITEBYTECODE"] = "1"
    return {**own, "PYTHONPATH": str(path)} if path is not None else own


def run(folder: Path, *words: str, path: Path | None = None, typed: str = "") -> str:
    """What a module prints that is run there; it has to end well."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        input=typed,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(path),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "", done.stderr
    return done.stdout


def chat(folder: Path, lines: list[str], *options: str, path: Path | None = None) -> list[str]:
    """What ``dragoman chat`` prints when these lines are typed."""
    typed = "".join(f"{line}\n" for line in lines)
    return run(folder, "dragoman", *options, "chat", path=path, typed=typed).splitlines()
