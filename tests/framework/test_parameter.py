"""A parameter as data that another version reads."""

import json

from dragoman.parameter import Parameter


def test_a_parameter_crosses_json_whole() -> None:
    parameter = Parameter(name="x", kind="choice", required=False, default="a", choices=("a", "b"), labels=("A", "B"))
    assert Parameter.model_validate_json(parameter.model_dump_json()) == parameter


def test_what_an_older_version_wrote_is_read() -> None:
    older = {"name": "x", "kind": "integer", "required": True, "ge": 1.0, "flag_only": False, "rest": False}
    assert Parameter.model_validate(older) == Parameter(name="x", kind="integer", ge=1.0)


def test_a_kind_from_the_future_is_a_text_that_the_worker_checks() -> None:
    newer = json.dumps({"name": "x", "kind": "colour", "shades": 3, "many": True})
    assert Parameter.model_validate_json(newer) == Parameter(name="x", kind="text", custom=True, many=True)
