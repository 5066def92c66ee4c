"""``dragoman plugins``: what it lists, and how it looks."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from dragoman.cli import cli
from dragoman.listing import Row, list_plugins, show_plugins
from dragoman.settings import Settings, load

BOT = """
[bot]
skills = ["dice", "wheather"]
plugins = ["guard", "gone"]
[accounts.me]
platform = "console"
[plugins.guard]
slwo = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    skills = tmp_path / "skills"
    skills.mkdir()
    (skills / "h5_mine.py").write_text("from dragoman import Skill\nskill = Skill('mine')\n")
    (skills / "h5_broken.py").write_text("value = 1 / 0\n")
    (skills / "h5_api.py").write_text("value = 5\n")
    path = list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in ("h5_mine", "h5_broken", "h5_api"):
        sys.modules.pop(name, None)


@pytest.fixture
def settings(folder: Path) -> Settings:
    (folder / "dragoman.toml").write_text(BOT)
    return load(folder / "dragoman.toml", environ={})


@pytest.fixture
def row(settings: Settings) -> Callable[[str], Row]:
    rows = {each.name: each for each in list_plugins(settings)}
    return lambda name: rows[name]


def test_what_is_enabled_has_its_distribution_and_its_hooks(row: Callable[[str], Row]) -> None:
    for name, kind, hooks in (("dice", "skill", ("dragoman_skills",)), ("console", "adapter", ("dragoman_adapters",))):
        found = row(name)
        assert (found.kind, found.state, found.hooks, found.problem) == (kind, "enabled", hooks, "")
        assert found.origin.startswith("dragoman ")


def test_what_is_not_enabled_is_listed_and_not_imported(row: Callable[[str], Row]) -> None:
    assert (row("slack").state, row("slack").hooks) == ("not enabled", ())


def test_files_of_the_bots_own_are_listed_if_they_have_skills(row: Callable[[str], Row]) -> None:
    assert (row("mine").origin, row("mine").state) == ("h5_mine.py", "enabled")
    with pytest.raises(KeyError):
        row("h5_api")


def test_what_is_broken_says_why(row: Callable[[str], Row]) -> None:
    assert row("h5_broken").state == "broken"
    assert "line 1, `value = 1 / 0`: ZeroDivisionError" in row("h5_broken").problem
    assert row("guard").state == "broken"
    assert row("guard").problem == "plugins.guard.slwo is not a setting; did you mean slow?"


def test_what_the_settings_name_and_nobody_has_is_told(row: Callable[[str], Row]) -> None:
    assert row("wheather").state == row("gone").state == "not installed"


ROWS = [
    Row("skill", "a-skill-with-quite-a-name", "acme-a-long-distribution 10.20.30", "enabled", ("dragoman_skills",)),
    Row("plugin", "guard", "dragoman 0.1.0", "broken", problem="one two three four five " * 6 + "end"),
    Row("plugin", "all", "x 1", "enabled", tuple(f"dragoman_{n}" for n in ("action", "commands", "event", "run"))),
]


def shown(width: int) -> str:
    out = io.StringIO()
    show_plugins(ROWS, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_the_table_fits_and_nothing_is_cut() -> None:
    text = shown(80)
    table, _, problems = text.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    assert "…" not in text
    assert " end" in problems
    assert "action,commands,event,run" in "".join(table.split())


def test_the_table_has_no_colours_where_nobody_sees_them() -> None:
    assert "\x1b" not in shown(80)
    assert [line.split() for line in shown(200).splitlines()[1:3]] == [
        ["skill", "a-skill-with-quite-a-name", "enabled", "acme-a-long-distribution", "10.20.30", "skills"],
        ["plugin", "guard", "broken", "dragoman", "0.1.0"],
    ]


def test_the_command_line_shows_a_table_or_json(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRAGOMAN_CONFIG", raising=False)
    monkeypatch.chdir(folder)
    (folder / "dragoman.toml").write_text('[bot]\nplugins = ["guard"]')
    table = CliRunner().invoke(cli, ["plugins"])
    assert table.exit_code == 0
    assert "guard" in table.stdout
    rows = json.loads(CliRunner().invoke(cli, ["plugins", "--json"]).stdout)
    (guard,) = [row for row in rows if row["name"] == "guard"]
    assert guard["hooks"] == ["dragoman_action", "dragoman_commands", "dragoman_event", "dragoman_run"]
    assert guard["state"] == "enabled"
