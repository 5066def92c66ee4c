"""Who says what is to be said: each partition of an account has one owner at a time, by a lease.

An owner renews its lease. What is nobody's (it was let go, its lease has run out, its owner's heart beats no more) is
taken by whoever looks first. Who has less than its share asks for some of another's by becoming its heir; the owner
finishes what is in hand and hands it over. Each change raises the partition's token, by which two that look at the
same time find out who was first.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .processes import alive
from .schema import partitions

__all__ = ["LEASE", "Holding", "Part", "hold", "let_go"]

#: Seconds that a lease is good for, unless it is renewed.
LEASE: Final = 12.0
#: A lease with less than this left is renewed.
RENEW: Final = 8.0


class Part(NamedTuple):
    """One partition of an account."""

    account: str
    number: int


@dataclass(frozen=True, slots=True)
class Holding:
    """What a gateway has.

    Attributes:
        until: by partition, the unix time at which its lease ends.
        wanted: those of them that others have asked for.
    """

    until: Mapping[Part, float]
    wanted: frozenset[Part]


def hold(connection: Connection, owner: str, accounts: Collection[str], count: int, *, now: float) -> Holding:
    """Renew what is the owner's, take its share of what is nobody's, and ask for what it lacks of that.

    Args:
        count: how many partitions each account has.
    """
    living = alive(connection) | {owner}
    until: dict[Part, float] = {}
    wanted: set[Part] = set()
    for account in accounts:
        rows = _rows(connection, account, count)
        for row in rows:
            if row.owner == owner and row.until - now < RENEW and row.until > now:
                connection.execute(_mine(row, owner), {"b_until": now + LEASE})
        until.update({Part(account, row.partition): _left(row, now) for row in rows if _is(row, owner, now)})
        wanted.update(
            Part(account, row.partition)
            for row in rows
            if _is(row, owner, now) and row.heir is not None and row.heir != owner and row.heir in living
        )
        until.update(_take(connection, rows, owner, living, count, now))
    return Holding(until, frozenset(wanted))


def let_go(connection: Connection, owner: str, parts: Collection[Part], *, now: float) -> None:
    """Hand these over: each to who has asked for it, or to nobody."""
    for part in parts:
        row = connection.execute(
            select(partitions).where(partitions.c.account == part.account, partitions.c.partition == part.number)
        ).first()
        if row is not None and row.owner == owner:
            heir = row.heir if row.heir in alive(connection) and row.heir != owner else None
            connection.execute(
                _seen(row).values(owner=heir, heir=None, token=row.token + 1, until=now + LEASE if heir else 0.0)
            )


def _rows(connection: Connection, account: str, count: int) -> list[Any]:
    """The partitions of an account, by their numbers; made when they are first asked for."""
    found = select(partitions).where(partitions.c.account == account).order_by(partitions.c.partition)
    rows = [row for row in connection.execute(found) if row.partition < count]
    if len(rows) < count:
        insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(
            insert(partitions).on_conflict_do_nothing(),
            [{"account": account, "partition": number, "token": 0, "until": 0.0} for number in range(count)],
        )
        rows = [row for row in connection.execute(found) if row.partition < count]
    return rows


def _take(
    connection: Connection, rows: list[Any], owner: str, living: Collection[str], count: int, now: float
) -> dict[Part, float]:
    """Take free ones, up to its share; or ask others for theirs. What was taken, with the end of its lease."""
    # Whose each will be, when all have handed over what they were asked for.
    future = {row.partition: _future(row, living, now) for row in rows}
    members = {whose for whose in future.values() if whose is not None}
    members |= {row.owner for row in rows if _future_owner(row, living, now)} | {owner}
    fair, most = count // len(members), -(-count // len(members))
    mine = sum(whose == owner for whose in future.values())
    taken: dict[Part, float] = {}
    for row in rows:
        if mine < most and future[row.partition] is None:
            change = _seen(row).values(owner=owner, heir=None, token=row.token + 1, until=now + LEASE)
            if connection.execute(change).rowcount:
                taken[Part(row.account, row.partition)] = now + LEASE
                future[row.partition] = owner
                mine += 1
    for row in reversed(rows):
        whose = future[row.partition]
        if mine >= fair or whose is None or whose == owner or row.owner == owner:
            continue
        spare = row.owner == whose and sum(each == whose for each in future.values()) > fair
        if spare and connection.execute(_seen(row).values(heir=owner)).rowcount:
            future[row.partition] = owner
            mine += 1
    return taken


def _is(row: Any, owner: str, now: float) -> bool:
    return bool(row.owner == owner and row.until > now)


def _left(row: Any, now: float) -> float:
    return now + LEASE if row.until - now < RENEW else float(row.until)


def _future_owner(row: Any, living: Collection[str], now: float) -> bool:
    return bool(row.owner in living and row.until > now)


def _future(row: Any, living: Collection[str], now: float) -> str | None:
    if not _future_owner(row, living, now):
        return None
    return str(row.heir if row.heir in living else row.owner)


def _seen(row: Any) -> Any:
    """A change of a partition that is still as it was seen."""
    return update(partitions).where(
        partitions.c.account == row.account, partitions.c.partition == row.partition, partitions.c.token == row.token
    )


def _mine(row: Any, owner: str) -> Any:
    return _seen(row).where(partitions.c.owner == owner).values(until=bindparam("b_until"))
