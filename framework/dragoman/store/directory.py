"""The directory: what platforms have told of people and channels, and when.

Tenants are those that the bot answers as (of an event's address), not a person's own. Times are unix seconds. What
was told earlier never replaces what was told later, so the order of writing does not matter. Ids that no database
can hold are left out: such a person is not known.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, Table, and_, func, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from .. import wire
from ..address import ANY_TENANT
from ..event import ChannelInfo, Person
from .fitting import fits, fitting
from .schema import channels, people

__all__ = [
    "KnownChannel",
    "KnownPerson",
    "PersonKey",
    "find_people",
    "read_channel",
    "read_channel_by_name",
    "read_channels",
    "read_people",
    "read_person",
    "write_channel",
    "write_channels",
    "write_people",
    "write_person",
]

log = logging.getLogger(__name__)

#: Account, tenant, id.
PersonKey = tuple[str, str, str]

#: Characters of an id's column, and of a name that is looked for.
LONGEST: Final = 256
#: People that are asked for in one statement: databases limit its parameters.
AT_ONCE: Final = 500


class KnownPerson(NamedTuple):
    """Somebody, and when the platform told so."""

    person: Person
    fetched_at: float


class KnownChannel(NamedTuple):
    """A channel, and when the platform told so."""

    channel: ChannelInfo
    fetched_at: float


def read_person(connection: Connection, account: str, tenant: str, id: str) -> KnownPerson | None:
    """What is known of one of them."""
    key = (account, tenant, id)
    return read_people(connection, [key]).get(key)


def read_people(connection: Connection, keys: Iterable[PersonKey]) -> dict[PersonKey, KnownPerson]:
    """What is known of many; without those of whom nothing is."""
    wanted = sorted({key for key in keys if _storable(*key)})
    found = {}
    for start in range(0, len(wanted), AT_ONCE):
        rows = connection.execute(
            select(people.c.account, people.c.tenant, people.c.id, people.c.body, people.c.fetched_at).where(
                tuple_(people.c.account, people.c.tenant, people.c.id).in_(wanted[start : start + AT_ONCE])
            )
        )
        for account, tenant, id, body, fetched_at in rows:
            try:
                found[account, tenant, id] = KnownPerson(Person.model_validate_json(body), fetched_at)
            except ValidationError as error:
                # A newer Dragoman's: they are looked up again.
                log.warning("what the directory knows of %s/%s/%s cannot be read: %s", account, tenant, id, error)
    return found


def find_people(connection: Connection, text: str, limit: int = 20) -> dict[PersonKey, KnownPerson]:
    """Those whom people call by this: an id, ``account:id`` or a name (in any case of ASCII letters)."""
    account, _, id = text.partition(":")
    if not _storable(text):
        return {}
    found = connection.execute(
        select(people.c.account, people.c.tenant, people.c.id)
        .where(
            or_(
                people.c.id == text,
                people.c.name == text,
                func.lower(people.c.name) == text.lower(),
                and_(people.c.account == account, people.c.id == id),
            )
        )
        .order_by(people.c.account, people.c.id, people.c.fetched_at.desc(), people.c.tenant)
        .limit(limit)
    )
    keys: list[PersonKey] = [(row.account, row.tenant, row.id) for row in found]
    known = read_people(connection, keys)
    return {key: known[key] for key in keys if key in known}


def write_person(connection: Connection, account: str, tenant: str, person: Person, fetched_at: float) -> None:
    """Keep what a platform has told of somebody."""
    write_people(connection, [(account, tenant, person, fetched_at)])


def write_people(connection: Connection, found: Iterable[tuple[str, str, Person, float]]) -> None:
    """Keep what platforms have told of many: (account, tenant, person, when)."""
    rows = [
        {
            "account": account,
            "tenant": tenant,
            "id": person.id,
            "name": fitting(person.name, LONGEST),
            "body": wire.encode(person).decode(),
            "fetched_at": fetched_at,
        }
        for account, tenant, person, fetched_at in found
        if _storable(account, tenant, person.id)
    ]
    _write(connection, people, rows)


def read_channel(connection: Connection, account: str, tenant: str, id: str) -> KnownChannel | None:
    """What is known of a channel by its id; the tenant may be ``*``: any of the account's."""
    return _channel(connection, account, tenant, "id", id)


def read_channels(connection: Connection, keys: Iterable[PersonKey]) -> dict[PersonKey, KnownChannel]:
    """What is known of many channels by (account, tenant, id); without those of which nothing is."""
    wanted = sorted({key for key in keys if _storable(*key)})
    found = {}
    for start in range(0, len(wanted), AT_ONCE):
        rows = connection.execute(
            select(channels).where(
                tuple_(channels.c.account, channels.c.tenant, channels.c.id).in_(wanted[start : start + AT_ONCE])
            )
        )
        for row in rows:
            info = ChannelInfo(id=row.id, tenant=row.tenant, name=row.shown)
            found[row.account, row.tenant, row.id] = KnownChannel(info, row.fetched_at)
    return found


def read_channel_by_name(connection: Connection, account: str, tenant: str, name: str) -> KnownChannel | None:
    """What is known of a channel by its name, with or without ``#``, in any case of letters.

    When a name has gone from one channel to another, it is the one that was told of last. ``tenant`` may be ``*``.
    """
    return _channel(connection, account, tenant, "name", _name(name))


def write_channel(connection: Connection, account: str, channel: ChannelInfo, fetched_at: float) -> None:
    """Keep what a platform has told of a channel."""
    write_channels(connection, [(account, channel, fetched_at)])


def write_channels(connection: Connection, found: Iterable[tuple[str, ChannelInfo, float]]) -> None:
    """Keep what platforms have told of many: (account, channel, when)."""
    rows = [
        {
            "account": account,
            "tenant": channel.tenant,
            "id": channel.id,
            "name": _name(channel.name),
            # A name that no database can hold is not shown, and is found all the same.
            "shown": channel.name if fits(channel.name, len(channel.name)) else "",
            "fetched_at": fetched_at,
        }
        for account, channel, fetched_at in found
        if _storable(account, channel.tenant, channel.id)
    ]
    _write(connection, channels, rows)


def _channel(connection: Connection, account: str, tenant: str, column: str, value: str) -> KnownChannel | None:
    if not value or not _storable(account, tenant, value):
        return None
    found = select(channels).where(channels.c.account == account, channels.c[column] == value)
    if tenant != ANY_TENANT:
        found = found.where(channels.c.tenant == tenant)
    # The id decides between two of the same moment, so that everybody finds the same one.
    row = connection.execute(found.order_by(channels.c.fetched_at.desc(), channels.c.id).limit(1)).one_or_none()
    if row is None:
        return None
    return KnownChannel(ChannelInfo(id=row.id, tenant=row.tenant, name=row.shown), row.fetched_at)


def _name(name: str) -> str:
    return fitting(name.removeprefix("#").casefold(), LONGEST)


def _storable(*parts: str) -> bool:
    return all(fits(part, LONGEST) for part in parts)


def _write(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    key = [column.name for column in table.primary_key]
    # Everybody writes in the same order, so that no two wait for each other's rows.
    rows.sort(key=lambda row: tuple(row[name] for name in key))
    statement = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=key,
            set_={column.name: statement.excluded[column.name] for column in table.columns if column.name not in key},
            where=table.c.fetched_at <= statement.excluded.fetched_at,
        ),
        rows,
    )
