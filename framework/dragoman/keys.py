"""Which keys there are at a place of the settings, and what can be written there: read from the models' annotations."""

import types
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel

__all__ = ["NOTHING", "Shape", "below", "keys", "plain", "shape"]

Shape = Literal["value", "list", "table", "anything"]


class _Nothing:
    """There is no such place."""


NOTHING: Final = _Nothing


def plain(annotation: Any) -> Any:
    """An annotation without what pydantic knows besides, and without ``None``."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            some = [each for each in get_args(annotation) if each is not type(None)]
            if len(some) != 1:
                return annotation
            annotation = some[0]
        else:
            return annotation


def shape(annotation: Any) -> Shape:
    """What is written at such a place."""
    found = plain(annotation)
    kind = get_origin(found) or found
    if found is Any or found is object:
        return "anything"
    if kind in (list, tuple, set, frozenset, Sequence):
        return "list"
    if isinstance(kind, type) and issubclass(kind, BaseModel | dict):
        return "table"
    return "value"


def keys(annotation: Any) -> dict[str, Any]:
    """The keys of a table and the annotation of each; none where any key is welcome."""
    model = plain(annotation)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return {}
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        # Where the folder of the file is, is no setting.
        if name == "root":
            continue
        aliases = field.validation_alias or field.alias
        names = aliases.choices if isinstance(aliases, AliasChoices) else [aliases]
        by_alias = [each for each in names if isinstance(each, str)]
        by_name = (
            not by_alias or model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name")
        )
        for each in [*by_alias, *([name] if by_name else [])]:
            found[each] = field.annotation
    return found


def below(annotation: Any, part: str) -> Any:
    """What is at a key of a table or a place of a list, in any case of letters; `NOTHING` if that cannot be."""
    found = plain(annotation)
    kind = shape(found)
    if kind == "anything":
        return Any
    if kind == "list":
        return (*get_args(found), Any)[0] if part.isdecimal() else NOTHING
    if kind == "table":
        if get_origin(found) is dict or found is dict:
            return (*get_args(found), Any, Any)[1]
        return next((each for key, each in keys(found).items() if key.casefold() == part.casefold()), NOTHING)
    return NOTHING
