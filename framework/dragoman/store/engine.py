"""Opening the store: SQLite by default, PostgreSQL by URL, at the newest schema."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ..errors import SettingsError, StoreError

__all__ = ["REVISION", "connect", "open_store", "ping", "reading", "upgrade", "watch_errors"]

#: The newest migration; a test holds it to `dragoman.store.migrations`.
REVISION = "0004"

# One process at a time may change the schema; any number that no other program would think of.
LOCK = 0x64726167


def connect(url: str, *, durable: bool = False) -> Engine:
    """An engine with the transaction behaviour that the ledger relies on; nothing is opened yet.

    Args:
        durable: SQLite: a commit is on the disk when it returns, so it survives a power cut. All commits survive a
            kill -9. A gateway needs it, since it tells platforms what is committed; and as SQLite's log is written
            in order, its commits also bring to the disk all that routers and workers wrote before. Another
            program's lock is waited for only shortly then, since a platform waits for the answer.

    Raises:
        SettingsError: the URL is neither SQLite's nor PostgreSQL's.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "store.url is not a database URL: write sqlite:///path/to/file.db or postgresql://user:password@host/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(str(parsed.database or ""), url, "FULL" if durable else "NORMAL", 5 if durable else 30)
    if backend == "postgresql":
        try:
            return sqlalchemy.create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True
            )
        except ModuleNotFoundError:
            raise SettingsError("store.url names PostgreSQL: pip install 'dragoman[postgres]'") from None
    raise SettingsError(f"store.url: {backend} is not supported; use sqlite:/// or postgresql://")


def open_store(url: str, *, durable: bool = False) -> Engine:
    """`connect`, then bring the schema up to date (only one process does; the others wait)."""
    engine = connect(url, durable=durable)
    try:
        upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def reading(engine: Engine) -> Connection:
    """A connection for reads: on SQLite it never waits for a writer."""
    return engine.connect().execution_options(dragoman_reading=True)


def ping(engine: Engine) -> None:
    """Ask the database for nothing; raises SQLAlchemyError if it does not answer."""
    with reading(engine) as connection:
        connection.exec_driver_sql("SELECT 1")


def watch_errors(engine: Engine, heard: Callable[[str], None]) -> None:
    """From now on, ``heard`` is told the name of each error of the database's, whoever gets it."""

    @event.listens_for(engine, "handle_error")
    def handle(context: ExceptionContext) -> None:
        heard(type(context.sqlalchemy_exception or context.original_exception).__name__)


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date.

    Raises:
        StoreError: the store cannot be opened.
        SettingsError: it is of a newer Dragoman.
    """
    try:
        with engine.connect() as connection:
            if _revision(connection) == REVISION:
                return
        # Alembic takes a moment to import, and is needed once in a store's life.
        from .migrations import run_migrations

        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            run_migrations(connection)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(
            f"the store {engine.url.render_as_string(hide_password=True)} cannot be used: {reason}"
        ) from None


def _revision(connection: Connection) -> str | None:
    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(found) if found is not None else None


def _sqlite(database: str, url: str, synchronous: str, timeout: int) -> Engine:
    if database and database != ":memory:":
        try:
            Path(database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"the store's folder {Path(database).parent} cannot be made: {error}") from None
    engine = sqlalchemy.create_engine(url, connect_args={"timeout": timeout}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # The driver must not begin transactions on its own; see "begin" below.
        connection.isolation_level = None
        cursor = connection.cursor()
        _use_wal(cursor, timeout)
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads and then writes must have the lock from its start: two of them that
        # upgrade half-way cannot both go on, and SQLite would fail one at once instead of waiting.
        reading = connection.get_execution_options().get("dragoman_reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _use_wal(cursor: Any, timeout: float) -> None:
    """SQLite fails this one at once if several processes open a new file together, whatever it was told of waiting."""
    end = time.monotonic() + timeout
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)
