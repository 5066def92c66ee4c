"""What adapters keep across restarts."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, select

from dragoman.store.keepsakes import (
    find_credentials,
    forget_credentials,
    keep_credentials,
    load_states,
    save_states,
)
from dragoman.store.schema import reply_credentials
from dragoman.store.sweep import forget_expired


@pytest.fixture
def do(store: Engine) -> Callable[..., Any]:
    def work(operation: Callable[..., Any], *arguments: Any) -> Any:
        with store.begin() as connection:
            return operation(connection, *arguments)

    return work


def test_credentials_are_found_by_account_and_event(do: Callable[..., Any]) -> None:
    later = time.time() + 60
    do(keep_credentials, [("acme", "e1", {"token": "ü\0"}, later), ("acme", "e2", {"token": "2"}, later)])
    found = do(find_credentials, [("acme", "e2"), ("other", "e2"), ("acme", "e1")])
    assert found == [{"token": "2"}, None, {"token": "ü\0"}]


def test_the_last_of_the_same_are_kept(do: Callable[..., Any]) -> None:
    later = time.time() + 60
    do(keep_credentials, [("acme", "e1", {"n": 1}, later), ("acme", "e1", {"n": 2}, later)])
    do(keep_credentials, [("acme", "e1", {"n": 3}, later)])
    assert do(find_credentials, [("acme", "e1")]) == [{"n": 3}]


def test_what_has_ended_is_not_found_and_is_deleted_by_the_sweeper(do: Callable[..., Any]) -> None:
    now = time.time()
    do(keep_credentials, [("acme", "old", {}, now - 1), ("acme", "new", {}, now + 60)])
    assert do(find_credentials, [("acme", "old"), ("acme", "new")]) == [None, {}]
    assert do(forget_expired, now) == 1
    assert do(lambda c: c.execute(select(reply_credentials.c.event_key)).scalars().all()) == ["new"]
    assert do(forget_credentials, now) == 0


def test_states_are_kept_by_account_and_name(do: Callable[..., Any]) -> None:
    do(save_states, [("acme", "session/0", {"sequence": 1}), ("acme", "session/0", {"sequence": 2})])
    do(save_states, [("acme", "session/1", {"sequence": 3})])
    wanted = [("acme", "session/0"), ("acme", "session/1"), ("other", "session/0")]
    assert do(load_states, wanted) == [{"sequence": 2}, {"sequence": 3}, None]


def test_nothing_is_asked_of_nobody(do: Callable[..., Any]) -> None:
    assert [do(each, []) for each in (keep_credentials, save_states, find_credentials, load_states)] == [[], [], [], []]
