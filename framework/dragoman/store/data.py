"""Skills' own data in SQL; see `dragoman.data`. Each call is one short transaction."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from ..data import LONGEST_KEY, Row
from ..errors import StoreError
from .engine import reading
from .fitting import fitting
from .schema import data

__all__ = ["LONGEST_SCOPE", "DataRows", "delete_expired", "row_of", "upsert"]

#: Characters of the column.
LONGEST_SCOPE: Final = 512


class DataRows:
    """Implements `dragoman.data.Rows`; for all threads of the process that made the engine."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def read(self, skill: str, scope: str, key: str) -> Row | None:
        with self._reading() as connection:
            row = connection.execute(
                select(data.c.value, data.c.version, data.c.expires_at).where(_at(skill, scope, key), self._there())
            ).one_or_none()
        return None if row is None else Row(row.value, row.version, row.expires_at)

    def write(self, skill: str, scope: str, key: str, value: str, expires_at: float | None) -> None:
        row = row_of(skill, scope, key, value, expires_at)
        with self._writing() as connection:
            connection.execute(upsert(connection, row))

    def swap(self, skill: str, scope: str, key: str, version: int | None, value: str, expires_at: float | None) -> bool:
        row = row_of(skill, scope, key, value, expires_at)
        statement: Any
        with self._writing() as connection:
            if version is None:
                # What has expired and is not yet deleted is in the way, and is replaced.
                statement = upsert(connection, row, data.c.expires_at <= self._clock())
            else:
                statement = (
                    update(data)
                    .where(_at(skill, scope, key), data.c.version == version, self._there())
                    .values(value=row["value"], version=row["version"], expires_at=expires_at)
                )
            return connection.execute(statement.returning(data.c.version)).scalar_one_or_none() is not None

    def delete(self, skill: str, scope: str, key: str) -> bool:
        with self._writing() as connection:
            found = delete(data).where(_at(skill, scope, key), self._there()).returning(data.c.version)
            return connection.execute(found).scalar_one_or_none() is not None

    def items(self, skill: str, scope: str, prefix: str) -> list[tuple[str, str]]:
        found = select(data.c.key, data.c.value).where(
            data.c.skill == skill, data.c.scope == fitting(scope, LONGEST_SCOPE), self._there()
        )
        if prefix:
            # One range of the primary key. No key is above the prefix filled up with the last of all characters.
            last = prefix + chr(0x10FFFF) * (LONGEST_KEY - len(prefix))
            found = found.where(data.c.key >= prefix, data.c.key <= last)
        with self._reading() as connection:
            return [(row.key, row.value) for row in connection.execute(found.order_by(data.c.key))]

    def _there(self) -> ColumnElement[bool]:
        return or_(data.c.expires_at.is_(None), data.c.expires_at > self._clock())

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _explained(), reading(self._engine) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _explained(), self._engine.begin() as connection:
            yield connection


def delete_expired(connection: Connection, now: float) -> int:
    """Delete the data whose time is over; how many there were."""
    return int(connection.execute(delete(data).where(data.c.expires_at <= now)).rowcount)


def _at(skill: str, scope: str, key: str) -> ColumnElement[bool]:
    return and_(data.c.skill == skill, data.c.scope == fitting(scope, LONGEST_SCOPE), data.c.key == key)


def row_of(skill: str, scope: str, key: str, value: str, expires_at: float | None) -> dict[str, Any]:
    """A row to write, with a version of its own."""
    return {
        "skill": skill,
        "scope": fitting(scope, LONGEST_SCOPE),
        "key": key,
        "value": value,
        # Not counted: who has read a value that was then deleted and made again must see that it is another one.
        "version": secrets.randbits(63),
        "expires_at": expires_at,
    }


def upsert(
    connection: Connection, rows: dict[str, Any] | list[dict[str, Any]], where: ColumnElement[bool] | None = None
) -> Any:
    """INSERT one row or several; what is there is overwritten (only ``where`` that is true)."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(data).values(rows)
    return statement.on_conflict_do_update(
        index_elements=["skill", "scope", "key"],
        set_={name: statement.excluded[name] for name in ("value", "version", "expires_at")},
        where=where,
    )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(f"the store cannot be used: {reason}") from error
