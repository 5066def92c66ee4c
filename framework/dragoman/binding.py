"""From JSON values to what the handler's annotations say: the worker's part of reading a command.

The router has checked what it can; here pydantic makes dates, members of an enum and the author's own types of it.
What does not fit is said in the author's words or in ours, never in pydantic's.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from .duration import format_duration
from .errors import ArgumentsError
from .parameter import Parameter
from .reading import shorten, wanted
from .spoken import choices_of, spoken
from .usage_line import usage

__all__ = ["bind"]

#: Error types of pydantic's own: anything else is a custom one, whose message an author wrote.
OURS: Final = frozenset(get_args(ErrorType))

#: What to say instead of pydantic's words, by its error type; the names in braces are what pydantic gives with it.
SAID: Final[Mapping[str, str]] = {
    "string_too_short": "it should have at least {min_length} characters",
    "string_too_long": "it should have at most {max_length} characters",
    "too_short": "there should be at least {min_length}",
    "too_long": "there should be at most {max_length}",
    "greater_than": "it should be more than {gt}",
    "greater_than_equal": "it should be at least {ge}",
    "less_than": "it should be less than {lt}",
    "less_than_equal": "it should be at most {le}",
    "multiple_of": "it should be a multiple of {multiple_of}",
}

#: The same for all the error types that begin so.
SAID_OF_ALL: Final[Mapping[str, str]] = {
    "url_": "it should be a link such as https://example.com",
    "ip_": "it should be an address such as 192.0.2.1",
}


def bind(
    function: Callable[..., Any], command: str, parameters: Sequence[Parameter], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """The values to call a handler with.

    Args:
        parameters: of this version of the handler.
        arguments: JSON values by name, as `dragoman.arguments.parse` gives them. They may be from another version:
            names that this one does not know are dropped.

    Raises:
        ArgumentsError: a value does not fit; the message is for the person who typed it.
    """
    makers = _makers(function, tuple(parameter.name for parameter in parameters))
    values: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name not in arguments:
            if parameter.required:
                message = f"`{parameter.name}` is missing: it should be {wanted(parameter)}."
                raise ArgumentsError(message, usage=usage(command, parameters))
            continue
        value = arguments[parameter.name]
        adapter, choices = makers[parameter.name]
        try:
            values[parameter.name] = adapter.validate_python(_prepared(parameter, choices, value))
        except ValidationError as error:
            message = _message(parameter, value, error)
            raise ArgumentsError(message, usage=usage(command, parameters)) from None
    return values


@lru_cache(maxsize=4096)
def _makers(
    function: Callable[..., Any], names: Sequence[str]
) -> dict[str, tuple[TypeAdapter[Any], Mapping[str, Any]]]:
    hints = get_type_hints(function, include_extras=True)
    return {name: (TypeAdapter(hints[name]), choices_of(spoken(hints[name]).type) or {}) for name in names}


def _prepared(parameter: Parameter, choices: Mapping[str, Any], value: Any) -> Any:
    """A value of its own kind: strict types and an author's validators get a date, not its text."""
    if isinstance(value, list):
        return [_prepared(parameter, choices, item) for item in value]
    try:
        match parameter.kind, value:
            case "choice", str():
                return choices.get(value, value)
            case "date", str():
                return date.fromisoformat(value)
            case "datetime", str():
                return datetime.fromisoformat(value)
            case "duration", int() | float():
                return timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass  # From another version of the manifest: pydantic says what is wrong with it.
    return value


def _message(parameter: Parameter, value: Any, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if isinstance(value, list) and first["loc"] and isinstance(first["loc"][0], int):
        value = value[first["loc"][0]]
    start = f"`{parameter.name}` cannot be `{shorten(_shown(parameter, value))}`"
    if why := _why(first):
        return f"{start}: {why}."
    if parameter.expected or not parameter.custom:
        return f"`{parameter.name}` should be {wanted(parameter)}, not `{shorten(_shown(parameter, value))}`."
    return f"{start}. Wanted: {parameter.description.rstrip('.')}." if parameter.description else f"{start}."


def _why(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in SAID:
        return SAID[kind].format_map(context)
    if kind in ("value_error", "assertion_error"):
        cause = context.get("error")
        # Of an assertion only the first line: pytest adds others.
        return str(cause or "").strip().partition("\n")[0].rstrip(".")
    for beginning, said in SAID_OF_ALL.items():
        if kind.startswith(beginning):
            return said
    return "" if kind in OURS else error["msg"].strip().rstrip(".")


def _shown(parameter: Parameter, value: Any) -> str:
    """A value as people would write it."""
    if isinstance(value, list):
        return ", ".join(_shown(parameter, item) for item in value)
    if isinstance(value, dict):
        return str(value.get("name") or value.get("id") or value)
    if parameter.kind == "duration" and isinstance(value, int | float):
        try:
            return format_duration(timedelta(seconds=value))
        except (OverflowError, ValueError):
            return str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("T", " ") if parameter.kind == "datetime" else str(value)
