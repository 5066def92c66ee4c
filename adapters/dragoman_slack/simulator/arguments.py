"""Arguments of the Web API: how they are declared, read from a request and checked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

__all__ = ["Argument", "Misused", "declare", "fit"]

Kind = Literal["str", "bool", "int", "json", "list", "ts"]

_TS = re.compile(r"\d+(\.\d+)?")
_NAME = re.compile(r"[A-Za-z0-9_]{1,80}")
_WORDS = {"true": True, "1": True, "false": False, "0": False, "": False}
_EXPECTED = {"bool": "boolean", "int": "integer"}

#: What Slack answers when one of these cannot be read; for all others it is ``invalid_arguments``.
_CODES = {
    "blocks": "invalid_blocks_format",
    "attachments": "invalid_attachments",
    "metadata": "invalid_metadata_format",
    "latest": "invalid_ts_latest",
    "oldest": "invalid_ts_oldest",
    "thread_ts": "invalid_thread_ts",
    "timestamp": "bad_timestamp",
    "limit": "invalid_limit",
}


class Misused(Exception):
    """An argument that Slack refuses: its code and what it says about it."""

    def __init__(self, code: str, *messages: str) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. A ``list`` is an array, or its members with commas between them."""

    name: str
    kind: Kind = "str"
    required: bool = False
    empty: bool = False


@cache
def declare(signature: str) -> dict[str, Argument]:
    """Read a declaration such as ``channel! text blocks:json limit:int``.

    ``!`` marks what is required, ``!?`` what is required but may be empty.
    """
    found: dict[str, Argument] = {}
    for word in signature.split():
        name, _, kind = word.rstrip("!?").partition(":")
        found[name] = Argument(name, kind or "str", "!" in word, "?" in word)  # type: ignore[arg-type]
    return found


def fit(arguments: Mapping[str, Argument], given: Mapping[str, Any], *, open: bool, strict: bool) -> dict[str, Any]:
    """Check what was given and convert it.

    Raises:
        Misused: something is missing, unknown (unless ``open``, or not ``strict``) or of the wrong type.
    """
    fitted: dict[str, Any] = {}
    problems: list[str] = []
    for name, value in given.items():
        argument = arguments.get(name)
        if value is None:
            continue
        if argument is not None:
            fitted[name] = _convert(argument, value)
        elif open:
            fitted[name] = value
        elif not _NAME.fullmatch(name):
            raise Misused("invalid_arg_name")
        elif strict:
            problems.append(f"[ERROR] no such argument: {name}")
    for argument in arguments.values():
        missing = (None,) if argument.empty else (None, "")
        if argument.required and fitted.get(argument.name) in missing:
            problems.append(f"[ERROR] missing required field: {argument.name}")
    if problems:
        raise Misused("invalid_arguments", *problems)
    return fitted


def _convert(argument: Argument, value: Any) -> Any:
    try:
        return _CONVERTERS[argument.kind](value)
    except ValueError:
        expected = _EXPECTED.get(argument.kind, "string")
        message = f"[ERROR] must be a valid {expected} [json-pointer:/{argument.name}]"
        raise Misused(_CODES.get(argument.name, "invalid_arguments"), message) from None


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    try:
        return _WORDS[str(value).lower()]
    except KeyError:
        raise ValueError(value) from None


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(value)
    return int(value)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else [part.strip() for part in value.split(",")]
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError(value)
    return [part for part in value if part]


def _ts(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.6f}"
    if value == "":
        return ""
    if not isinstance(value, str) or not _TS.fullmatch(value):
        raise ValueError(value)
    return value


_CONVERTERS = {"str": _str, "bool": _bool, "int": _int, "json": _json, "list": _list, "ts": _ts}
