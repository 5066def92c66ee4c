"""Slack's own kinds of fields; the others are read by `dragoman.adapting`."""

from collections.abc import Mapping
from typing import Any

from dragoman.adapting import PayloadError, items, joined, mapping, optional, required

__all__ = ["PayloadError", "items", "mapping", "number", "optional", "required", "timestamp"]


def timestamp(parent: Mapping[str, Any], name: str, path: str) -> str:
    """A Slack timestamp such as ``1355517523.000005``: unix seconds, unique in its channel."""
    value = required(parent, name, path)
    number(value, joined(path, name))
    return value


def number(value: str, field: str) -> float:
    """A timestamp as unix seconds."""
    if not value.replace(".", "", 1).isascii() or not value.replace(".", "", 1).isdigit():
        raise PayloadError(field, "must be a timestamp such as 1355517523.000005")
    return float(value)
