"""What skills keep, and their timers, as text: out of one store and into another, of either kind.

Schedules are no part of it: every start writes them, as the skills say. Those in files of earlier versions are ignored.

Lines of JSON. The first says what this is; then there is one for each value and each timer::

    {"dragoman": "store", "format": 1, "lines": 2}
    {"data": {"skill": "karma", "scope": "", "key": "ann", "value": 3, "expires_at": null}}
    {"timer": {"id": "...", "skill": "remind", "handler": "tell", "due_at": 1700000000.0, "body": {...}, ...}}

Times are unix seconds. ``lines`` shows whether the end is missing; who edits a file may leave it out.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final, NamedTuple, TextIO

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from sqlalchemy import Column, Connection, Engine, Select, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from ..data import LONGEST_KEY
from ..errors import DragomanError, SkillError, StoreError
from ..event import Scheduled
from ..manifest import SkillName
from ..values import read_value, write_value
from .data import LONGEST_SCOPE, row_of, upsert
from .engine import reading
from .fitting import fits
from .schedules import SCHEDULES
from .schema import data, timers
from .timers import LARGEST

__all__ = ["FORMAT", "Count", "export_store", "import_store"]

FORMAT: Final = 1
#: Rows in one statement.
AT_ONCE: Final = 500


class Count(NamedTuple):
    """How many lines of each kind; ``expired`` ones were left out."""

    data: int = 0
    timers: int = 0
    expired: int = 0

    def __str__(self) -> str:
        values = f"{self.data} value{'s' * (self.data != 1)} and {self.timers} timer{'s' * (self.timers != 1)}"
        return values + (f"; {self.expired} had expired" if self.expired else "")


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Value(_Line):
    skill: Annotated[str, Field(min_length=1, max_length=64)]
    scope: Annotated[str, Field(max_length=LONGEST_SCOPE, pattern=r"^([cp]:.+)?$")]
    key: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
    value: Any
    expires_at: FiniteFloat | None = None


class _Timer(_Line):
    id: Annotated[str, Field(min_length=1, max_length=64)]
    skill: SkillName
    handler: Annotated[str, Field(min_length=1, max_length=128)]
    cron: None = None
    timezone: None = None
    due_at: FiniteFloat
    body: dict[str, Any]
    created_at: FiniteFloat


def export_store(engine: Engine, out: TextIO, *, now: float, skill: str | None = None) -> Count:
    """Write what skills (or one of them) keep, as it is at one moment; the bot may go on meanwhile."""
    values = select(data).where(or_(data.c.expires_at.is_(None), data.c.expires_at > now))
    # What is never due has been set aside: nobody could read it.
    waiting: Select[Any] = select(timers).where(timers.c.cron.is_(None), timers.c.due_at.is_not(None))
    if skill is not None:
        values, waiting = values.where(data.c.skill == skill), waiting.where(timers.c.skill == skill)
    try:
        with reading(engine) as connection:
            if connection.dialect.name == "postgresql":  # on SQLite one transaction always sees one moment
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            count = Count(_count(connection, values), _count(connection, waiting))
            _write(out, {"dragoman": "store", "format": FORMAT, "lines": count.data + count.timers})
            for row in _stream(connection, values.order_by(data.c.skill, data.c.scope, data.c.key)):
                _write(out, {"data": {**_without(row, "version"), "value": read_value(row["value"])}})
            for row in _stream(connection, waiting.order_by(timers.c.id)):
                _write(out, {"timer": {**_without(row, "cron", "timezone"), "body": json.loads(row["body"])}})
    except SQLAlchemyError as error:
        raise _explained(error) from error
    return count


def import_store(engine: Engine, lines: Iterable[str], *, now: float, replace: bool = False) -> Count:
    """Read what `export_store` wrote: all of it, or nothing.

    Args:
        replace: overwrite what is there already.

    Raises:
        DragomanError: a line cannot be read (its number is told), or what it says is there already.
    """
    values: dict[tuple[str, ...], dict[str, Any]] = {}
    waiting: dict[tuple[str, ...], dict[str, Any]] = {}
    expired = 0
    for number, line in _parsed(lines):
        if isinstance(line, _Timer):
            _add(waiting, (line.id,), {**line.model_dump(), "body": _template(line, number)}, number)
            continue
        try:
            text = write_value(line.value, "the value")
        except SkillError as error:
            raise _broken(number, str(error)) from None
        if line.expires_at is not None and line.expires_at <= now:
            expired += 1
            continue
        row = row_of(line.skill, line.scope, line.key, text, line.expires_at)
        _add(values, (line.skill, line.scope, line.key), row, number)
    try:
        with engine.begin() as connection:
            for rows in _batches(list(values.values())):
                # What has expired and is not yet deleted is no obstacle.
                statement = upsert(connection, rows, None if replace else data.c.expires_at <= now)
                _refuse(connection, statement, rows, [data.c.skill, data.c.scope, data.c.key])
            for rows in _batches(list(waiting.values())):
                _refuse(connection, _timers(connection, rows, replace), rows, [timers.c.id])
    except SQLAlchemyError as error:
        raise _explained(error) from error
    return Count(len(values), len(waiting), expired)


def _parsed(lines: Iterable[str]) -> Iterator[tuple[int, _Value | _Timer]]:
    header: dict[str, Any] | None = None
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise _broken(number, f"not JSON: {error}") from None
        if header is None:
            header = _header(found, number)
            continue
        count += 1
        if not _is_schedule(found):
            yield number, _line(found, number)
    if header is None:
        raise DragomanError("nothing was imported: the file is empty; `dragoman store export` writes one")
    if header.get("lines", count) != count:
        raise DragomanError(
            f'nothing was imported: {count} lines follow the first one, which says "lines": {header["lines"]}; '
            'export again, or take "lines" out of the first line if you have changed the file'
        )


def _header(found: Any, number: int) -> dict[str, Any]:
    if not isinstance(found, dict) or found.get("dragoman") != "store" or not isinstance(found.get("format"), int):
        raise _broken(number, "this is not what `dragoman store export` writes")
    if found["format"] > FORMAT:
        raise _broken(number, f"format {found['format']} is of a newer Dragoman (this one knows {FORMAT}): upgrade it")
    return found


def _line(found: Any, number: int) -> _Value | _Timer:
    kinds: dict[str, type[_Value | _Timer]] = {"data": _Value, "timer": _Timer}
    if not isinstance(found, dict) or len(found) != 1 or not found.keys() <= kinds.keys():
        raise _broken(number, 'neither {"data": ...} nor {"timer": ...}')
    ((kind, fields),) = found.items()
    try:
        line = kinds[kind].model_validate(fields)
    except ValidationError as error:
        raise _broken(number, _first(error, kind)) from None
    for name, text in line.model_dump(exclude={"value", "body"}).items():
        if isinstance(text, str) and not fits(text, len(text)):
            raise _broken(number, f"{kind}.{name}: characters that no database can keep")
    return line


def _is_schedule(found: Any) -> bool:
    timer = found.get("timer") if isinstance(found, dict) and len(found) == 1 else None
    return isinstance(timer, dict) and isinstance(timer.get("cron"), str)


def _template(line: _Timer, number: int) -> str:
    """The event of a timer as JSON, if whoever takes the timer when it is due can read it."""
    if line.id.startswith(SCHEDULES):
        raise _broken(number, f"timer.id: {SCHEDULES} begins the ids of schedules, which only skills make")
    try:
        # As `TimerRows` writes it, so that whatever that takes is not too large here.
        text = json.dumps(line.body, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        event = Scheduled.model_validate_json(text)
    except ValidationError as error:
        raise _broken(number, _first(error, "timer", "body")) from None
    except (ValueError, RecursionError) as error:  # 1e999 is infinite, and half of a surrogate pair is no text
        raise _broken(number, f"timer.body: {error}") from None
    if (event.skill, event.handler) != (line.skill, line.handler):
        raise _broken(
            number,
            f"timer.body: it is for {event.skill}.{event.handler}, and the timer for {line.skill}.{line.handler}",
        )
    if len(text) > LARGEST:
        raise _broken(number, f"timer.body: {len(text):,} bytes, and the limit is {LARGEST:,}")
    return text


def _first(error: ValidationError, *place: str) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, (*place, *first['loc'])))}: {first['msg']}"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _broken(number: int, why: str) -> DragomanError:
    return DragomanError(f"nothing was imported: line {number}: {why}")


def _explained(error: SQLAlchemyError) -> StoreError:
    return StoreError(f"the store cannot be used: {str(getattr(error, 'orig', None) or error).strip()}")


def _add(rows: dict[tuple[str, ...], dict[str, Any]], key: tuple[str, ...], row: dict[str, Any], number: int) -> None:
    if key in rows:
        raise _broken(number, f"{_told(key)} is there for the second time")
    rows[key] = row


def _told(key: Sequence[str]) -> str:
    if len(key) == 1:
        return f"the timer {key[0]}"
    skill, scope, name = key
    return f"the key {name!r} of skill {skill}{f' in {scope}' * bool(scope)}"


def _refuse(connection: Connection, statement: Any, rows: list[dict[str, Any]], columns: list[Column[Any]]) -> None:
    """Write rows; what was there already and was left as it was is an error."""
    written = {tuple(row) for row in connection.execute(statement.returning(*columns))}
    for row in rows:
        key = tuple(row[column.name] for column in columns)
        if key not in written:
            raise DragomanError(
                f"nothing was imported: {_told(key)} is in the store already; --replace overwrites what is there"
            )


def _timers(connection: Connection, rows: list[dict[str, Any]], replace: bool) -> Any:
    statement = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(timers).values(rows)
    if not replace:
        return statement.on_conflict_do_nothing(index_elements=["id"])
    changed = {column.name: statement.excluded[column.name] for column in timers.columns if column.name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=changed)


def _count(connection: Connection, query: Select[Any]) -> int:
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def _stream(connection: Connection, query: Select[Any]) -> Iterator[dict[str, Any]]:
    for row in connection.execution_options(yield_per=AT_ONCE).execute(query).mappings():
        yield dict(row)


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}


def _batches(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def _write(out: TextIO, line: dict[str, Any]) -> None:
    out.write(json.dumps(line) + "\n")
