"""The values that skills keep: JSON, in ASCII, so that every database takes every character."""

import json
import math
from typing import Any, Final

from .errors import SkillError

__all__ = ["LARGEST", "read_value", "write_value"]

#: Bytes of a value's JSON.
LARGEST: Final = 256 * 1024
#: Lists and objects within one another.
DEEPEST: Final = 100


def write_value(value: Any, called: str) -> str:
    """The JSON of a value: what `read_value` reads is equal to it (a tuple becomes a list).

    Args:
        called: the start of an error's message.

    Raises:
        SkillError: the value is not JSON, or too large; the message says where in it.
    """
    _check(value, called, "value", 0)
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError as error:  # an integer of thousands of digits
        raise SkillError(f"{called}: the value cannot be kept as JSON: {error}") from None
    if len(text) > LARGEST:
        raise SkillError(
            f"{called}: the value is {len(text):,} bytes of JSON, and the limit is {LARGEST:,}: "
            "keep it in several keys, or in a file"
        )
    return text


def read_value(text: str) -> Any:
    """The value that `write_value` wrote."""
    return json.loads(text)


def _check(value: Any, called: str, place: str, depth: int) -> None:
    # json itself would quietly turn keys that are numbers into texts, and says nowhere what is wrong.
    if depth > DEEPEST:
        raise SkillError(f"{called}: the value holds itself, or lists and objects more than {DEEPEST} deep")
    if value is None or isinstance(value, str | bool | int):
        return
    if isinstance(value, float):
        if not math.isfinite(value):
            raise SkillError(f"{called}: {place} is {value}, which is not a JSON number: store None or a text")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            _check(each, called, f"{place}[{number}]", depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise SkillError(f"{called}: {place} has the key {key!r}; in JSON keys are texts: write {str(key)!r}")
            _check(each, called, f"{place}[{key!r}]", depth + 1)
    else:
        raise SkillError(
            f"{called}: {place} is of type {type(value).__name__}, and JSON has only None, booleans, numbers, texts, "
            "lists and objects"
            + (": write .model_dump(mode='json')" if hasattr(value, "model_dump") else "")
            + (": write .isoformat()" if hasattr(value, "isoformat") else "")
        )
