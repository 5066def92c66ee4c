"""Slack's published specifications, as schemas that jsonschema can use.

They lie in the folder that ``DRAGOMAN_API_SPECS`` names, and are of 2021: a lower bound.
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dragoman_slack.simulator import additions

__all__ = ["events", "validate", "web"]

Schema = dict[str, Any]


def _folder() -> Path:
    found = os.environ.get("DRAGOMAN_API_SPECS", "")
    if found and Path(found).is_dir():
        return Path(found)
    reason = "DRAGOMAN_API_SPECS does not name the folder with the published specifications"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _load(name: str) -> Schema:
    loaded: Schema = json.loads((_folder() / name).read_text(encoding="utf-8"))
    return loaded


def _unions(node: Any) -> Any:
    """``items: [A, B]`` without ``type: array`` is how the specification writes "A or B"."""
    if isinstance(node, list):
        return [_unions(part) for part in node]
    if not isinstance(node, dict):
        return node
    made = {key: _unions(value) for key, value in node.items()}
    if isinstance(made.get("items"), list) and made.get("type") != "array":
        made["anyOf"] = made.pop("items")
        made.pop("type", None)
    return made


def web() -> Schema:
    """The Web API's, with the additions and without what it is wrong about."""
    spec: Schema = _unions(_load("slack-web-openapi-v2.json"))
    definitions = spec["definitions"]
    for addition in additions.FIELDS:
        target = definitions.get(addition.where) or _answer(spec, addition.where)
        for variant in target.get("anyOf", [target]):
            variant["properties"].setdefault(addition.name, {})
    for put_right in DEVIATIONS:
        put_right(spec)
    return spec


def _answer(spec: Schema, method: str) -> Schema:
    (operation,) = spec["paths"][f"/{method}"].values()
    schema: Schema = operation["responses"]["200"]["schema"]
    return schema


def _attachments(spec: Schema) -> None:
    """It knows the attachments of unfurled images only."""
    spec["definitions"]["objs_message"]["properties"]["attachments"]["items"]["additionalProperties"] = True


def _groups_of_people(spec: Schema) -> None:
    """It says that no conversation is a group of people (``is_mpim``)."""
    for variant in spec["definitions"]["objs_conversation"]["anyOf"]:
        if "is_mpim" in variant["properties"]:
            variant["properties"]["is_mpim"] = {"type": "boolean"}


def _replies(spec: Schema) -> None:
    """It knows only the plainest messages in threads: with neither blocks nor reactions."""
    for variant in _answer(spec, "conversations.replies")["properties"]["messages"]["items"]["anyOf"]:
        variant["additionalProperties"] = True
        variant["required"] = ["type", "user", "text", "ts"]


def _opened_groups(spec: Schema) -> None:
    """It wants all of a group's properties also when ``return_im`` was not asked for."""
    id = {"$ref": "#/definitions/defs_channel"}
    short = {"type": "object", "properties": {"id": id}, "required": ["id"], "additionalProperties": False}
    _answer(spec, "conversations.open")["properties"]["channel"]["anyOf"].append(short)


def _blocks_of_updates(spec: Schema) -> None:
    """It says that the blocks of an updated message are an object."""
    message = _answer(spec, "chat.update")["properties"]["message"]
    message["properties"]["blocks"] = {"$ref": "#/definitions/blocks"}


def _shares(spec: Schema) -> None:
    """It says that no file is shared anywhere."""
    spec["definitions"]["objs_file"]["properties"]["shares"] = {"type": "object"}


#: Where the specification is wrong or too strict; each says why, and puts it right.
DEVIATIONS = (_attachments, _groups_of_people, _replies, _opened_groups, _blocks_of_updates, _shares)


def events() -> Schema:
    """The Events API's schema for each event type, by the name of its subscription.

    It demands ``authed_users``, instead of which there is ``authorizations`` since February 2021:
    https://api.slack.com/changelog/2020-09-15-events-api-truncate-authed-users
    """
    spec = _load("slack-events-asyncapi-v1.json")
    found: Schema = {}
    for topic, described in spec["topics"].items():
        schema = copy.deepcopy(described["subscribe"]["payload"])
        if "$ref" in schema:
            schema = copy.deepcopy(spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        schema["required"] = [name for name in schema.get("required", []) if name != "authed_users"]
        family = topic.partition(".")[0] == "message"
        found[topic if family else topic.replace(".", "_")] = schema
    return found


def validate(spec: Schema, method: str, answer: Schema) -> None:
    """Fail unless the answer fits the method's schema for success."""
    schema = {**_answer(spec, method), "definitions": spec["definitions"]}
    jsonschema.Draft4Validator(schema).validate(answer)
