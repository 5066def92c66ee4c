"""Parameters from a function's signature, read in the worker when a skill is loaded."""

import enum
import inspect
import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Union, get_origin, get_type_hints

import annotated_types
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import SchemaError

from .errors import SkillError
from .parameter import Parameter, ParameterKind
from .people import Channel, User
from .reading import to_json
from .spoken import Spoken, choices_of, labels_of, spoken

__all__ = ["parameters_of"]

KINDS: Final[Mapping[Any, ParameterKind]] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    date: "date",
    datetime: "datetime",
    timedelta: "duration",
    User: "user",
    Channel: "channel",
}

#: A value of each kind that a constraint can be tried on.
SAMPLES: Final[Mapping[ParameterKind, Any]] = {
    "text": "a",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "date": date(2026, 3, 1),
    "datetime": datetime(2026, 3, 1, tzinfo=UTC),
    "duration": timedelta(hours=1),
}

#: Pydantic's schemas of types that it reads from a text, and what to tell a person that they are.
READ_FROM_TEXT: Final[Mapping[str, str]] = {
    "str": "",
    "int": "a whole number",
    "float": "a number",
    "bool": "yes or no",
    "decimal": "a number",
    "complex": "a complex number such as 1+2j",
    "date": "a day such as 2026-03-01",
    "datetime": "a time such as 2026-03-01 14:00",
    "time": "a time of day such as 17:30",
    "timedelta": "a length of time such as PT2H30M",
    "url": "",
    "multi-host-url": "",
    "uuid": "a UUID such as 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "bytes": "",
}
#: Its schemas around another one, and where that is.
AROUND: Final[Mapping[str, str]] = {
    "function-after": "schema",
    "nullable": "schema",
    "default": "schema",
    "definitions": "schema",
    "model": "schema",
    "dataclass": "schema",
    "custom-error": "schema",
    "lax-or-strict": "lax_schema",
    "json-or-python": "python_schema",
}
BOUNDS: Final = (annotated_types.Ge, annotated_types.Gt, annotated_types.Le, annotated_types.Lt)
#: A function of the author's that gets what was typed.
AUTHORS: Final = frozenset({"function-before", "function-wrap", "function-plain"})


