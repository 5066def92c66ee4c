"""How often something may be used: counted in the store, so that it holds for all processes together."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .fitting import fitting
from .schema import cooldowns

__all__ = ["Spend", "delete_over", "spend_cooldowns"]

LONGEST: Final = 300
#: An event that is delivered again within so many seconds is known to have been counted already...
REMEMBERED: Final = 900.0
#: ...if not more than so many have come since.
MOST_REMEMBERED: Final = 50

Use = tuple[str, float]


class Spend(NamedTuple):
    """A wish to use a bucket, which is full for ``per`` seconds after it was used ``times`` times in them.

    Attributes:
        bucket: who may not do what, in any form, such as ``dice.roll|person|acme/T1/U1``.
        event_key: what asks; the same one is never counted twice.
    """

    bucket: str
    event_key: str
    times: int
    per: float


def spend_cooldowns(connection: Connection, items: Sequence[Spend], now: float) -> list[float | None]:
    """For each in order: ``None``, it is allowed and was counted; else the seconds until it would be.

    The buckets are locked until the end of the transaction, always in the same order, so that routers wait for each
    other and never both ways. ``now`` is in unix seconds.
    """
    names = [fitting(item.bucket, LONGEST) for item in items]
    if not items:
        return []
    locked = _lock(connection, sorted(set(names)), now)
    answers = []
    changed: dict[str, float] = {}
    for name, item in zip(names, items, strict=True):
        uses = locked[name]
        wait = _wait(uses, item, now)
        answers.append(wait)
        if wait is None and not any(key == item.event_key for key, _ in uses):
            locked[name] = [*_worth(uses, item, now), (item.event_key, now)]
            changed[name] = max(changed.get(name, 0.0), now + max(item.per, REMEMBERED))
    if changed:
        connection.execute(
            update(cooldowns).where(cooldowns.c.bucket == bindparam("b_bucket")),
            [
                {"b_bucket": name, "uses": json.dumps(locked[name]), "until": until}
                for name, until in sorted(changed.items())
            ],
        )
    return answers


def delete_over(connection: Connection, now: float) -> int:
    """Delete the buckets that nobody needs any more; how many there were."""
    # Those that a router holds are left for the next time: a DELETE would lock them in an order of its own.
    over = select(cooldowns.c.bucket).where(cooldowns.c.until <= now).with_for_update(skip_locked=True)
    return int(connection.execute(delete(cooldowns).where(cooldowns.c.bucket.in_(over))).rowcount)


def _lock(connection: Connection, buckets: list[str], now: float) -> dict[str, list[Use]]:
    rows = connection.execute(
        _locking(connection.dialect.name), [{"bucket": bucket, "uses": "[]", "until": now} for bucket in buckets]
    )
    return {row.bucket: [(key, at) for key, at in json.loads(row.uses)] for row in rows}


@cache
def _locking(dialect: str) -> Any:
    statement = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(cooldowns)
    # A change that changes nothing locks the rows that are there as well, in the order in which they are given, and
    # leaves no moment between the two in which somebody could delete one.
    return statement.on_conflict_do_update(
        index_elements=["bucket"], set_={"bucket": statement.excluded.bucket}
    ).returning(cooldowns.c.bucket, cooldowns.c.uses)


def _wait(uses: list[Use], item: Spend, now: float) -> float | None:
    if any(key == item.event_key for key, _ in uses):
        return None
    recent = sorted(at for _, at in uses if at > now - item.per)
    if len(recent) < item.times:
        return None
    # By a clock of another machine that is ahead it could be longer than ever it is.
    return min(recent[-item.times] + item.per - now, item.per)


def _worth(uses: list[Use], item: Spend, now: float) -> list[Use]:
    """The uses that still count, and some that only say that they have been counted."""
    old = [use for use in uses if now - REMEMBERED < use[1] <= now - item.per]
    return [*old[-MOST_REMEMBERED:], *(use for use in uses if use[1] > now - item.per)]
