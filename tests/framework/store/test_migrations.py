"""The migrations make what the tables say, whoever comes first."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, inspect, text

from dragoman import SettingsError, StoreError
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


def test_opening_a_store_again_changes_nothing_and_asks_little(store: Engine) -> None:
    statements: list[str] = []
    event.listen(store, "before_cursor_execute", lambda *given: statements.append(given[2]))
    upgrade(store)
    assert not any("CREATE" in statement for statement in statements)


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
