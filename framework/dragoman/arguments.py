"""The signature is the grammar: parameters from a function, and what a person typed from parameters.

Reading a signature happens in the worker, when a skill is loaded. Parsing happens in the router, from
the manifest alone, so that a mistake is answered before a task is sent.
"""

import enum
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types
from pydantic.fields import FieldInfo

from .errors import ArgumentsError, SkillError
from .manifest import Parameter, ParameterKind

__all__ = ["convert", "parameters_of", "parse", "usage"]

KINDS: Final[Mapping[type, ParameterKind]] = {str: "text", int: "integer", float: "number", bool: "boolean"}

YES: Final = frozenset({"yes", "y", "true", "on", "1"})
NO: Final = frozenset({"no", "n", "false", "off", "0"})

WANTED: Final[Mapping[str, str]] = {
    "text": "some text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
}


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
    positional = [p for p in found if not p.flag_only]
    if positional and positional[-1].kind == "text":
        last = positional[-1]
        found[found.index(last)] = last.model_copy(update={"rest": True})
    return tuple(found)


def _parameter(where: str, name: str, hint: Any, parameter: inspect.Parameter) -> Parameter:
    extras: list[Any] = []
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        members = [member for member in get_args(hint) if member is not type(None)]
        if len(members) == 1 and parameter.default is None:
            hint = members[0]
    choices: tuple[str, ...] = ()
    kind: ParameterKind
    if get_origin(hint) is Literal and all(isinstance(choice, str) for choice in get_args(hint)):
        kind, choices = "choice", get_args(hint)
    elif hint in KINDS:
        kind = KINDS[hint]
    else:
        raise SkillError(f"{where}: {hint!r} is not something a person can type; use str, int, float, bool or Literal")
    bounds: dict[str, float] = {}
    description = ""
    for extra in extras:
        if isinstance(extra, str):
            description = extra
        constraints = extra.metadata if isinstance(extra, FieldInfo) else [extra]
        if isinstance(extra, FieldInfo) and extra.description:
            description = extra.description
        for constraint in constraints:
            if isinstance(constraint, annotated_types.Ge):
                bounds["ge"] = _bound(where, constraint.ge)
            elif isinstance(constraint, annotated_types.Le):
                bounds["le"] = _bound(where, constraint.le)
            elif not isinstance(extra, str):
                raise SkillError(f"{where}: the router can check ge and le, not {constraint!r}")
    if bounds and kind not in ("integer", "number"):
        raise SkillError(f"{where}: ge and le are for numbers")
    required = parameter.default is inspect.Parameter.empty
    default = None if required else parameter.default
    if isinstance(default, enum.Enum) or not (default is None or isinstance(default, str | int | float | bool)):
        raise SkillError(f"{where}: its default must be a text, a number, a bool or None")
    return Parameter(
        name=name,
        kind=kind,
        required=required,
        default=default,
        choices=choices,
        flag_only=parameter.kind is parameter.KEYWORD_ONLY,
        description=description,
        **bounds,
    )


def _bound(where: str, bound: object) -> float:
    if isinstance(bound, int | float) and abs(bound) < float("inf"):
        return float(bound)
    raise SkillError(f"{where}: ge and le must be numbers, not {bound!r}")


def usage(command: str, parameters: Sequence[Parameter]) -> str:
    """The usage line, such as ``roll [dice] [times]``."""
    words = [command]
    # What takes the rest of the line comes last: a flag after it would be part of it.
    for parameter in sorted(parameters, key=lambda parameter: parameter.rest):
        word = "|".join(parameter.choices) or parameter.name
        if parameter.flag_only:
            word = f"--{parameter.name}" if parameter.kind == "boolean" else f"--{parameter.name} {word}"
        words.append((f"<{word}>" if not parameter.flag_only else word) if parameter.required else f"[{word}]")
    return " ".join(words)


