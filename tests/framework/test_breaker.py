"""The circuit breaker counts failures in a row, and tells the operator once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import OperationalError

from dragoman import Action, Address, Send
from dragoman.store.controls import Control, read_controls
from dragoman.store.engine import open_store
from dragoman.store.schema import controls
from dragoman.store.sweep import take_due_actions
from dragoman.worker.breaker import Breaker

OPS = Address(account="acme", tenant="*", channel="#ops")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def published() -> list[Action]:
    return []


@pytest.fixture
def breaker(engine: Engine, published: list[Action]) -> Breaker:
    return Breaker(engine, "me", failures=3, seconds=60.0, operator=OPS, publish=published.append)


def control(engine: Engine) -> Control | None:
    with engine.connect() as connection:
        return read_controls(connection).get("dice")


def over(engine: Engine) -> None:
    """The pause of the skill is over."""
    with engine.begin() as connection:
        connection.execute(update(controls).values(until=1.0))


def test_failures_with_a_good_one_between_them_are_nothing(engine: Engine, breaker: Breaker) -> None:
    for error in ("ValueError: no", "ValueError: no", None) * 5:
        assert not breaker.count("dice", error)
    breaker.write()
    assert control(engine) is None


def test_so_many_in_a_row_pause_the_skill_and_the_operator_is_told_once(
    engine: Engine, breaker: Breaker, published: list[Action]
) -> None:
    answers = [breaker.count("dice", f"ValueError: {number}") for number in range(6)]
    assert answers[:3] == [False, False, True]
    breaker.write()
    found = control(engine)
    assert found is not None
    assert found.broken
    assert found.reason == "3 attempts in a row failed, the last one with ValueError"
    (said,) = published
    assert isinstance(said, Send)
    assert said.address == OPS
    assert "I have paused `dice`" in said.content.text
    # It is in the ledger: should it be lost on its way, the sweeper says it.
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE actions SET due_at = 0")
        assert [due.key for due in take_due_actions(connection)] == [said.key]


def test_skills_are_counted_apart(engine: Engine, breaker: Breaker) -> None:
    for skill in ("dice", "poll") * 2:
        assert not breaker.count(skill, "ValueError")


def test_a_good_trial_lets_it_run_again_and_a_bad_one_does_not(
    engine: Engine, breaker: Breaker, published: list[Action]
) -> None:
    for _ in range(3):
        breaker.count("dice", "ValueError")
    breaker.write()
    assert not breaker.try_one("dice", 60.0)
    over(engine)
    assert breaker.try_one("dice", 60.0)
    assert breaker.count("dice", "KeyError: 'x'", trial=True)
    breaker.write()
    found = control(engine)
    assert found is not None
    assert (found.state, found.length, found.reason) == ("paused", 120.0, "it failed again, with KeyError")
    assert len(published) == 1
    over(engine)
    assert breaker.try_one("dice", 60.0)
    assert breaker.count("dice", None, trial=True)
    breaker.write()
    assert control(engine) == Control("dice")
    assert len(published) == 2


def test_what_could_not_be_written_is_written_later(engine: Engine, breaker: Breaker) -> None:
    for _ in range(3):
        breaker.count("dice", "ValueError")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE controls RENAME TO away")
    with pytest.raises(OperationalError):
        breaker.write()
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO controls")
    breaker.write()
    found = control(engine)
    assert found is not None
    assert found.broken


def test_without_an_operator_nobody_is_told(engine: Engine) -> None:
    breaker = Breaker(engine, "me", failures=1, seconds=60.0)
    breaker.count("dice", "ValueError")
    breaker.write()
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM actions").scalar() == 0
