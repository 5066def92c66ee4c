"""Reading a platform's JSON, which may be anything: what is missing or of the wrong type is named, never a crash."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["PayloadError", "items", "joined", "mapping", "optional", "required"]


class PayloadError(ValueError):
    """A payload that is not what its platform documents.

    Attributes:
        field: the dotted path of the first field that is wrong, such as ``event.message.ts``.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"payload: {field} {problem}")
        self.field = field


def mapping(parent: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    """The object at ``name``; ``path`` is the parent's, for blame."""
    value = parent.get(name)
    if not isinstance(value, Mapping):
        raise PayloadError(joined(path, name), _problem(value, "an object"))
    return value


def required(parent: Mapping[str, Any], name: str, path: str) -> str:
    """The text at ``name``, which may not be empty."""
    value = parent.get(name)
    if not isinstance(value, str) or not value:
        raise PayloadError(joined(path, name), _problem(value, "a text"))
    return _encodable(value)


def optional(parent: Mapping[str, Any], name: str, path: str) -> str:
    """The text at ``name``; empty if there is none."""
    value = parent.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise PayloadError(joined(path, name), _problem(value, "a text"))
    return _encodable(value)


def items(parent: Mapping[str, Any], name: str, path: str) -> Sequence[Mapping[str, Any]]:
    """The list of objects at ``name``; empty if there is none."""
    value = parent.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise PayloadError(joined(path, name), _problem(value, "a list of objects"))
    return value


def _encodable(text: str) -> str:
    """Half a surrogate pair, which JSON may have, cannot be stored or sent on: it becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def joined(path: str, name: str) -> str:
    """The dotted path of a field, for blame."""
    return f"{path}.{name}" if path else name


def _problem(value: object, wanted: str) -> str:
    return "is missing" if value is None else f"must be {wanted}, not {type(value).__name__}"
