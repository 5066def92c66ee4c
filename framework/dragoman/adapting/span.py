"""A length of time in an account's settings: ``"15m"``, ``"1h30m"``, ``"0"``, or a number of seconds."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ..duration import parse_duration

__all__ = ["Span"]


def _seconds(value: Any) -> Any:
    """The seconds of a text; anything else as it is. Raises `ValueError`: the text is no length of time."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return parse_duration(value).total_seconds()


#: Seconds, not negative. The default of a setting may be a text, with ``Field("15m", validate_default=True)``.
Span = Annotated[float, BeforeValidator(_seconds), Field(ge=0, allow_inf_nan=False)]
