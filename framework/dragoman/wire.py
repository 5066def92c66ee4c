"""The only codec: models to JSON bytes and back. Nothing else in Dragoman turns messages into bytes.

Evolution: readers ignore unknown fields, an unknown *event* kind is skipped (`UnknownKind` says which),
an unknown *action* kind is parked, and only a changed meaning raises the version. The golden files in
``tests/framework/golden/`` hold messages of every released version; they stay readable.
"""

import json
from typing import Any, Final, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from .action import Action
from .errors import WireError
from .event import Event

__all__ = [
    "CONTENT_TYPE",
    "MAX_BYTES",
    "VERSIONS",
    "UnknownKind",
    "decode_action",
    "decode_event",
    "encode",
    "schema",
]

CONTENT_TYPE: Final = "application/json"

#: No message from outside may be larger than this: bytes travel as references, texts are split.
MAX_BYTES: Final = 1024 * 1024

#: Versions that this reader accepts: its own and the previous one (there is none before 1).
VERSIONS: Final = frozenset({1})

EVENTS: Final[TypeAdapter[Event]] = TypeAdapter(Event)
ACTIONS: Final[TypeAdapter[Action]] = TypeAdapter(Action)


class UnknownKind(WireError):
    """A well-formed message of a kind that this reader does not know.

    Attributes:
        kind: the kind that it says it is.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"unknown kind {kind!r}: it was sent by a newer Dragoman; upgrade this reader to handle it",
            reason="kind",
        )
        self.kind = kind


def encode(model: BaseModel) -> bytes:
    """Any wire model as JSON bytes, without what is ``None``."""
    return model.__pydantic_serializer__.to_json(model, exclude_defaults=False, exclude_none=True)


def decode_event(body: bytes | str) -> Event:
    """Read an event.

    Raises:
        UnknownKind: well formed, but of a kind from the future.
        WireError: not an event.
    """
    return cast(Event, _decode(EVENTS, body, "event"))


def decode_action(body: bytes | str) -> Action:
    """Read an action; raises as `decode_event` does."""
    return cast(Action, _decode(ACTIONS, body, "action"))


def schema() -> dict[str, Any]:
    """The JSON Schema of everything on the wire."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Dragoman wire format, version 1",
        "event": EVENTS.json_schema(),
        "action": ACTIONS.json_schema(),
    }


def _decode(adapter: TypeAdapter[Any], body: bytes | str, what: str) -> Any:
    if isinstance(body, str):
        body = body.encode(errors="surrogatepass")
    if len(body) > MAX_BYTES:
        raise WireError(f"{what} of {len(body)} bytes: the limit is {MAX_BYTES}", reason="size")
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise _blame(body, what, error) from None


def _blame(body: bytes, what: str, error: ValidationError) -> WireError:
    """Say what is wrong with it: only looked into once it has failed."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return WireError(f"not JSON: {first['msg']}", reason="json")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as broken:
        return WireError(f"not JSON: {broken}", reason="json")
    if not isinstance(data, dict):
        return WireError(f"{what} must be a JSON object, not {type(data).__name__}", reason="shape")
    version = data.get("v", 1)
    if version not in VERSIONS if isinstance(version, int) else True:
        known = ", ".join(map(str, sorted(VERSIONS)))
        return WireError(f"{what} of version {version!r}: this reader knows {known}", reason="version")
    kind = data.get("kind")
    if first["type"] == "union_tag_invalid" and isinstance(kind, str):
        return UnknownKind(kind)
    place = ".".join(map(str, first["loc"])) or "kind"
    return WireError(f"not an {what}: {place}: {first['msg']}", reason="shape")
