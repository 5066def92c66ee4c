"""The pages in docs/ are true: their files are written down and run, their sessions are held, their commands are there.

How a page is read:

* A block whose first line is ``# skills/dinner.py`` is that file. ``# dragoman.toml, goes on`` is added to the file
  that is there; ``# pyproject.toml, in part`` stands in it already.
* ``write-a-skill.md`` makes two folders, with ``dragoman new`` as it says: files under ``dragoman-weather/`` belong to
  the one, all others to the bot ``ann``. Once all files of the page are there, pytest runs in both.
* A ``console`` block is what is typed and what is printed. All ``dragoman chat`` of a folder are one conversation.
* A ``toml`` block without a file is a ``dragoman.toml`` of its own.

What the tables of hooks.md and settings.md say is held in test_reference.py.
"""

import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from pydantic import Field

from dragoman import Channel, Context, User
from dragoman.accounts import make_adapters
from dragoman.arguments import bind, parameters_of, parse
from dragoman.cli import cli
from dragoman.parameter import KINDS as ALL_KINDS
from dragoman.settings import load
from dragoman.testing import Bot
from dragoman.triggers import KINDS as TRIGGERS
from dragoman.triggers.on import EVENTS
from house.pages import blocks, cells, chat, commands, exists, part, read_blocks, run, sessions
from house.written import DOCS, PAGES, own_tests, pretend_to_install, write_files

GUIDE: Final = PAGES["write-a-skill.md"]
PLUGIN: Final = "dragoman-weather"
BOT: Final = "ann"


class Held(NamedTuple):
    """A command of the guide that has been run: what it printed, and what the guide says."""

    command: str
    printed: list[str]
    shown: list[str]


@pytest.fixture(scope="module")
def held() -> list[Held]:
    """What the commands that make the folders have printed."""
    return []


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory, held: list[Held]) -> Path:
    """The folder with all that the guide makes and writes."""
    folder = tmp_path_factory.mktemp("guide")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        held += [_invoke(command, shown) for command, shown in _sessions() if command.startswith("dragoman new")]
    write_files(GUIDE, lambda file: folder / file if file.startswith(PLUGIN) else folder / BOT / file)
    pretend_to_install(folder / PLUGIN, folder / "site")
    return folder


# -- write-a-skill.md ------------------------------------------------------------------------------------


def test_new_prints_what_it_shows(guide: Path, held: list[Held]) -> None:
    assert [each.command for each in held] == ["dragoman new plugin weather", "dragoman new bot ann"]
    for each in held:
        assert each.printed == each.shown


@pytest.mark.parametrize("project", [PLUGIN, BOT])
def test_the_tests_of_the_guide_pass(guide: Path, project: str, pytester: pytest.Pytester) -> None:
    written = "\n".join(file.read_text(encoding="utf-8") for file in (guide / project / "tests").glob("*.py"))
    assert own_tests(pytester, guide / project) == len(re.findall(r"^def test_", written, flags=re.MULTILINE))


@pytest.mark.parametrize("project", [PLUGIN, BOT])
def test_the_conversations_go_as_they_are_shown(guide: Path, project: str) -> None:
    begin = GUIDE.index("\n## A skill of the bot's own")
    lines = [
        line
        for block in read_blocks(GUIDE)
        if block.language == "console" and (block.at < begin) == (project == PLUGIN)
        for command, shown in sessions(block.body)
        if command == "dragoman chat"
        for line in shown
    ]
    said = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    assert len(said) >= 2
    printed = chat(guide / project, said, path=guide / "site")
    assert printed == [line for line in lines if not line.startswith("> ")]


