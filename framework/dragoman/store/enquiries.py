"""The directory and the ledger for a gateway: what many ask goes into one transaction of a `Batcher`.

Every function takes a connection in a transaction and *many* items, and answers for each in order.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from .. import wire
from ..address import Address
from ..errors import WireError
from ..event import ChannelInfo, Person
from .directory import (
    KnownChannel,
    KnownPerson,
    PersonKey,
    read_channel,
    read_channel_by_name,
    read_people,
    write_channel,
    write_people,
)
from .schema import actions, said

__all__ = [
    "find_channels",
    "find_channels_by_name",
    "find_people",
    "find_said",
    "keep_channels",
    "keep_people",
    "said_at",
    "said_by",
]


def find_people(connection: Connection, items: Sequence[PersonKey]) -> list[KnownPerson | None]:
    """What is known of people: (account, tenant, id) each."""
    found = read_people(connection, items)
    return [found.get(item) for item in items]


def find_channels(connection: Connection, items: Sequence[PersonKey]) -> list[KnownChannel | None]:
    """What is known of channels: (account, tenant, id) each; the tenant may be ``*``."""
    return [read_channel(connection, *item) for item in items]


def find_channels_by_name(connection: Connection, items: Sequence[PersonKey]) -> list[KnownChannel | None]:
    """The same for (account, tenant, name)."""
    return [read_channel_by_name(connection, *item) for item in items]


def find_said(connection: Connection, items: Sequence[tuple[str, str, tuple[str, ...]]]) -> list[dict[str, str]]:
    """For (account, channel, message ids) each: which action (its key) made each message of the bot's."""
    return [
        {
            row.message: row.key
            for row in connection.execute(
                select(said.c.message, said.c.key).where(
                    said.c.account == account, said.c.channel == channel, said.c.message.in_(ids)
                )
            )
        }
        for account, channel, ids in items
    ]


def keep_people(connection: Connection, items: Sequence[tuple[str, str, Person, float]]) -> list[None]:
    """Keep what platforms have told of people: (account, tenant, person, when) each."""
    write_people(connection, items)
    return [None] * len(items)


def keep_channels(connection: Connection, items: Sequence[tuple[str, ChannelInfo, float]]) -> list[None]:
    """Keep what platforms have told of channels: (account, channel, when) each."""
    for account, channel, when in items:
        write_channel(connection, account, channel, when)
    return [None] * len(items)


def said_at(connection: Connection, key: str) -> Address | None:
    """Where an action was performed: its address as the gateway had resolved it; ``None`` if it was not."""
    body = connection.execute(
        select(actions.c.body).where(actions.c.key == key, actions.c.state == "sent")
    ).scalar_one_or_none()
    try:
        return None if body is None else wire.decode_action(body.encode()).address
    except WireError:  # a newer Dragoman's
        return None


def said_by(connection: Connection, account: str, channel: str, message: str) -> str | None:
    """The key of the action that made a message of the bot's; ``None`` if it is not known to be one."""
    here = (said.c.account == account, said.c.channel == channel, said.c.message == message)
    return connection.execute(select(said.c.key).where(*here)).scalar_one_or_none()
