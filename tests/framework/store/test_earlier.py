"""What has to be said before something, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, update

from dragoman import Send, Sent
from dragoman.store.earlier import earlier, postponed
from dragoman.store.ledger import (
    Finish,
    Routed,
    claim_runs,
    finish_runs,
    postpone_actions,
    record_events,
    record_sent,
    route_events,
)
from dragoman.store.lines import line
from dragoman.store.schema import actions
from support.samples import message, send, task


@pytest.fixture
def ledger(store: Engine) -> Callable[..., Any]:
    def call(operation: Callable[..., Any], *arguments: Any) -> Any:
        with store.begin() as connection:
            return operation(connection, *arguments)

    return call


def before(ledger: Callable[..., Any], *found: Send, accounts: tuple[str, ...] = ("acme",)) -> dict[str, list[str]]:
    """By the key of each, the keys of what comes before it."""
    _, answer = ledger(earlier, list(found), accounts)
    return {key: [action.key for action in actions] for key, actions in answer.items()}


def answered(ledger: Callable[..., Any], key: str, *, ordered: bool) -> Send:
    """The answer of a run that has ended, for an event of one conversation."""
    event = message("x", key=key)
    found = task(event)
    if ordered:
        found = found.model_copy(update={"line": line("dice", event.address)})
    ledger(record_events, [event])
    ledger(route_events, [Routed(event, ((found, 2),), ())])
    ledger(claim_runs, [(found.run, "me")])
    answer = send(f"{key}|dice.roll|0", run=found.run)
    assert ledger(finish_runs, [Finish(found.run, "me", (answer,), first=True, lined=ordered)])
    return answer


def test_earlier_actions_of_a_run_that_wait_are_found_in_their_order(ledger: Callable[..., Any]) -> None:
    ledger(postpone_actions, [send(f"a{n}", run="r", ordinal=n) for n in (2, 0, 1, 4)])
    ledger(record_sent, [(send("a1", run="r", ordinal=1), Sent(ids=("m",)))])
    third = send("a3", run="r", ordinal=3)
    assert before(ledger, third) == {"a3": ["a0", "a2"]}
    assert before(ledger, third, send("a0", run="r")) == {"a3": ["a2"]}  # it has come as well
    assert before(ledger, third, accounts=("other",)) == {}


def test_an_answer_of_an_ordered_skill_stays_behind_that_of_the_run_before(ledger: Callable[..., Any]) -> None:
    first, second = answered(ledger, "e1", ordered=True), answered(ledger, "e2", ordered=True)
    assert before(ledger, second) == {second.key: [first.key]}
    assert before(ledger, first) == {}
    ledger(record_sent, [(first, Sent(ids=("m",)))])
    assert before(ledger, second) == {}


def test_without_an_order_no_run_waits_for_another(ledger: Callable[..., Any]) -> None:
    answered(ledger, "e1", ordered=False)
    assert before(ledger, answered(ledger, "e2", ordered=False)) == {}


def test_what_was_tried_is_found_and_what_is_on_its_way_is_not(ledger: Callable[..., Any]) -> None:
    ledger(postpone_actions, [send("a1")])
    ledger(postpone_actions, [send("a2")])
    ledger(lambda connection: connection.execute(update(actions).where(actions.c.key == "a1").values(created_at=1.0)))
    waiting = answered(ledger, "e1", ordered=False)
    assert [action.key for action in ledger(postponed, ["acme"])] == ["a1", "a2"]
    assert all(action.again for action in ledger(postponed, ["acme"]))
    assert waiting.key not in [action.key for action in ledger(postponed, ["acme"])]
    assert [action.key for action in ledger(postponed, ["acme"], 1)] == ["a1"]
    assert ledger(postponed, ["other"]) == []
