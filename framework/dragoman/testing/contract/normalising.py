"""The first half of the contract: what the platform sends becomes the same events everywhere."""

import copy
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from ...adapter import Adapter
from ...event import EventBase
from .scenarios import ABILITIES, GARBAGE, NOTHING, SCENARIOS, comparable

__all__ = ["Normalising"]

#: What may stand in a payload where something else should.
OTHERS: tuple[Any, ...] = (None, 5, "", "\ud800", [], {}, [{}], "x" * 5000)


class Normalising(ABC):
    """Tests that need payloads only."""

    payloads: ClassVar[Mapping[str, Any]] = {}
    without: ClassVar[Mapping[str, str]] = {}
    adapter: ClassVar[type[Adapter]]

    @abstractmethod
    def normalise(self, payload: Any) -> Sequence[EventBase]:
        """The events that the adapter makes of a payload; raises ValueError for one that is not what is documented."""

    def test_every_scenario_has_a_payload_or_a_reason(self) -> None:
        possible = [*(name for name, ability in ABILITIES.items() if self._declared(ability)), *NOTHING]
        missing = [name for name in possible if name not in self.payloads and not self.without.get(name)]
        assert missing == [], (
            "give each a payload of the shape that the platform documents; or declare in `capabilities` that the "
            "platform has no such thing; or give a reason in `without`"
        )

    def test_what_the_adapter_declares_is_so(self) -> None:
        for scenario, ability in ABILITIES.items():
            if scenario in self.payloads:
                told = f"{self.adapter.__name__}.capabilities.{ability} says no, and {scenario} is there"
                assert self._declared(ability), told
        undeclared = [name for name, ability in self.adapter.capabilities if not ability and not ability.note]
        assert undeclared == [], "say what happens instead: no(...)"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A test for each scenario that has a payload. (The names are pytest's.)"""
        for argument, known in (("scenario", SCENARIOS), ("nothing", NOTHING)):
            if argument in metafunc.fixturenames:
                metafunc.parametrize(argument, [name for name in known if name in self.payloads])

    def test_a_scenario_is_the_same_event_on_every_platform(self, scenario: str) -> None:
        event, wanted = self._only(scenario), SCENARIOS[scenario]
        assert comparable(event) == wanted.event, wanted.told
        if wanted.thread is not None:
            assert (event.address.thread is not None) is wanted.thread
        assert getattr(event, "id", "x"), "what it is about has an id"
        assert event.occurred >= 0

    def test_what_is_no_event_makes_none(self, nothing: str) -> None:
        assert list(self.normalise(self.payloads[nothing])) == [], NOTHING[nothing]

    def test_the_same_payload_has_the_same_key_and_different_ones_have_others(self) -> None:
        there = [name for name in SCENARIOS if name in self.payloads]
        keys = [self._only(name).key for name in there]
        assert [self._only(name).key for name in there] == keys
        # An edit is about the message that it changes; all of these are different things that have happened.
        assert len(set(keys)) == len({str(self.payloads[name]) for name in there})

    def test_a_payload_is_read_and_not_changed(self) -> None:
        for payload in self.payloads.values():
            before = copy.deepcopy(payload)
            self.normalise(payload)
            assert payload == before

    def test_garbage_is_blamed_or_left_alone(self) -> None:
        for payload in GARBAGE:
            assert self._quietly(payload) == []

    def test_a_payload_that_is_broken_anywhere_is_blamed_or_understood(self) -> None:
        """Each field is left out, and replaced by something else: nothing but a ValueError comes of it."""
        for payload in self.payloads.values():
            for broken in _broken(payload):
                for event in self._quietly(broken):
                    assert event.key
                    assert event.kind

    def _declared(self, ability: str) -> bool:
        return bool(getattr(self.adapter.capabilities, ability))

    def _only(self, scenario: str) -> EventBase:
        found = list(self.normalise(copy.deepcopy(self.payloads[scenario])))
        assert len(found) == 1, f"{SCENARIOS[scenario].told}: that is one event, not {found}"
        return found[0]

    def _quietly(self, payload: Any) -> list[EventBase]:
        try:
            return list(self.normalise(payload))
        except ValueError:
            return []


def _broken(payload: Any) -> Iterator[Any]:
    """The payload with each of its fields left out, and replaced by something else; a line is also cut short."""
    if not isinstance(payload, str | bytes):
        yield from _changed(payload, lambda new: new)
        return
    yield from (payload[:length] for length in range(len(payload)))
    if isinstance(payload, bytes):
        yield payload + b"\xff"
    try:
        fields = json.loads(payload)
    except ValueError:
        return  # a line of words
    for broken in (*OTHERS, *_changed(fields, lambda new: new)):
        text = json.dumps(broken)
        yield text.encode() if isinstance(payload, bytes) else text


def _changed(value: Any, rebuild: Callable[[Any], Any]) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield rebuild({key: each for key, each in value.items() if key != name})
            yield from (rebuild({**value, name: other}) for other in OTHERS)
            yield from _changed(inner, lambda new, name=name: rebuild({**value, name: new}))  # type: ignore[misc]
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _changed(
                inner,
                lambda new, index=index: rebuild([*value[:index], new, *value[index + 1 :]]),  # type: ignore[misc]
            )
