"""Discord's own kinds of fields; the others are read by `dragoman.adapting`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dragoman.adapting import PayloadError, items, joined, mapping, optional, required

__all__ = ["PayloadError", "flag", "items", "mapping", "moment", "optional", "required", "snowflake", "spoken_at"]

#: The first millisecond of 2015: https://docs.discord.com/developers/reference#snowflakes
EPOCH: Final = 1_420_070_400_000
SNOWFLAKE: Final = re.compile(r"[0-9]{1,20}")


def snowflake(parent: Mapping[str, Any], name: str, path: str) -> str:
    """The id at ``name``: digits in a text (https://docs.discord.com/developers/reference#snowflakes)."""
    value = required(parent, name, path)
    if not SNOWFLAKE.fullmatch(value):
        raise PayloadError(joined(path, name), "must be an id such as 175928847299117063")
    return value


def spoken_at(id: str) -> float:
    """When a snowflake was made, in unix seconds."""
    return ((int(id) >> 22) + EPOCH) / 1000


def moment(parent: Mapping[str, Any], name: str, path: str) -> float:
    """The ISO 8601 time at ``name``, in unix seconds."""
    value = required(parent, name, path)
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise PayloadError(joined(path, name), "must be a time such as 2015-04-26T06:26:56.936000+00:00") from None


def flag(parent: Mapping[str, Any], name: str) -> bool:
    """Whether it says ``true`` at ``name``."""
    return parent.get(name) is True
