"""What adapters keep across restarts: reply credentials until they end, and states. For a `Batcher`: many at once.

Credentials are secrets. They are read by gateways only, and nothing here says them in an error or a log.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from .schema import adapter_states, reply_credentials

__all__ = ["find_credentials", "forget_credentials", "keep_credentials", "load_states", "save_states"]


def keep_credentials(connection: Connection, items: Sequence[tuple[str, str, Mapping[str, Any], float]]) -> list[None]:
    """Keep (account, event's key, secret, until) each."""
    rows = {
        (account, key): {"account": account, "event_key": key, "body": json.dumps(secret), "until": until}
        for account, key, secret, until in items
    }
    _write(connection, reply_credentials, list(rows.values()))
    return [None] * len(items)


def find_credentials(connection: Connection, items: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
    """What is kept for (account, event's key) each, and has not ended."""
    table = reply_credentials
    rows = connection.execute(
        select(table).where(tuple_(table.c.account, table.c.event_key).in_(items), table.c.until > time.time())
    )
    found = {(row.account, row.event_key): json.loads(row.body) for row in rows}
    return [found.get(item) for item in items]


def forget_credentials(connection: Connection, now: float) -> int:
    """Delete what has ended; how many."""
    return int(connection.execute(delete(reply_credentials).where(reply_credentials.c.until < now)).rowcount)


def save_states(connection: Connection, items: Sequence[tuple[str, str, Mapping[str, Any]]]) -> list[None]:
    """Keep (account, name, state) each; the last one of a name wins."""
    now = time.time()
    rows = {
        (account, name): {"account": account, "name": name, "body": json.dumps(state), "saved_at": now}
        for account, name, state in items
    }
    _write(connection, adapter_states, list(rows.values()))
    return [None] * len(items)


def load_states(connection: Connection, items: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
    """What was saved under (account, name) each."""
    table = adapter_states
    rows = connection.execute(select(table).where(tuple_(table.c.account, table.c.name).in_(items)))
    found = {(row.account, row.name): json.loads(row.body) for row in rows}
    return [found.get(item) for item in items]


def _write(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    statement: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    keys = [column.name for column in table.primary_key.columns]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)
