"""The migrations make what the tables say, whoever comes first."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, event, inspect, text

from dragoman import SettingsError, StoreError
from dragoman.store.data import DataRows
from dragoman.store.engine import REVISION, connect, open_store, upgrade
from dragoman.store.migrations import scripts
from dragoman.store.schema import metadata


def test_the_migrated_schema_is_what_the_tables_say(store: Engine) -> None:
    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_indexes_are_there_too(store: Engine) -> None:
    for table in metadata.tables.values():
        found = {index["name"] for index in inspect(store).get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= found


def test_the_newest_revision_is_the_one_that_the_code_expects() -> None:
    assert scripts().get_heads() == [REVISION]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_keys_are_in_the_order_of_code_points_whatever_the_language_of_the_database(store: Engine) -> None:
    asked = "SELECT collation_name FROM information_schema.columns WHERE table_name = 'data' AND column_name = 'key'"
    with store.connect() as connection:
        assert connection.execute(text(asked)).scalar_one() == "C"


def make(url: str, revision: str) -> None:
    """A store as an earlier Dragoman made it."""
    engine = connect(url)
    directory = scripts()

    def steps(found: object, _: MigrationContext) -> list[object]:
        return list(directory._upgrade_revs(revision, found))  # type: ignore[arg-type]  # alembic's own callback type

    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"fn": steps, "script": directory})
        with Operations.context(context):
            context.run_migrations()
    engine.dispose()


#: What revision 0001 held: its columns as they were then, whatever the tables say now.
FIRST: dict[str, dict[str, Any]] = {
    "events": {"key": "e1", "account": "acme", "state": "received", "body": '{"ü": 1}', "received_at": 1.5,
               "due_at": 2.5, "publishes": 1, "error": None},
    "runs": {"id": "r1", "event_key": "e1", "skill": "dice", "handler": "roll", "arguments": "{}", "priority": 1,
             "state": "queued", "failures": 0, "losses": 2, "owner": None, "created_at": 1.5, "finished_at": None,
             "due_at": 3.5, "publishes": 1, "error": None},
    "actions": {"key": "e1|dice.roll|0", "run": "r1", "ordinal": 0, "account": "acme", "state": "sent", "body": "{}",
                "sent_ids": '["m1"]', "created_at": 1.5, "sent_at": 4.5, "due_at": None, "publishes": 1,
                "error": None},
    "processes": {"id": "p1", "role": "worker", "host": "here", "pid": 11, "started_at": 1.5, "beat_at": 2.5},
    "manifests": {"skill": "dice", "digest": "d", "body": "{}", "published_at": 1.5},
}  # fmt: skip


def test_a_store_of_the_first_revision_is_upgraded_and_keeps_its_data(store_url: str) -> None:
    make(store_url, "0001")
    engine = connect(store_url)
    with engine.begin() as connection:
        assert not inspect(connection).has_table("data")
        for table, row in FIRST.items():
            names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    engine.dispose()
    engine = open_store(store_url)
    try:
        with engine.connect() as connection:
            for table, row in FIRST.items():
                found = connection.execute(text(f"SELECT {', '.join(row)} FROM {table}")).mappings().one()
                assert dict(found) == row
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
            assert context.get_current_revision() == REVISION
        DataRows(engine).write("karma", "", "a", "1", None)
    finally:
        engine.dispose()


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(store_url: str) -> None:
    make(store_url, "0001")
    engine = connect(store_url)
    with engine.begin() as connection:
        # The last of the new tables is in the way, so some have been made when it fails.
        connection.execute(text("CREATE TABLE cooldowns (mine INTEGER)"))
    before = set(inspect(engine).get_table_names())
    with pytest.raises(StoreError, match="cooldowns"):
        upgrade(engine)
    inspect(engine).clear_cache()
    assert set(inspect(engine).get_table_names()) == before
    with engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0001"
        connection.execute(text("DROP TABLE cooldowns"))
    upgrade(engine)
    assert set(inspect(engine).get_table_names()) >= metadata.tables.keys()
    engine.dispose()


def test_opening_a_store_again_changes_nothing_and_asks_little(store: Engine) -> None:
    statements: list[str] = []
    event.listen(store, "before_cursor_execute", lambda *given: statements.append(given[2]))
    upgrade(store)
    assert not any("CREATE" in statement for statement in statements)


def test_a_new_file_that_another_process_is_preparing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself would not wait: another one has begun to write, in a file that has no write-ahead log yet."""
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("time.sleep", lambda _: other.in_transaction and other.execute("COMMIT"))
        engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        engine.dispose()


def test_processes_that_open_a_new_store_at_once_all_find_it_ready(store_url: str) -> None:
    program = (
        "import sys; from sqlalchemy import select, func; from dragoman.store.engine import open_store; "
        "from dragoman.store.schema import events; print('ready', flush=True); sys.stdin.readline(); "
        "engine = open_store(sys.argv[1]); c = engine.connect(); "
        "print(c.execute(select(func.count(events.c.key))).scalar())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, store_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            out, err = process.communicate(timeout=60)
            assert (process.returncode, out) == (0, "0\n"), err
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_store_of_a_newer_dragoman_is_refused_and_left_as_it_is(store: Engine, store_url: str) -> None:
    with store.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError, match=r"schema 9999, which this Dragoman does not know: upgrade Dragoman"):
        open_store(store_url)
    with store.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "is not a database URL"),
        ("", "is not a database URL"),
        ("postgresql://host:port/name", "is not a database URL"),
        ("mysql://ann:sekret@host/name", "mysql is not supported; use sqlite:/// or postgresql://"),
        ("postgres://ann:sekret@host/name", "use sqlite:/// or postgresql://"),
        ("postgresql://ann:sekret@127.0.0.1:1/name", "cannot be used"),
        ("sqlite:////dev/null/store.db", "cannot be made"),
        ("sqlite:////dev", "cannot be used: unable to open database file"),
    ],
)
def test_a_store_that_cannot_be_opened_is_told_without_its_password(url: str, why: str) -> None:
    with pytest.raises((SettingsError, StoreError)) as caught:
        open_store(url)
    assert why in str(caught.value)
    assert "sekret" not in str(caught.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    file.write_text("these are my notes and no database " * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        open_store(f"sqlite:///{file}")


def test_errors_of_the_store_do_not_show_what_was_written(store: Engine) -> None:
    with pytest.raises(Exception, match="hide_parameters") as caught, store.begin() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:secret)"), {"secret": "sekret"})
    assert "sekret" not in str(caught.value)


def test_the_folder_of_a_new_store_is_made(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'a' / 'b' / 'store.db'}")
    upgrade(engine)
    engine.dispose()
    assert (tmp_path / "a" / "b" / "store.db").is_file()
