"""``dragoman skills`` and ``dragoman retire``, from the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, delete

from dragoman import SkillManifest
from dragoman.cli import cli
from dragoman.store.catalogue import Reader, publish_manifests
from dragoman.store.engine import open_store
from dragoman.store.processes import Process, beat, forget
from dragoman.store.schema import manifests
from dragoman.store.serving import serve
from dragoman.supervisor import CONFIG_ERROR

WORKER = Process("worker.default", host="here", pid=11)
NEWS = SkillManifest(name="news", origin="acme-news 2.0")
OLD = SkillManifest(name="news", origin="acme-news 1.0")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A bot in this folder that has help, and its store, in which a worker serves news."""
    monkeypatch.delenv("DRAGOMAN_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("dragoman.toml").write_text("")
    Path(".dragoman").mkdir()
    engine = open_store(f"sqlite:///{tmp_path}/.dragoman/store.db")
    with engine.begin() as connection:
        publish_manifests(connection, [SkillManifest(name="help", origin="dragoman 0.1.0")])
        publish_manifests(connection, [NEWS], None)
        beat(connection, WORKER)
        serve(connection, WORKER, [NEWS])
    yield engine
    engine.dispose()


def dragoman(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def test_it_shows_who_serves_which_version(store: Engine) -> None:
    older = Process("worker.default", host="there", pid=12)
    with store.begin() as connection:
        beat(connection, older)
        serve(connection, older, [OLD])
    assert json.loads(dragoman("skills", "--json").stdout) == [
        {"skill": "help", "version": "dragoman 0.1.0", "publisher": "bot", "workers": []},
        {
            "skill": "news",
            "version": "acme-news 2.0",
            "publisher": "worker",
            "workers": ["default at there (12), another version (acme-news 1.0)", "default at here (11)"],
        },
    ]
    table = dragoman("skills").stdout
    assert "nobody: what it is asked waits" in table
    assert "default at here (11)" in table


def test_a_bot_that_has_not_begun_has_none(store: Engine) -> None:
    with store.begin() as connection:
        forget(connection, WORKER)
        connection.execute(delete(manifests))
    assert "no worker has published a skill yet" in dragoman("skills").stdout


def test_a_skill_that_is_served_is_not_retired(store: Engine) -> None:
    result = dragoman("retire", "news")
    assert result.exit_code == CONFIG_ERROR
    assert "news is still served by default at here (11): stop its workers first" in result.stderr
    assert {manifest.name for manifest in Reader(store).manifests} == {"help", "news"}


def test_one_that_nobody_serves_is(store: Engine) -> None:
    with store.begin() as connection:
        forget(connection, WORKER)
    assert "news is retired" in dragoman("retire", "news").stdout
    assert {manifest.name for manifest in Reader(store).manifests} == {"help"}


@pytest.mark.parametrize(("name", "hint"), [("nws", "did you mean news?"), ("zzz", "there are: help, news")])
def test_a_skill_that_is_not_there_is_named(store: Engine, name: str, hint: str) -> None:
    result = dragoman("retire", name)
    assert result.exit_code == CONFIG_ERROR
    assert hint in result.stderr
