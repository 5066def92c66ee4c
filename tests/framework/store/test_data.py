"""Skills' data in the store, and in memory, which must behave the same."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, select

from dragoman import StoreError
from dragoman.data import Row, Rows, Store
from dragoman.store.data import DataRows, delete_expired
from dragoman.store.engine import connect, open_store
from dragoman.store.schema import data
from support.rows import MemoryRows
from support.samples import message

NOW = 1_700_000_000.0


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def rows(request: pytest.FixtureRequest) -> Iterator[Rows]:
    if request.param == "memory":
        yield MemoryRows(lambda: NOW)
        return
    if request.param == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('tmp_path') / 'store.db'}"
    else:
        url = f"postgresql{request.getfixturevalue('postgres').database()}"
    engine = open_store(url)
    yield DataRows(engine, lambda: NOW)
    engine.dispose()


def value(row: Row | None) -> str | None:
    return None if row is None else row.value


def test_what_is_written_is_read(rows: Rows) -> None:
    assert rows.read("karma", "", "a") is None
    rows.write("karma", "", "a", "1", None)
    rows.write("karma", "", "a", "2", NOW + 1)
    row = rows.read("karma", "", "a")
    assert row is not None
    assert (row.value, row.expires_at) == ("2", NOW + 1)
    assert rows.read("poll", "", "a") is rows.read("karma", "c:x", "a") is rows.read("karma", "", "A") is None


def test_a_swap_succeeds_only_for_what_was_read(rows: Rows) -> None:
    assert rows.swap("karma", "", "a", None, "1", None)
    assert not rows.swap("karma", "", "a", None, "2", None)
    row = rows.read("karma", "", "a")
    assert row is not None
    assert rows.swap("karma", "", "a", row.version, "3", NOW + 5)
    assert not rows.swap("karma", "", "a", row.version, "4", None)
    found = rows.read("karma", "", "a")
    assert found is not None
    assert (found.value, found.expires_at) == ("3", NOW + 5)
    assert rows.delete("karma", "", "a")
    assert not rows.swap("karma", "", "a", found.version, "5", None)
    assert rows.read("karma", "", "a") is None


def test_a_version_never_comes_back(rows: Rows) -> None:
    versions = set()
    for _ in range(3):
        rows.write("karma", "", "a", "1", None)
        row = rows.read("karma", "", "a")
        assert row is not None
        versions.add(row.version)
        rows.delete("karma", "", "a")
    assert len(versions) == 3


def test_what_has_expired_is_not_there_for_anybody(rows: Rows) -> None:
    def expired() -> None:
        rows.write("karma", "", "a", "1", NOW)

    expired()
    assert rows.read("karma", "", "a") is None
    assert rows.items("karma", "", "") == []
    assert not rows.delete("karma", "", "a")
    expired()
    assert not rows.swap("karma", "", "a", 1, "2", None)
    assert rows.swap("karma", "", "a", None, "2", None)
    assert value(rows.read("karma", "", "a")) == "2"
    expired()
    rows.write("karma", "", "a", "3", None)
    assert value(rows.read("karma", "", "a")) == "3"


def test_an_expired_version_is_not_swapped(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.write("karma", "", "a", "1", NOW + 1)
    row = rows.read("karma", "", "a")
    assert row is not None
    monkeypatch.setattr(rows, "_clock", lambda: NOW + 1)
    assert not rows.swap("karma", "", "a", row.version, "2", None)


def test_items_are_a_range_by_code_points(rows: Rows) -> None:
    top = "é\U0010ffff"
    keys = ["A", "Z", "a", "a%b", "a%c", "a_b", "ab", "a\U0010ffffz", "b", "é", "éa", "é" + "z" * 255, top, "ê"]
    for key in keys:
        rows.write("karma", "", key, "1", None)
    rows.write("karma", "c:x", "ab", "2", None)
    rows.write("poll", "", "ab", "3", None)

    def found(prefix: str) -> list[str]:
        return [key for key, _ in rows.items("karma", "", prefix)]

    assert found("") == sorted(keys)
    assert found("a") == ["a", "a%b", "a%c", "a_b", "ab", "a\U0010ffffz"]
    assert found("a%") == ["a%b", "a%c"]
    assert found("a_") == ["a_b"]
    assert found("é") == ["é", "éa", "é" + "z" * 255, top]
    assert found("é" + "z" * 255) == ["é" + "z" * 255]
    assert found("x") == []


def test_the_longest_of_everything_fits_the_primary_key(rows: Rows) -> None:
    scope, other = "c:acme/" + "%F0%9F%98%80" * 512, "c:acme/" + "%F0%9F%98%80" * 511 + "%F0%9F%98%81"
    key = "\U0001f600" * 256
    rows.write("k" * 64, scope, key, "1", None)
    assert rows.items("k" * 64, scope, key) == [(key, "1")]
    assert rows.items("k" * 64, other, key) == []


def test_threads_of_one_process_lose_no_update(rows: Rows) -> None:
    store = Store(rows, "karma", message(), clock=lambda: NOW)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: store.update("a", lambda count: count + 1, 0), range(80)))
    assert sorted(found) == list(range(1, 81))


PROCESSES, EACH = 8, 100
PROGRAM = f"""
import os, sys
from dragoman.data import Store
from dragoman.store.data import DataRows
from dragoman.store.engine import connect
from support.samples import message

start, go = os.pipe()
children = []
for _ in range({PROCESSES}):
    child = os.fork()
    if child:
        children.append(child)
        continue
    try:
        os.close(go)
        store = Store(DataRows(connect(sys.argv[1])), "karma", message())
        os.read(start, 1)
        for _ in range({EACH}):
            store.update("count", lambda count: count + 1, 0)
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)
os.close(go)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


def test_eight_processes_at_once_lose_no_update(store: Engine, store_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, store_url],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert Store(DataRows(store), "karma", message()).get("count") == PROCESSES * EACH


def test_only_what_has_expired_is_deleted(store: Engine) -> None:
    rows = DataRows(store, lambda: NOW - 10)
    for key, end in [("old", NOW), ("older", NOW - 1), ("later", NOW + 1), ("ever", None)]:
        rows.write("karma", "", key, "1", end)
    with store.begin() as connection:
        assert delete_expired(connection, NOW) == 2
        assert connection.execute(select(func.count()).select_from(data)).scalar_one() == 2
    assert [key for key, _ in rows.items("karma", "", "")] == ["ever", "later"]


@pytest.mark.parametrize("url", ["sqlite:////dev/null/store.db", "postgresql://ann:sekret@127.0.0.1:1/name"])
def test_a_store_that_is_away_is_an_error_that_skills_can_catch(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathlib.Path.mkdir", lambda *_, **__: None)
    engine = connect(url)
    try:
        with pytest.raises(StoreError, match="the store cannot be used: ") as caught:
            DataRows(engine).read("karma", "", "a")
        assert "sekret" not in str(caught.value)
    finally:
        engine.dispose()
