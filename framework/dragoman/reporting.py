"""How commands tell an error: a line for people, and an exit status for supervisors."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from .errors import BrokerError, DragomanError, StoreError
from .redaction import redact
from .supervisor import CONFIG_ERROR

__all__ = ["reports_errors"]

Function = TypeVar("Function", bound=Callable[..., Any])


def reports_errors(function: Function) -> Function:
    """An error that Dragoman raises on purpose is a line for people, and the exit status 78: do not try again."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except DragomanError as error:
            click.echo(redact(f"dragoman: {error}"), err=True)
            # A store or a broker that is away comes back: a supervisor should try again.
            sys.exit(1 if isinstance(error, StoreError | BrokerError) else CONFIG_ERROR)

    return wrapper  # type: ignore[return-value]  # the same signature
