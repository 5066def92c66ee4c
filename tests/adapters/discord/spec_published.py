"""Discord's published OpenAPI document, and whether what was said to the simulator, and by it, is as it says.

It lies in the folder that ``DRAGOMAN_API_SPECS`` names. Where discord.py asks for more than it says, `SENT` says so.
"""

import copy
import functools
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dragoman_discord.simulator import Said

__all__ = ["Published", "published", "required"]

Schema = dict[str, Any]


def published() -> "Published | None":
    """The document, or `None` where there is none."""
    folder = os.environ.get("DRAGOMAN_API_SPECS", "")
    path = Path(folder) / "discord-openapi.json"
    return _load(path) if folder and path.exists() else None


def required() -> "Published":
    """The document; without it the test is skipped, and fails in CI."""
    found = published()
    if found is None:
        reason = "DRAGOMAN_API_SPECS does not name the folder with discord-openapi.json"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@functools.cache
def _load(path: Path) -> "Published":
    return Published(json.loads(path.read_text(encoding="utf-8")))


class Published:
    """The document with a validator for each of its schemas."""

    def __init__(self, document: Schema) -> None:
        self.document = document
        # A field's error has a code in words: https://docs.discord.com/developers/reference#error-messages
        problem = document["components"]["schemas"]["InnerErrors"]["properties"]["_errors"]
        worded = {"type": "object", "required": ["code", "message"], "properties": {"code": {"type": "string"}}}
        problem["items"] = worded
        # Ids are stored as numbers, and taken as such: https://docs.discord.com/developers/reference#id-serialization
        self._requests: Schema = copy.deepcopy(document["components"])
        own = self._requests["schemas"]["SnowflakeType"]
        self._requests["schemas"]["SnowflakeType"] = {"anyOf": [own, {"type": "integer", "minimum": 0}]}
        self._validators: dict[tuple[int, bool], jsonschema.Draft202012Validator] = {}

    @property
    def routes(self) -> set[str]:
        """Such as ``GET /users/@me``."""
        verbs = ("get", "put", "post", "patch", "delete")
        return {
            f"{verb.upper()} {path}" for path, item in self.document["paths"].items() for verb in verbs if verb in item
        }

    def operation(self, route: str) -> Schema:
        verb, _, path = route.partition(" ")
        found: Schema = self.document["paths"][path][verb.lower()]
        return found

    def problems(self, call: Said) -> list[str]:
        """What is wrong with one call and its answer; a refused call's body may be anything."""
        found: list[str] = []
        if call.route not in self.routes:
            return [] if call.status == 404 else [f"{call.route} is not published"]
        operation = self.operation(call.route)
        if call.performed:
            found += self._query(operation, call)
            schema = _media(operation.get("requestBody", {}), call)
            if schema is not None and call.body is not None:
                found += self._errors(schema, call.body, "request", sent=True)
            elif call.body is not None:
                found.append("a body is not published")
        if call.status:
            found += self._answer(operation, call)
        return [f"{call.route}: {problem}" for problem in found]

    def _query(self, operation: Schema, call: Said) -> Iterable[str]:
        known = {each["name"]: each for each in operation.get("parameters", []) if each["in"] == "query"}
        for name, text in call.query.items():
            if name not in known:
                yield f"the query parameter {name} is not published"
                continue
            schema = known[name]["schema"]
            value: Any = text
            if schema.get("type") == "integer":
                value = int(text)
            elif schema.get("type") == "boolean":
                value = {"true": True, "false": False, "1": True, "0": False}[text.lower()]
            yield from self._errors(schema, value, f"query {name}")

    def _answer(self, operation: Schema, call: Said) -> Iterable[str]:
        responses = operation["responses"]
        response = responses.get(str(call.status)) or (responses.get("4XX") if 400 <= call.status < 500 else None)
        if response is None:
            # What goes wrong within Discord is not published.
            return [] if call.status >= 500 else [f"status {call.status} is not published"]
        while "$ref" in response:
            response = self._resolve(response["$ref"])
        missing = [name for name in response.get("headers", {}) if name not in call.headers and call.performed]
        problems = [f"the answer has no {name}" for name in missing]
        content = response.get("content")
        if content is None:
            return problems + ([f"status {call.status} has no body"] if call.answer is not None else [])
        if call.answer is None:
            return problems + ([] if call.status == 429 else [f"status {call.status} has a body"])
        return problems + self._errors(content["application/json"]["schema"], call.answer, f"answer {call.status}")

    def _resolve(self, ref: str) -> Schema:
        node: Any = self.document
        for part in ref.removeprefix("#/").split("/"):
            node = node[part]
        found: Schema = node
        return found

    def errors(self, name: str, value: Any) -> list[str]:
        """What is wrong with a value of a named schema."""
        return self._errors(self.document["components"]["schemas"][name], value, name)

    def _errors(self, schema: Schema, value: Any, what: str, *, sent: bool = False) -> list[str]:
        validator = self._validators.get((id(schema), sent))
        if validator is None:
            whole = {**schema, "components": self._requests if sent else self.document["components"]}
            validator = self._validators[id(schema), sent] = jsonschema.Draft202012Validator(whole)
        found = []
        for error in validator.iter_errors(value):
            worst = jsonschema.exceptions.best_match([error]) or error
            found.append(f"{what} {worst.json_path}: {worst.message[:300]}")
        # What is not published is let through by the schemas; here it is an error.
        unknown = self._unknown(schema, value)
        return found or [f"{what}: {name} is not published" for name in unknown if not (sent and name in SENT)]

    def _unknown(self, schema: Schema, value: Any) -> list[str]:
        """Fields of an object of a closed schema that it does not have."""
        while "$ref" in schema:
            schema = self._resolve(schema["$ref"])
        if isinstance(value, list) and isinstance(schema.get("items"), dict):
            return [name for item in value for name in self._unknown(schema["items"], item)]
        known = schema.get("properties")
        if not isinstance(value, dict) or not known or "additionalProperties" in schema:
            return []
        names = sorted(value.keys() - known.keys())
        for name in value.keys() & known.keys():
            names += [f"{name}.{each}" for each in self._unknown(known[name], value[name])]
        return names


def _media(body: Schema, call: Said) -> Schema | None:
    content = body.get("content", {})
    # A multipart body has the same JSON as a part of it.
    found = content.get("application/json")
    return None if found is None else found["schema"]


#: Fields that discord.py sends with every message or command, and that Discord takes and does not look at, or that
#: its pages have (https://docs.discord.com/developers/interactions/application-commands#application-command-object).
SENT = frozenset({"tts", "nsfw"})
