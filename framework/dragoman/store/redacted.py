"""A column of text that no secret is ever written to: of errors, tracebacks and dead letters."""

from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from ..redaction import redact

__all__ = ["Redacted"]


class Redacted(TypeDecorator[str]):
    """``Text`` that passes through `redact` on its way into the database, whoever writes it.

    JSON stays JSON: what is put in the place of a secret needs no quoting.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """What is written."""
        return None if value is None else redact(value)

    def process_literal_param(self, value: str | None, dialect: Dialect) -> str:
        """The same, where the value stands in the statement."""
        return "" if value is None else redact(value)

    @property
    def python_type(self) -> type[Any]:
        """What is read."""
        return str
