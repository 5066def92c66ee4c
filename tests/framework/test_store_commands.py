"""``dragoman store export`` and ``import``, from the command line."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli import cli
from dragoman.store.data import DataRows
from dragoman.store.engine import open_store
from dragoman.supervisor import CONFIG_ERROR


@pytest.fixture(autouse=True)
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot in this folder, and another one beside it."""
    monkeypatch.delenv("DRAGOMAN_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("dragoman.toml").write_text('[store]\nurl = "sqlite:///one.db"\n')
    Path("other.toml").write_text('[store]\nurl = "sqlite:///two.db"\n')


@pytest.fixture
def filled(toml: None) -> None:
    engine = open_store("sqlite:///one.db")
    rows = DataRows(engine)
    rows.write("karma", "", "ann", "3", None)
    rows.write("poll", "", "ü", '"\\ud800"', None)
    engine.dispose()


def call(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=input)


def test_a_file_goes_out_and_in(filled: None) -> None:
    done = call("store", "export", "out.jsonl")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "exported 2 values and 0 timers\n")
    assert stat.S_IMODE(Path("out.jsonl").stat().st_mode) == 0o600
    done = call("--config", "other.toml", "store", "import", "out.jsonl")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "imported 2 values and 0 timers\n")
    assert call("--config", "other.toml", "store", "export").stdout == Path("out.jsonl").read_text()


def test_standard_output_goes_to_standard_input(filled: None) -> None:
    out = call("store", "export", "--skill", "karma").stdout
    assert [json.loads(line) for line in out.splitlines()][1]["data"]["key"] == "ann"
    assert call("--config", "other.toml", "store", "import", "-", input=out).exit_code == 0
    assert call("--config", "other.toml", "store", "export", "-").stdout == out


def test_what_is_there_is_replaced_only_when_asked(filled: None) -> None:
    call("store", "export", "out.jsonl")
    done = call("store", "import", "out.jsonl")
    assert done.exit_code == CONFIG_ERROR
    assert done.stderr == (
        "dragoman: nothing was imported: the key 'ann' of skill karma is in the store already; "
        "--replace overwrites what is there\n"
    )
    assert call("store", "import", "--replace", "out.jsonl").exit_code == 0


def test_an_export_takes_the_place_of_an_earlier_one_and_of_its_mode(filled: None) -> None:
    Path("out.jsonl").write_text("old")
    Path("out.jsonl").chmod(0o644)
    assert call("store", "export", "out.jsonl").exit_code == 0
    assert Path("out.jsonl").read_text().startswith('{"dragoman": "store"')
    assert stat.S_IMODE(Path("out.jsonl").stat().st_mode) == 0o600


def test_an_export_that_fails_leaves_the_earlier_one_and_nothing_else(
    filled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out.jsonl").write_text("old")
    before = set(Path().iterdir())
    monkeypatch.setattr("dragoman.store.portable.read_value", lambda _: 1 / 0)
    assert isinstance(call("store", "export", "out.jsonl").exception, ZeroDivisionError)
    assert Path("out.jsonl").read_text() == "old"
    assert {path for path in Path().iterdir() if ".db" not in path.name} == {p for p in before if ".db" not in p.name}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("export", "nowhere/out.jsonl"), "nowhere/out.jsonl cannot be written: No such file or directory"),
        (("export", "folder"), "folder cannot be written: Is a directory"),
        (("import", "nowhere.jsonl"), "nowhere.jsonl cannot be read: No such file or directory"),
        (("import", "folder"), "folder cannot be read: Is a directory"),
        (("import", "latin.txt"), "latin.txt cannot be read: line 2 is not UTF-8"),
        (("import", "notes.txt"), "nothing was imported: line 1: not JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(arguments: tuple[str, ...], told: str) -> None:
    Path("folder").mkdir()
    Path("latin.txt").write_bytes(b"{}\n\xfc\n")
    Path("notes.txt").write_text("notes")
    done = call("store", *arguments)
    assert done.exit_code == CONFIG_ERROR
    assert done.stderr.startswith(f"dragoman: {told}")
    assert list(Path().glob(".*jsonl*")) == []


def test_a_store_that_is_away_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("dragoman.toml").write_text('[store]\nurl = "postgresql://ann:sekret@127.0.0.1:1/name"\n')
    done = call("store", "export")
    assert done.exit_code == 1
    assert "cannot be used" in done.stderr
    assert "sekret" not in done.stderr
