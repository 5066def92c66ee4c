"""An annotation taken apart: what is said, how many times, and what is asked of it."""

import enum
import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

__all__ = ["Spoken", "choices_of", "labels_of", "spoken"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an annotation says.

    Attributes:
        type: the type of one value, without `Annotated`, ``list`` and ``None``.
        item: the annotation of one value, with what is asked of it.
        extras: what `Annotated` says of one value.
        list_extras: what it says of the list.
        many: whether it is a list.
        optional: whether it may be ``None``.
    """

    type: Any
    item: Any
    extras: tuple[Any, ...] = ()
    list_extras: tuple[Any, ...] = ()
    many: bool = False
    optional: bool = False


def spoken(hint: Any) -> Spoken:
    """Take an annotation apart; a list in a list stays in ``type``."""
    base, extras, optional = _peeled(hint)
    if get_origin(base) is not list:
        return Spoken(base, hint, extras, optional=optional)
    (item,) = get_args(base)
    inner, item_extras, item_optional = _peeled(item)
    # None cannot be an item: nobody can say it.
    return Spoken(item if item_optional else inner, item, item_extras, extras, many=True, optional=optional)


def choices_of(base: Any) -> dict[str, Any] | None:
    """The values of a `Literal` or an `enum.Enum` by what is said for them, or None if it is neither.

    An enum of texts is said by its values; any other by its members' names, in lower case.
    """
    if get_origin(base) is Literal:
        members = get_args(base)
        if all(isinstance(member, str | int) and not isinstance(member, bool | enum.Enum) for member in members):
            return {str(member): member for member in members}
    if isinstance(base, type) and issubclass(base, enum.Enum):
        return {_choice(base, member): member for member in base}
    return None


def labels_of(base: Any) -> tuple[str, ...]:
    """For an enum, the other names of its `choices_of`, in their order."""
    if not (isinstance(base, type) and issubclass(base, enum.Enum)):
        return ()
    if _is_of_texts(base):
        return tuple(member.name for member in base)
    if all(isinstance(member.value, int | float) for member in base):
        return tuple(str(member.value) for member in base)
    return ()


def _choice(base: type[enum.Enum], member: enum.Enum) -> str:
    return str(member.value) if _is_of_texts(base) else member.name.casefold()


def _is_of_texts(base: type[enum.Enum]) -> bool:
    return all(isinstance(member.value, str) for member in base)


def _peeled(hint: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """An annotation without `Annotated`, ``| None`` and `NewType`; what was said in `Annotated`; and if None may be."""
    extras: tuple[Any, ...] = ()
    optional = False
    while True:
        if get_origin(hint) is Annotated:
            hint, *more = get_args(hint)
            extras = (*more, *extras)
        elif get_origin(hint) in (Union, types.UnionType):
            members = [member for member in get_args(hint) if member is not type(None)]
            if len(members) != 1:
                return hint, extras, optional
            hint, optional = members[0], True
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        else:
            return hint, extras, optional
