"""Until when a platform wants to be left alone: what one gateway was told, all gateways of the account obey."""

import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from .schema import limits

__all__ = ["Limit", "keep_limits", "limits_of"]


class Limit(NamedTuple):
    """A limit: of a whole account (``bucket`` is empty), or of one of its channels; ``until`` in unix seconds."""

    account: str
    bucket: str
    until: float


def keep_limits(connection: Connection, items: Sequence[Limit]) -> list[None]:
    """Write them down; a longer one that is known stays. Those of the accounts that are over are forgotten."""
    insert: Any = sqlite.insert(limits) if connection.dialect.name == "sqlite" else postgresql.insert(limits)
    over = delete(limits).where(limits.c.account.in_({item.account for item in items}), limits.c.until < time.time())
    connection.execute(over)
    for item in items:
        row = insert.values(**item._asdict())
        connection.execute(
            row.on_conflict_do_update(
                index_elements=["account", "bucket"],
                set_={"until": row.excluded.until},
                where=limits.c.until < row.excluded.until,
            )
        )
    return [None] * len(items)


def limits_of(connection: Connection, accounts: Collection[str], *, now: float) -> list[Limit]:
    """Those of some accounts that are not over."""
    found = select(limits).where(limits.c.account.in_(accounts), limits.c.until > now)
    return [Limit(row.account, row.bucket, row.until) for row in connection.execute(found)]
