"""What is wrong with settings, in words: the place, the right name for a misspelt one, and never a value."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from .keys import NOTHING, below, keys, plain, shape

__all__ = ["PREFIX", "explain", "unknown_keys"]

PREFIX: Final = "DRAGOMAN_"

#: What TOML has is called otherwise in Python.
WANTED: Final[Mapping[str, str]] = {
    "dict_type": "this should be a table",
    "list_type": "this should be a list",
    "model_attributes_type": "this should be a table",
    "model_type": "this should be a table",
    "set_type": "this should be a list",
    "tuple_type": "this should be a list",
}


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """What is wrong, a line for each mistake, without the values (they may be secrets).

    Places in lists are counted from 1: ``rules[2].people`` is in the second rule.
    """
    for mistake in error.errors(include_url=False, include_input=False, include_context=False):
        loc = mistake["loc"]
        name = _place(loc, prefix)
        if mistake["type"] == "extra_forbidden":
            yield _unknown(name, str(loc[-1]), _keys_at(model, loc[:-1]))
        elif mistake["type"] == "missing":
            hint = ""
            if not any(isinstance(part, int) for part in loc):
                hint = f", or {PREFIX}{name.replace('.', '__').upper()}=... into .env beside it"
            yield f"{name} is missing: write it there{hint}"
        else:
            text = WANTED.get(mistake["type"]) or mistake["msg"].removeprefix("Value error, ")
            # Of an author's own validator, which may repeat what it was given.
            yield f"{name}: {text}" if name else text


def unknown_keys(model: type[BaseModel], values: Mapping[str, Any], prefix: str) -> Iterator[str]:
    """A line for each key that the model ignores because it does not say (``extra=``) what to do with more."""
    known = keys(model)
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else key
        if key not in known:
            if "extra" not in model.model_config:
                yield _unknown(name, key, list(known))
            continue
        inner = plain(known[key])
        if isinstance(inner, type) and issubclass(inner, BaseModel) and isinstance(value, Mapping):
            yield from unknown_keys(inner, value, name)


def _unknown(name: str, key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "")


def _place(loc: Sequence[int | str], prefix: str) -> str:
    place = prefix
    for part in loc:
        if isinstance(part, int):
            place += f"[{part + 1}]"
        else:
            place += f".{part}" if place else part
    return place


def _keys_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The keys that there are at a place of a model."""
    annotation: Any = model
    for part in loc:
        annotation = below(annotation, str(part))
        if annotation is NOTHING:
            return []
    return list(keys(annotation)) if shape(annotation) == "table" else []
