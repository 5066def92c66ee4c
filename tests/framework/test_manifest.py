"""The manifest: a skill as data, the same for everybody who reads it."""

import pytest
from pydantic import ValidationError

from dragoman import CommandTrigger, HandlerManifest, SkillManifest, wire
from dragoman.triggers import UnknownTrigger
from support.samples import MANIFEST


def test_a_manifest_comes_back_as_it_was() -> None:
    assert SkillManifest.model_validate_json(wire.encode(MANIFEST)) == MANIFEST


def test_its_digest_stays_while_nothing_changes() -> None:
    assert SkillManifest.model_validate_json(wire.encode(MANIFEST)).digest() == MANIFEST.digest()


@pytest.mark.parametrize(
    "change", [{"summary": "x"}, {"pool": "x"}, {"retries": 9}, {"time_limit": 9.0}, {"origin": "x"}, {"handlers": ()}]
)
def test_its_digest_changes_with_anything_in_it(change: dict[str, object]) -> None:
    assert MANIFEST.model_copy(update=change).digest() != MANIFEST.digest()


def test_its_commands_are_the_handlers_that_are_typed() -> None:
    assert [handler.name for handler in MANIFEST.commands()] == ["roll"]


def test_a_trigger_from_the_future_is_known_as_such_and_not_guessed() -> None:
    read = HandlerManifest.model_validate({"name": "x", "trigger": {"kind": "dream"}})
    assert read.trigger == UnknownTrigger(kind="dream")


def test_a_trigger_without_a_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="kind"):
        HandlerManifest.model_validate({"name": "x", "trigger": {}})


def test_fields_from_the_future_are_ignored() -> None:
    read = HandlerManifest.model_validate(
        {"name": "x", "mood": 1, "trigger": {"kind": "command", "names": ["x"], "y": 2}}
    )
    assert read == HandlerManifest(name="x", trigger=CommandTrigger(names=("x",)))
