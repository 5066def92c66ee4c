"""``DRAGOMAN_*`` variables, of the environment or of ``.env``: which setting each is, and what is written in it.

A nested key has two underscores: ``DRAGOMAN_BROKER__URL``. A list is ``one,two`` or JSON; a table is JSON, or a
variable for each of its keys.
"""

import difflib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import BaseModel

from .errors import SettingsError
from .keys import NOTHING, below, keys, plain, shape
from .mistakes import PREFIX

__all__ = ["OTHER", "read_dotenv", "read_list", "read_variables"]

#: Environment variables with our prefix that are no settings.
OTHER: Final = frozenset({"DRAGOMAN_CONFIG", "DRAGOMAN_API_SPECS"})


def read_variables(variables: Mapping[str, str | None], source: str, model: type[BaseModel]) -> dict[str, str]:
    """The settings among the variables, by their lower-case names; lists and tables are JSON then.

    Raises:
        SettingsError: a variable with our prefix is not a setting, or cannot be read.
    """
    found = {}
    for name, value in variables.items():
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in OTHER or value is None:
            continue
        parts = upper.removeprefix(PREFIX).split("__")
        annotation = _annotation(model, parts)
        if annotation is NOTHING:
            near = _near(model, parts)
            hint = f"; did you mean {PREFIX}{near}?" if near else ""
            raise SettingsError(f"{source}: {name} is not a setting{hint}")
        try:
            found[name.lower()] = _as_json(annotation, value)
        except ValueError as error:
            raise SettingsError(f"{source}: {name} {str(error).replace('NAME', upper)}") from None
    return found


def read_dotenv(file: Path) -> dict[str, str | None]:
    """The assignments of a ``.env`` file; none if there is no such file.

    Raises:
        SettingsError: it is unreadable, or a line is neither an assignment nor a comment.
    """
    if not file.is_file():
        return {}
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None
    for binding in parse_stream(io.StringIO(text)):
        said = binding.original.string
        if binding.error or (binding.key is not None and binding.value is None):
            before = said[: len(said) - len(said.lstrip())].count("\n")
            # The line itself may be a secret.
            raise SettingsError(
                f"{file}: line {binding.original.line + before} is no assignment: write NAME=value, or # in front of it"
            )
    return dotenv_values(stream=io.StringIO(text))


def read_list(text: str) -> list[Any]:
    """A list as people write it: ``one,two``, or JSON.

    Raises:
        ValueError: it begins as JSON, and is none.
    """
    if not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError("this is no list")
    return found


def _as_json(annotation: Any, text: str) -> str:
    kind = shape(annotation)
    if kind == "list":
        of_tables = shape(below(annotation, "0")) == "table"
        try:
            found = json.loads(text) if of_tables else read_list(text)
        except ValueError:
            found = None
        if not isinstance(found, list):
            form = "JSON, such as '[{...}]'" if of_tables else """one,two or as JSON, such as '["one", "two"]'"""
            raise ValueError(f"is a list: write it as {form}")
        return json.dumps(found)
    if kind == "table":
        try:
            table = isinstance(json.loads(text), dict)
        except ValueError:
            table = False
        if not table:
            key = next(iter(keys(annotation)), "...")
            raise ValueError(f"""is a table: write NAME__{key.upper()}=..., or JSON such as '{{"{key}": "..."}}'""")
    return text


def _annotation(model: type[BaseModel], parts: Sequence[str]) -> Any:
    annotation: Any = model
    for part in parts:
        # A place in a list has no variable of its own: the list is written as one.
        annotation = NOTHING if not part or shape(annotation) == "list" else below(annotation, part)
        if annotation is NOTHING:
            break
    return annotation


def _near(model: type[BaseModel], parts: Sequence[str]) -> str | None:
    """The whole name, without the prefix, that a misspelt one is most like."""
    for count in range(1, len(parts)):
        found = _annotation(model, parts[:count])
        # Nothing is below a value or a list.
        if found is not NOTHING and shape(found) in ("value", "list"):
            return "__".join(parts[:count])
    known = ["__".join(names).upper() for names in _names(model, parts)]
    near = difflib.get_close_matches("__".join(parts), known, n=1, cutoff=0.6)
    return near[0] if near else None


def _names(annotation: Any, said: Sequence[str]) -> Iterator[list[str]]:
    """Every name from here on; what people choose themselves (a pool's name) is as they said it."""
    kind = shape(annotation)
    if kind == "table" and (known := keys(annotation)):
        for key, inner in known.items():
            yield from ([key, *more] for more in _names(inner, said[1:]))
    elif kind == "table" and plain(annotation) is not dict:
        chosen = said[0] if said else "..."
        yield from ([chosen, *more] for more in _names(below(annotation, chosen), said[1:]))
    elif kind == "anything":
        yield list(said)
    else:
        yield []
