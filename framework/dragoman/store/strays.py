"""Messages that no part could read or that were for nobody, kept in the ledger: see `dragoman.strays`."""

import hashlib
import json
import time
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ..exchange.message import dead_letter
from .fitting import storable
from .schema import strays

__all__ = ["Stray", "due_strays", "keep_strays", "read_stray", "return_strays"]

#: How many are published at once.
MOST: Final = 100


class Stray(NamedTuple):
    """A dead letter of the broker's: its id, the queue that it was in (empty if unknown), why, and all of it."""

    id: str
    queue: str
    reason: str
    letter: str


def read_stray(body: bytes) -> Stray:
    """A message of the queue of dead letters. The same body gives the same id, so it is kept once."""
    id = hashlib.sha256(body).hexdigest()[:32]
    try:
        letter: Any = json.loads(body)
    except ValueError:
        letter = None
    if not isinstance(letter, dict) or not isinstance(letter.get("queue"), str):
        # Somebody else has put it there.
        reason = "it was among the dead letters, and is none of Dragoman's"
        letter = json.loads(dead_letter(body, reason, queue="", routing_key="", headers={}, properties={}))
    return Stray(id, storable(letter["queue"])[:256], storable(str(letter.get("reason", ""))), json.dumps(letter))


def keep_strays(connection: Connection, items: Sequence[Stray]) -> set[str]:
    """Write them down; the ids of those that are new."""
    now = time.time()
    rows = {item.id: {**item._asdict(), "parked_at": now} for item in items}
    if not rows:
        return set()
    return set(connection.execute(_insert_new(connection.dialect.name), list(rows.values())).scalars())


def due_strays(connection: Connection, most: int = MOST) -> list[Stray]:
    """Those that an operator has put back, in the order in which they were parked."""
    due = select(strays).where(strays.c.due_at <= time.time()).order_by(strays.c.parked_at, strays.c.id).limit(most)
    return [Stray(row.id, row.queue, row.reason, row.letter) for row in connection.execute(due)]


def return_strays(connection: Connection, published: Sequence[str], failed: Sequence[tuple[str, str]]) -> None:
    """What became of those: published, or why one cannot be, which parks it again."""
    if published:
        connection.execute(delete(strays).where(strays.c.id.in_(published)))
    for id, reason in failed:
        connection.execute(update(strays).where(strays.c.id == id).values(due_at=None, reason=storable(reason)))


@cache
def _insert_new(dialect: str) -> Any:
    statement: Any = sqlite.insert(strays) if dialect == "sqlite" else postgresql.insert(strays)
    return statement.on_conflict_do_nothing().returning(strays.c.id)
