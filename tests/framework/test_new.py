"""``dragoman new``: what it writes works at once, and overwrites nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli import cli
from dragoman.errors import DragomanError
from dragoman.new import KINDS, grow
from dragoman.plugins import load_skills
from dragoman.settings import load

from .distributions import SKILL, install


def run(folder: Path, *words: str, typed: str = "") -> str:
    """What a module prints that is run there by somebody who has no bot yet; it has to end well."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DRAGOMAN_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def own_tests(folder: Path) -> str:
    """The last line of the project's own ``pytest``: a warning fails as well."""
    shown = run(folder, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:anyio")
    return shown.splitlines()[-1]


def new(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["new", *map(str, words)])


def texts(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in folder.rglob("*") if file.is_file()
    }


def test_a_bot_and_a_skill_in_it_work_at_once(tmp_path: Path) -> None:
    assert new("bot", "ann", "--into", tmp_path).exit_code == 0
    bot = tmp_path / "ann"
    assert new("skill", "dice-game", "--into", bot).exit_code == 0
    assert set(texts(bot)) == {
        ".env.example",
        ".gitignore",
        "README.md",
        "dragoman.toml",
        "pytest.ini",
        "skills/dice_game.py",
        "skills/hello.py",
        "tests/test_dice_game.py",
        "tests/test_hello.py",
    }
    assert run(bot, "dragoman", "chat", typed="hello Ann\ndice-game Bo\n").splitlines() == ["Hello Ann!", "Hello Bo!"]
    assert own_tests(bot).startswith("4 passed")
    assert "DRAGOMAN_ACCOUNTS__ACME__BOT_TOKEN" in (bot / ".env.example").read_text()


def test_a_plugin_passes_its_tests_before_it_is_installed(tmp_path: Path) -> None:
    grow("plugin", "small-talk", tmp_path)
    assert own_tests(tmp_path / "dragoman-small-talk").startswith("3 passed")


def test_an_adapter_passes_its_tests_before_it_is_installed(tmp_path: Path) -> None:
    grow("adapter", "line-chat", tmp_path)
    folder = tmp_path / "dragoman-line-chat"
    assert own_tests(folder).startswith("47 passed")
    assert load(folder / "dragoman.toml", environ={}).accounts == {"here": {"platform": "line-chat"}}


def test_what_is_written_is_clean_and_typed(tmp_path: Path) -> None:
    grow("plugin", "small-talk", tmp_path)
    grow("adapter", "line-chat", tmp_path)
    grow("bot", "ann", tmp_path)
    grow("skill", "dice-game", tmp_path / "ann")
    talk, chat = tmp_path / "dragoman-small-talk", tmp_path / "dragoman-line-chat"
    assert (talk / "dragoman_small_talk" / "py.typed").is_file()
    assert (chat / "dragoman_line_chat" / "py.typed").is_file()
    for folder in (talk, chat, tmp_path / "ann"):
        lint = ["--config", str(talk / "pyproject.toml"), "--no-cache", "."]
        run(folder, "ruff", "check", *lint)
        run(folder, "ruff", "format", "--check", *lint)
    (tmp_path / "mypy.ini").write_text(
        f"[mypy]\nstrict = True\nplugins = pydantic.mypy\nmypy_path = {talk}:{chat}\n"
        "[mypy-dragoman.*]\nfollow_imports = silent\n"
        # What nothing of it shows to authors, and takes mypy long.
        "[mypy-sqlalchemy.*,alembic.*,aiohttp.*,kombu.*,rich.*,click.*,watchfiles.*]\nfollow_imports = skip\n"
    )
    folders = [talk / "dragoman_small_talk", talk / "tests", chat / "dragoman_line_chat", chat / "tests"]
    folders += [tmp_path / "ann" / "skills", tmp_path / "ann" / "tests"]
    shown = run(tmp_path, "mypy", "--cache-dir", os.devnull, *map(str, folders))
    assert shown.startswith("Success: no issues found in 14 source files")


def test_it_says_what_was_written_and_what_to_do_next(tmp_path: Path) -> None:
    said = new("plugin", "small-talk", "--into", tmp_path).output
    folder = tmp_path / "dragoman-small-talk"
    written, _, steps = said.partition("\nNext:\n")
    assert {line.strip() for line in written.splitlines()[1:]} == {str(folder / name) for name in texts(folder)}
    assert steps.splitlines()[0].strip() == f"cd {folder}"
    assert "pip install -e '.[dev]'" in steps
    assert "say: small-talk Ann" in steps


@pytest.mark.parametrize("kind", KINDS)
def test_no_placeholder_is_left(kind: str, tmp_path: Path) -> None:
    (tmp_path / "dragoman.toml").write_text("")
    written, _ = grow(kind, "two-words", tmp_path)
    for file in written:
        assert "NAME" not in str(file.relative_to(tmp_path))
        assert ".template" not in file.name
        assert "$" not in file.read_text(encoding="utf-8"), file


def test_a_skill_goes_into_the_folder_that_the_settings_name(tmp_path: Path) -> None:
    (tmp_path / "dragoman.toml").write_text('[bot]\nfolder = "parts"\n')
    grow("skill", "weather", tmp_path)
    assert list(load_skills([], tmp_path / "parts")) == ["weather"]


def test_a_skill_needs_a_bot(tmp_path: Path) -> None:
    refused = new("skill", "weather", "--into", tmp_path)
    assert refused.exit_code == 78
    assert "dragoman new bot NAME" in refused.output
    assert texts(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My Skill!", "try 'my-skill'"),
        ("my_skill", "try 'my-skill'"),
        ("2nd", "try 'nd'"),
        ("x" * 33, f"try '{'x' * 32}'"),
        ("-", "lower-case words"),
        ("", "lower-case words"),
        ("../up", "try 'up'"),
        ("class", "uses it"),
        ("list", "uses it"),
        ("skill", "uses it"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_will_not_do_is_told(kind: str, name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DragomanError, match=f"cannot be the name of a {kind}.*{said}"):
        grow(kind, name, tmp_path)
    assert texts(tmp_path) == {}


def test_a_name_that_is_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    install(
        tmp_path,
        "dragoman-taken",
        {"dragoman_taken": SKILL.format(name="taken")},
        {"dragoman.skills": {"taken": "dragoman_taken:skill"}},
    )
    for kind in ("plugin", "adapter"):
        with pytest.raises(DragomanError, match="dragoman_taken is installed already"):
            grow(kind, "taken", tmp_path)
    with pytest.raises(DragomanError, match=r"the skill 'taken' is in dragoman-taken 1\.0 already"):
        grow("skill", "taken", tmp_path)


@pytest.mark.parametrize(("kind", "folder"), [("bot", "ann"), ("plugin", "dragoman-ann"), ("adapter", "dragoman-ann")])
def test_a_folder_with_something_in_it_stays_as_it_is(kind: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "mine").write_text("mine")
    with pytest.raises(DragomanError, match="nothing is overwritten"):
        grow(kind, "ann", tmp_path)
    assert texts(tmp_path) == {f"{folder}/mine": "mine"}
    (tmp_path / folder / "mine").unlink()
    grow(kind, "ann", tmp_path)
    assert texts(tmp_path)


@pytest.mark.parametrize("there", ["skills/weather.py", "tests/test_weather.py"])
def test_a_skill_that_is_there_stays_as_it_is(there: str, tmp_path: Path) -> None:
    (tmp_path / "dragoman.toml").write_text("")
    file = tmp_path / there
    file.parent.mkdir()
    file.write_text("mine")
    with pytest.raises(DragomanError, match=f"{file.name} is there already"):
        grow("skill", "weather", tmp_path)
    assert texts(tmp_path) == {"dragoman.toml": "", there: "mine"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DragomanError, match="cannot be written"):
        grow("bot", "ann", tmp_path / "file")