def parse(command: str, parameters: Sequence[Parameter], text: str) -> dict[str, Any]:
    """Read what was typed after the command into values by parameter name; defaults are left out.

    Raises:
        ArgumentsError: it does not fit; the message is for the person who typed it.
    """
    line = usage(command, parameters)
    by_name = {parameter.name: parameter for parameter in parameters}
    waiting = [parameter for parameter in parameters if not parameter.flag_only]
    values: dict[str, Any] = {}
    position = 0
    while (token := _token(text, position)) is not None:
        word, quoted, start, position = token
        option, equals, given = word.partition("=")
        if not quoted and word.startswith("--") and (name := option[2:].replace("-", "_")) in by_name:
            parameter = by_name[name]
            if equals:
                values[name] = _value(parameter, given, line)
                waiting = [other for other in waiting if other.name != name]
                continue
            if parameter.kind == "boolean" and parameter.flag_only:
                values[name] = True
                continue
            following = _token(text, position)
            if following is None:
                raise ArgumentsError(f"`{word}` needs {_wanted(parameter)} after it.", usage=line)
            word, _, _, position = following
            values[name] = _value(parameter, word, line)
            waiting = [other for other in waiting if other.name != name]
            continue
        if not waiting:
            raise ArgumentsError(f"I do not know what to do with `{_short(word)}`.", usage=line)
        parameter = waiting.pop(0)
        if parameter.rest and _token(text, position) is not None:
            word, position = text[start:].strip(), len(text)
        values[parameter.name] = _value(parameter, word, line)
    missing = [p for p in parameters if p.required and p.name not in values]
    if missing:
        raise ArgumentsError(f"`{missing[0].name}` is missing: it should be {_wanted(missing[0])}.", usage=line)
    return values


def convert(command: str, parameters: Sequence[Parameter], texts: Mapping[str, str]) -> dict[str, Any]:
    """Values from texts by parameter name (the groups of a pattern); raises as `parse` does."""
    line = usage(command, parameters)
    for parameter in parameters:
        if parameter.required and parameter.name not in texts:
            raise ArgumentsError(f"`{parameter.name}` is missing: it should be {_wanted(parameter)}.", usage=line)
    return {p.name: _value(p, texts[p.name], line) for p in parameters if p.name in texts}


def _token(text: str, position: int) -> tuple[str, bool, int, int] | None:
    """The next word from ``position``: (word, was it quoted, its start, where to go on), or None at the end."""
    while position < len(text) and text[position].isspace():
        position += 1
    if position == len(text):
        return None
    start = position
    if text[start] in "\"'":
        end = text.find(text[start], start + 1)
        # A quote counts only if it closes at the end of a word: in "don't" and in 6' it is a letter.
        if end > 0 and (end + 1 == len(text) or text[end + 1].isspace()):
            return text[start + 1 : end], True, start, end + 1
    while position < len(text) and not text[position].isspace():
        position += 1
    return text[start:position], False, start, position


def _value(parameter: Parameter, word: str, line: str) -> Any:
    def wrong(wanted: str) -> ArgumentsError:
        return ArgumentsError(f"`{parameter.name}` should be {wanted}, not `{_short(word)}`.", usage=line)

    match parameter.kind:
        case "text":
            return word
        case "choice":
            for choice in parameter.choices:
                if choice.casefold() == word.casefold():
                    return choice
            raise wrong(_wanted(parameter))
        case "boolean":
            if word.casefold() in YES | NO:
                return word.casefold() in YES
            raise wrong(_wanted(parameter))
        case "integer" | "number":
            try:
                # int() refuses more than 4,300 digits, and nobody means "1_000" as a number.
                if "_" in word:
                    raise ValueError(word)
                number = int(word) if parameter.kind == "integer" else float(word)
                # A store and JSON hold 64 bits; NaN and infinity are not numbers that anybody types.
                if not abs(number) < 2**63:
                    raise ValueError(word)
            except ValueError:
                raise wrong(_wanted(parameter)) from None
            if (parameter.ge is not None and number < parameter.ge) or (
                parameter.le is not None and number > parameter.le
            ):
                raise wrong(_wanted(parameter))
            return number


def _wanted(parameter: Parameter) -> str:
    if parameter.kind == "choice":
        return "one of " + ", ".join(f"`{choice}`" for choice in parameter.choices)
    wanted = WANTED[parameter.kind]
    least = f" from {_number(parameter.ge)}" if parameter.ge is not None else ""
    if parameter.le is not None:
        return f"{wanted}{least} {'to' if least else 'up to'} {_number(parameter.le)}"
    return wanted + least


def _number(number: float) -> str:
    """As people write it: 1000000, not 1e+06."""
    return str(int(number)) if number == int(number) else str(number)


def _short(word: str) -> str:
    """A word to quote back: not so long that it fills the channel, and unable to leave its code span."""
    word = word.replace("`", "'")
    return word if len(word) <= 60 else word[:57] + "..."
