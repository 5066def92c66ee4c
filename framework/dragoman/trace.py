"""W3C trace context: https://www.w3.org/TR/trace-context/#traceparent-header"""

import random

__all__ = ["new_traceparent"]


def new_traceparent() -> str:
    """The ``traceparent`` of a new trace."""
    # An id to find things by, not a secret.
    return f"00-{random.getrandbits(128) or 1:032x}-{random.getrandbits(64) or 1:016x}-01"
