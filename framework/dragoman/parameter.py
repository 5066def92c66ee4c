"""One parameter of a command as data: everything the router, help and a platform's slash command need to know."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from pydantic import model_validator

from .model import Frozen

__all__ = ["Parameter", "ParameterKind"]

#: The closed set of what the router can parse and verify before a task is sent.
ParameterKind = Literal[
    "text", "integer", "number", "boolean", "choice", "date", "datetime", "duration", "user", "channel"
]

KINDS: Final = frozenset(get_args(ParameterKind))


class Parameter(Frozen):
    """One parameter of a command.

    Attributes:
        kind: how the router reads it; for a list, how it reads each item. A kind that this version does not
            know is read as a custom text: the worker, which knows it, has the last word.
        required: whether there is no default.
        default: what the handler gets when it is left out, in the JSON form of its kind: dates as ISO 8601,
            durations in seconds, a person or channel as ``{"id", "name"}``, a list as a list.
        choices: for the kind ``choice``, what may be said.
        labels: for an `enum.Enum`, the other way to say each of ``choices``, in the same order; or empty.
        ge, le, gt, lt: the bounds of a number, or ``None``. For whole numbers only ``ge`` and ``le`` are used.
        flag_only: keyword-only in the signature: said as ``--name value``.
        rest: the last text of a command takes the rest of the line.
        many: a list: several words, or one with commas, or the option several times.
        custom: the router takes it as its kind and the worker validates the author's own type or constraint.
        expected: what to tell a person that it should be, instead of the kind's words ("a whole number").
    """

    name: str
    kind: ParameterKind = "text"
    required: bool = True
    default: Any = None
    choices: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    ge: float | None = None
    le: float | None = None
    gt: float | None = None
    lt: float | None = None
    flag_only: bool = False
    rest: bool = False
    many: bool = False
    custom: bool = False
    expected: str = ""
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _from_the_future(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and isinstance(kind := data.get("kind"), str) and kind not in KINDS:
            return {**data, "kind": "text", "custom": True}
        return data
