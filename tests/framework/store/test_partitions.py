"""Who has which partition, on both databases: one owner each, shared out evenly."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from dragoman.store.partitions import LEASE, Holding, Part, hold, let_go
from dragoman.store.processes import Process, beat, bury

ALL = [Part("acme", number) for number in range(4)]


class Gateways:
    """Some gateways of one account, by letters, at a time that the test says."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = 1000.0

    def born(self, name: str, pid: int = 1) -> None:
        with self.engine.begin() as connection:
            beat(connection, Process("gateway", id=name, host="h", pid=pid))

    def hold(self, name: str) -> Holding:
        with self.engine.begin() as connection:
            return hold(connection, name, ["acme"], 4, now=self.now)

    def mine(self, name: str) -> list[int]:
        return sorted(part.number for part in self.hold(name).until)

    def let_go(self, name: str, *parts: Part) -> None:
        with self.engine.begin() as connection:
            let_go(connection, name, parts, now=self.now)

    def settle(self, *names: str) -> dict[str, list[int]]:
        """Each looks in turn and hands over what it is asked for, until nothing changes."""
        for _ in range(12):
            for name in names:
                self.let_go(name, *self.hold(name).wanted)
        return {name: self.mine(name) for name in names}


@pytest.fixture
def gateways(store: Engine) -> Gateways:
    made = Gateways(store)
    for name in "abcdef":
        made.born(name, pid=ord(name))
    return made


def test_one_alone_has_all_of_them_at_once(gateways: Gateways) -> None:
    held = gateways.hold("a")
    assert dict(held.until) == dict.fromkeys(ALL, gateways.now + LEASE)
    assert held.wanted == frozenset()


def test_a_second_one_gets_half_and_only_when_it_is_handed_over(gateways: Gateways) -> None:
    gateways.hold("a")
    assert gateways.mine("b") == []
    wanted = gateways.hold("a").wanted
    assert len(wanted) == 2
    assert gateways.mine("a") == [0, 1, 2, 3]  # it has not finished what is in hand
    assert gateways.mine("b") == []
    gateways.let_go("a", *wanted)
    assert sorted(gateways.mine("a") + gateways.mine("b")) == [0, 1, 2, 3]
    assert gateways.mine("b") == sorted(part.number for part in wanted)


@pytest.mark.parametrize(
    ("names", "shares"), [("ab", [2, 2]), ("abc", [1, 1, 2]), ("abcd", [1] * 4), ("abcdef", [0, 0, 1, 1, 1, 1])]
)
def test_they_are_shared_out_evenly(gateways: Gateways, names: str, shares: list[int]) -> None:
    gateways.hold("a")
    found = gateways.settle(*names)
    assert sorted(len(part) for part in found.values()) == shares
    assert sorted(number for part in found.values() for number in part) == [0, 1, 2, 3]


def test_what_is_renewed_stays_and_what_is_not_is_taken(gateways: Gateways) -> None:
    gateways.hold("a")
    for _ in range(5):
        gateways.now += LEASE - 2
        assert gateways.mine("a") == [0, 1, 2, 3]
    gateways.now += LEASE + 0.1
    assert gateways.mine("b") == [0, 1, 2, 3]
    assert gateways.mine("a") == []  # and it does not believe that it still has them


def test_those_of_a_dead_process_are_taken_at_once(gateways: Gateways) -> None:
    gateways.hold("a")
    with gateways.engine.begin() as connection:
        bury(connection, ord("a"), "h")
    assert gateways.mine("b") == [0, 1, 2, 3]


def test_what_nobody_asked_for_is_free_when_it_is_let_go(gateways: Gateways) -> None:
    gateways.hold("a")
    gateways.let_go("a", *ALL)
    assert gateways.mine("b") == [0, 1, 2, 3]


def test_an_heir_that_has_died_inherits_nothing(gateways: Gateways) -> None:
    gateways.hold("a")
    gateways.hold("b")
    wanted = gateways.hold("a").wanted
    with gateways.engine.begin() as connection:
        bury(connection, ord("b"), "h")
    assert gateways.hold("a").wanted == frozenset()
    gateways.let_go("a", *wanted)
    assert gateways.mine("a") == [0, 1, 2, 3]


def test_nobody_lets_go_what_is_anothers(gateways: Gateways) -> None:
    gateways.hold("a")
    gateways.let_go("b", *ALL)
    assert gateways.mine("b") == []
    assert gateways.mine("a") == [0, 1, 2, 3]


def test_each_change_raises_the_token(gateways: Gateways, store: Engine) -> None:
    def token() -> int:
        with store.connect() as connection:
            found: Callable[[], Any] = connection.exec_driver_sql(
                "SELECT token FROM partitions WHERE partition = 0"
            ).scalar_one
            return int(found())

    gateways.hold("a")
    first = token()
    gateways.hold("a")
    assert token() == first
    gateways.let_go("a", *ALL)
    gateways.hold("b")
    assert token() == first + 2