def test_may_prints_what_it_shows(guide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(guide / BOT)
    asked = [(command, shown) for command, shown in _sessions() if command.startswith("dragoman may")]
    assert len(asked) >= 2
    for command, shown in asked:
        assert _invoke(command, shown, 1).printed == shown


def test_every_command_with_an_output_is_held() -> None:
    for command, shown in _sessions():
        assert not shown or re.match(r"dragoman (new|chat|may)\b", command), command


def test_every_file_of_it_is_clean(guide: Path) -> None:
    rules = ["--isolated", "--no-cache", "--line-length", "120", "--select", "E,F,W,I,B,UP,RUF"]
    for project in (PLUGIN, BOT):
        run(guide / project, "ruff", "check", "--quiet", *rules, ".")


def test_the_settings_of_the_bot_are_good(guide: Path) -> None:
    settings = load(guide / BOT / "dragoman.toml", environ={})
    assert settings.webhooks.keys() == {"porter"}
    assert len(settings.rules) == 2


class Level(Enum):
    LOW = 1
    HIGH = 3


KNOWN: Final[dict[str, Any]] = {
    each.__name__: each for each in (Level, date, datetime, Decimal, timedelta, User, Channel, Field, ZoneInfo)
} | {"Annotated": Annotated, "Literal": Literal}
NOW: Final = datetime(2030, 1, 7, 9, tzinfo=ZoneInfo("Europe/Berlin"))
KINDS: Final = list(cells(part(GUIDE, "| parameter |", "\nFour rules")))[1:]


@pytest.mark.parametrize("row", KINDS, ids=lambda row: row[0])
def test_what_an_annotation_takes(row: list[str]) -> None:
    declared, typed, wanted = (re.findall(r"`([^`]+)`", cell) for cell in row)
    names = dict(KNOWN)
    exec(f"def function({declared[0]}): ...", names)
    function, (value,) = names["function"], wanted
    parameters = parameters_of(function)
    assert typed
    for text in typed:
        got = bind(function, "command", parameters, parse("command", parameters, text, now=NOW))
        assert got[parameters[0].name] == eval(value, dict(KNOWN)), text


def test_the_table_of_annotations_has_every_kind() -> None:
    names = dict(KNOWN)
    for number, row in enumerate(KINDS):
        exec(f"def function_{number}({re.findall(r'`([^`]+)`', row[0])[0]}): ...", names)
    assert {parameters_of(names[f"function_{number}"])[0].kind for number in range(len(KINDS))} == ALL_KINDS


def test_the_events_are_all_there() -> None:
    (row,) = (row for row in cells(GUIDE) if row[0].startswith("`@skill.on("))
    assert re.findall(r"`(\w+)`", row[1]) == list(EVENTS)


def test_the_triggers_are_all_there() -> None:
    assert set(re.findall(r"^\| `@skill\.(\w+)\(", GUIDE, flags=re.MULTILINE)) == TRIGGERS.keys()


def test_the_context_is_complete() -> None:
    told = set(re.findall(r"`ctx\.(\w+)", part(GUIDE, "## Context", "```python")))
    attributes = set(re.findall(r"^    (\w+):", inspect.getdoc(Context) or "", flags=re.MULTILINE))
    methods = {name for name in vars(Context) if not name.startswith("_")} - {"take"}  # the worker's
    assert told == attributes | methods


def test_the_fixture_is_complete() -> None:
    told = set(re.findall(r"`bot\.(\w+)", part(GUIDE, "## Tests", "## How a skill")))
    offered = {name for kind in Bot.__mro__[:-1] for name in (*vars(kind), *inspect.get_annotations(kind))}
    assert told == {name for name in offered if not name.startswith("_")} - {"close"}  # the fixture's


# -- all pages -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_exist(page: str) -> None:
    for line in commands(PAGES[page]):
        if line.startswith("dragoman"):
            exists(line)


@pytest.mark.parametrize("page", PAGES)
def test_its_settings_load(page: str, tmp_path: Path) -> None:
    for number, block in enumerate(block for block in read_blocks(PAGES[page]) if block.language == "toml"):
        if block.how == "in part":
            tomllib.loads(block.body)
            continue
        file = tmp_path / f"{number}.toml"
        file.write_text(block.body, encoding="utf-8")
        settings = load(file, environ={})
        if any("bot_token" in account for account in settings.accounts.values()):
            make_adapters(settings)


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_somewhere(page: str) -> None:
    for target, place in re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", PAGES[page]):
        if target.startswith("https://"):
            continue
        file = DOCS / target if target else DOCS / page
        assert file.exists(), target
        if place:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert place in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, place


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_overlooked(page: str) -> None:
    for block in read_blocks(PAGES[page]):
        assert block.language in ("python", "toml", "console", "sh", "text"), block
        assert block.file or block.language != "python", block.body


# --------------------------------------------------------------------------------------------------------


def _sessions() -> Iterator[tuple[str, list[str]]]:
    """Every command that is typed in the guide, and what is printed."""
    for block in blocks("console", GUIDE):
        yield from sessions(block)


def _invoke(command: str, shown: list[str], *status: int) -> Held:
    result = CliRunner().invoke(cli, shlex.split(command)[1:])
    assert result.exit_code in (0, *status), result.output
    return Held(command, result.output.splitlines(), shown)
