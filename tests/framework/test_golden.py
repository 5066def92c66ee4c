"""Messages of every released version stay readable, and mean what they meant.

A golden file is written once, from `wire.encode`, when a kind is added. A released one is never changed.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from dragoman import SkillManifest, wire
from dragoman.task import Task
from support.samples import ACTIONS, EVENTS, MANIFEST, TASK

FOLDER = Path(__file__).parent / "golden" / "v1"

EXPECTED: dict[str, BaseModel] = {
    **{f"event.{kind}": event for kind, event in EVENTS.items()},
    **{f"action.{kind}": action for kind, action in ACTIONS.items()},
    "task": TASK,
    "manifest": MANIFEST,
}


def read(name: str) -> BaseModel:
    body = (FOLDER / f"{name}.json").read_bytes()
    match name.partition(".")[0]:
        case "event":
            return wire.decode_event(body)
        case "action":
            return wire.decode_action(body)
        case "task":
            return Task.model_validate_json(body)
        case _:
            return SkillManifest.model_validate_json(body)


def holds(now: Any, then: Any) -> bool:
    """Whether everything that was there then is there now."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and holds(now[key], value) for key, value in then.items())
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(holds, now, then))
    return bool(now == then)


def test_every_kind_has_a_golden_file_and_every_file_a_kind() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == EXPECTED.keys()


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_golden_message_reads_as_what_it_was(name: str) -> None:
    assert read(name) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_golden_message_is_written_with_all_that_it_had(name: str) -> None:
    assert holds(json.loads(wire.encode(read(name))), json.loads((FOLDER / f"{name}.json").read_bytes()))


@pytest.mark.parametrize("name", sorted(name for name in EXPECTED if "." in name))
def test_a_golden_message_fits_the_published_schema(name: str) -> None:
    schema = wire.schema()[name.partition(".")[0]]
    jsonschema.Draft202012Validator(schema).validate(json.loads((FOLDER / f"{name}.json").read_bytes()))
