"""W3C trace context: https://www.w3.org/TR/trace-context/#traceparent-header"""

import contextlib
import random
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Final

__all__ = ["current_trace", "new_traceparent", "trace_id", "within_trace"]

_current: Final[ContextVar[str]] = ContextVar("dragoman_traceparent", default="")


def new_traceparent() -> str:
    """The ``traceparent`` of a new trace."""
    # An id to find things by, not a secret.
    return f"00-{random.getrandbits(128) or 1:032x}-{random.getrandbits(64) or 1:016x}-01"


def trace_id(traceparent: str) -> str:
    """The id of the trace: 32 hexadecimal digits; empty if this is no ``traceparent``."""
    parts = traceparent.split("-")
    return parts[1] if len(parts) >= 4 and len(parts[1]) == 32 else ""


def current_trace() -> str:
    """The id of the trace that this thread or task works for; empty if it works for none."""
    return trace_id(_current.get())


@contextlib.contextmanager
def within_trace(traceparent: str) -> Iterator[None]:
    """Inside of the block, `current_trace` is this one's."""
    token = _current.set(traceparent)
    try:
        yield
    finally:
        _current.reset(token)