def parameters_of(function: Callable[..., Any], *, skip: Sequence[str] = ()) -> tuple[Parameter, ...]:
    """The parameters of a handler's signature, without those named in ``skip``.

    Raises:
        SkillError: a parameter has no annotation, or one that no person could type.
    """
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise SkillError(f"{function.__qualname__}: its annotations cannot be read: {error}") from None
    found: list[Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in skip:
            continue
        where = f"{function.__qualname__}({name})"
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise SkillError(f"{where}: write it as a plain or keyword-only parameter")
        if name not in hints:
            raise SkillError(f"{where}: annotate it, such as {name}: str or {name}: int")
        found.append(_parameter(where, name, hints[name], parameter))
    positional = [parameter for parameter in found if not parameter.flag_only]
    if positional and positional[-1].kind == "text" and not positional[-1].many:
        last = positional[-1]
        found[found.index(last)] = last.model_copy(update={"rest": True})
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Read:
    """How pydantic reads a type from a text: by a function of the author's, or by itself."""

    by_author: bool = False
    expected: str = ""


@dataclass(slots=True)
class _Asked:
    """What `Annotated` asks of a value."""

    bounds: dict[str, float] = field(default_factory=dict)
    description: str = ""
    #: Whether there is something that only pydantic can check.
    more: bool = False


def _parameter(where: str, name: str, hint: Any, parameter: inspect.Parameter) -> Parameter:
    said = spoken(hint)
    required = parameter.default is inspect.Parameter.empty
    if said.optional and required:
        raise SkillError(f"{where}: {hint!r} is not something a person can type: nobody can say None; default to it")
    choices = choices_of(said.type)
    kind = KINDS.get(said.type) if _is_hashable(said.type) else None
    if choices is not None:
        kind = "choice"
        if not choices:
            raise SkillError(f"{where}: {said.type!r} has no members to choose from")
    asked = _asked(where, said, kind)
    custom = asked.more or kind is None
    expected = ""
    if custom:
        read = _how_it_is_read(where, said, hint)
        if kind is None:
            if read is None:
                raise SkillError(
                    f"{where}: {hint!r} is not something a person can type; use str, int, float, bool, Literal, an "
                    "Enum, date, datetime, timedelta, User, Channel, a list of these, or a type that pydantic reads "
                    "from a text"
                )
            kind, expected = "text", read.expected
        elif read is not None and read.by_author:
            # The author's own function gets what was typed, not what the router would make of it.
            kind, choices, asked.bounds = "text", None, {}
    assert kind is not None
    if kind in SAMPLES and KINDS.get(said.type) == kind:
        _try(where, said, hint, SAMPLES[kind])
    values = choices or {}
    return Parameter(
        name=name,
        kind=kind,
        required=required,
        default=None if required else _default(where, parameter.default, hint, kind, values, said),
        choices=tuple(values),
        labels=labels_of(said.type) if values else (),
        flag_only=parameter.kind is parameter.KEYWORD_ONLY,
        many=said.many,
        custom=custom,
        expected=expected,
        description=asked.description,
        **asked.bounds,
    )


def _try(where: str, said: Spoken, hint: Any, sample: Any) -> None:
    """See whether a constraint fits the type at all: pydantic says so only once there is a value."""
    constraints = list(_flat(said.extras, _Asked()))
    # A function of the author's is not for us to call now.
    if not constraints or any(callable(getattr(constraint, "func", None)) for constraint in constraints):
        return
    try:
        TypeAdapter(said.item).validate_python(sample)
    except ValidationError:
        return  # It can be checked: this sample does not pass.
    except (TypeError, SchemaError) as error:
        raise SkillError(f"{where}: {hint!r} is not something a person can type: {error}") from None


def _asked(where: str, said: Spoken, kind: ParameterKind | None) -> _Asked:
    asked = _Asked()
    for constraint in _flat((*said.extras, *said.list_extras), asked):
        if not isinstance(constraint, BOUNDS):
            asked.more = True
            continue
        name = type(constraint).__name__.lower()
        bound = getattr(constraint, name)
        if kind in ("integer", "number"):
            _bound(where, asked.bounds, kind, name, bound)
        elif kind in ("text", "boolean", "choice", "user", "channel"):
            raise SkillError(f"{where}: ge, le, gt and lt are for numbers and times")
        else:
            asked.more = True
    return asked


def _flat(extras: Iterable[Any], asked: _Asked) -> Iterable[Any]:
    """The constraints in what `Annotated` says; the descriptions go to ``asked``."""
    for extra in extras:
        if isinstance(extra, str):
            asked.description = extra
        elif isinstance(extra, FieldInfo):
            asked.description = extra.description or asked.description
            yield from _flat(extra.metadata, asked)
        elif isinstance(extra, annotated_types.GroupedMetadata):
            yield from _flat(extra, asked)
        elif extra is not None:
            yield extra


def _bound(where: str, bounds: dict[str, float], kind: ParameterKind, name: str, bound: object) -> None:
    if not isinstance(bound, int | float) or not math.isfinite(bound):
        raise SkillError(f"{where}: {name} must be a number, not {bound!r}")
    if kind == "integer" and name == "gt":
        name, bound = "ge", bound + 1
    elif kind == "integer" and name == "lt":
        name, bound = "le", bound - 1
    tighter = max if name in ("ge", "gt") else min
    bounds[name] = tighter(float(bound), bounds.get(name, float(bound)))


def _how_it_is_read(where: str, said: Spoken, hint: Any) -> _Read | None:
    """How pydantic reads one value from a text; None if it does not."""
    try:
        TypeAdapter(hint)
        schema: Any = TypeAdapter(said.item).core_schema
    except (TypeError, ValueError, NameError, RuntimeError, SchemaError) as error:
        reason = str(error).partition("\n")[0]
        raise SkillError(f"{where}: {hint!r} is not something a person can type: {reason}") from None
    read = _read(schema, {})
    # Of "int | str", nobody could say which one a word is.
    return None if read and not read.by_author and get_origin(said.type) in (Union, types.UnionType) else read


def _read(schema: Any, definitions: dict[str, Any]) -> _Read | None:
    kind = schema["type"]
    if kind in AUTHORS:
        return _Read(by_author=True)
    if kind in READ_FROM_TEXT:
        return _Read(expected=READ_FROM_TEXT[kind])
    if kind == "definitions":
        definitions = definitions | {definition["ref"]: definition for definition in schema["definitions"]}
    if kind == "definition-ref":
        # Without the one that it stands for, so that a type within itself comes to an end.
        found = definitions.get(schema["schema_ref"])
        rest = {ref: definition for ref, definition in definitions.items() if ref != schema["schema_ref"]}
        return _read(found, rest) if found else None
    if kind == "chain":
        return _read(schema["steps"][0], definitions)
    if kind == "union":
        choices = (choice[0] if isinstance(choice, tuple) else choice for choice in schema["choices"])
        return next((read for choice in choices if (read := _read(choice, definitions))), None)
    return _read(schema[AROUND[kind]], definitions) if kind in AROUND else None


def _default(where: str, default: Any, hint: Any, kind: ParameterKind, choices: Mapping[str, Any], said: Spoken) -> Any:
    """A default in its JSON form."""
    if default is None:
        return None
    if said.many:
        if not isinstance(default, list | tuple):
            raise SkillError(f"{where}: its default must be a list or None")
        return [_default(where, item, said.item, kind, choices, Spoken(said.type, said.item)) for item in default]
    if kind == "choice":
        for text, value in choices.items():
            if value == default and type(value) is type(default):
                return text
        raise SkillError(f"{where}: its default must be one of {', '.join(choices)}, not {default!r}")
    if said.type in (date, datetime, timedelta, User, Channel) and isinstance(default, said.type):
        return to_json(default)
    if isinstance(default, str | int | float | bool) and not isinstance(default, enum.Enum):
        if said.type in (date, datetime, timedelta, User, Channel) and kind != "text":
            raise SkillError(f"{where}: its default must be a {said.type.__name__} or None, not {default!r}")
        return default
    if said.type in KINDS:
        raise SkillError(f"{where}: its default must be a text, a number, a bool or None")
    try:
        dumped = TypeAdapter(hint).dump_python(default, mode="json", warnings=False)
    except (TypeError, ValueError):
        dumped = None
    return dumped if isinstance(dumped, str | int | float | bool) else str(default)


def _is_hashable(base: Any) -> bool:
    try:
        hash(base)
    except TypeError:
        return False
    return True
