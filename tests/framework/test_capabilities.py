"""What a platform can do is declared, and shown: with its limits, or with what happens instead."""

import pytest
from pydantic import ValidationError
from rich.console import Console

from dragoman import Ability, Adapter, Capabilities, no, yes
from dragoman.platforms import Platform, markdown, show_platforms


class Pigeon(Adapter):
    platform = "pigeon"
    capabilities = Capabilities(messages=yes("by day"), uploads=no("it is said what it weighs"))


class Silent(Adapter):
    platform = "silent"


BOTH = [
    Platform("pigeon", "loft 1.0", Pigeon),
    Platform("silent", "loft 1.0", Silent),
    Platform("broken", "loft 1.0", None, "the wing is missing"),
]


def test_an_ability_is_there_or_not_and_says_more() -> None:
    assert (bool(yes()), bool(no())) == (True, False)
    assert [str(each) for each in (yes(), yes("by day"), no(), no("it is said"))] == [
        "yes",
        "yes: by day",
        "no",
        "no: it is said",
    ]


def test_who_declares_nothing_can_do_nothing() -> None:
    assert {name for name, ability in Silent.capabilities if ability} == set()


def test_a_capability_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValidationError, match="telepathy"):
        Capabilities.model_validate({"telepathy": yes()})
    with pytest.raises(ValidationError, match="frozen"):
        setattr(Pigeon.capabilities, "messages", no())  # noqa: B010  # mypy knows that it is frozen


def test_each_is_a_row_with_what_it_is() -> None:
    assert all(field.description for field in Capabilities.model_fields.values())
    rows = markdown(BOTH).splitlines()
    assert rows[:3] == [
        "| | pigeon | silent |",
        "| --- | --- | --- |",
        "| what people say in channels | yes: by day | no |",
    ]
    assert len(rows) == 2 + len(Capabilities.model_fields)
    assert "| the bot sends files | no: it is said what it weighs | no |" in rows


def test_an_adapter_that_is_broken_is_listed_with_the_reason() -> None:
    console = Console(width=120, highlight=False)
    with console.capture() as shown:
        show_platforms(BOTH, console)
    assert shown.get().splitlines()[:3] == [
        "pigeon (loft 1.0)",
        "silent (loft 1.0)",
        "broken (loft 1.0): the wing is missing",
    ]


def test_an_ability_is_data() -> None:
    assert Ability.model_validate_json(yes("by day").model_dump_json()) == yes("by day")
