"""Calls in a worker's event loop: none is lost, whatever else is called there and breaks."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.asynchronous.hub import Hub

from dragoman.store.batch import Batcher
from dragoman.store.engine import open_store
from dragoman.worker.calls import Calls
from dragoman.worker.consumer import Consumer


@pytest.fixture
def hub() -> Iterator[Hub]:
    """An event loop that has something to wait for, so that it turns."""
    made = Hub()
    reader, writer = os.pipe()
    made.add_reader(reader, lambda: None)
    yield made
    made.close()
    os.close(reader)
    os.close(writer)


def turn(hub: Hub) -> None:
    next(hub.create_loop())


def broken() -> None:
    raise BrokenPipeError(32, "Broken pipe")


def test_they_are_called_in_their_order(hub: Hub) -> None:
    calls, done = Calls(hub, (OSError,)), list[int]()
    for number in range(50):
        calls(done.append, number)
    turn(hub)
    assert done == list(range(50))


def test_they_are_called_before_what_is_done_in_each_turn(hub: Hub) -> None:
    """In one of these ticks Celery's pool sees that it has something to send to its processes."""
    calls, done = Calls(hub, (OSError,)), list[str]()
    for _ in range(20):
        hub.on_tick.add(lambda: done.append("tick"))
    calls(done.append, "call")
    turn(hub)
    assert done == ["call", *["tick"] * 20]


def test_one_that_breaks_with_the_connection_takes_no_other_along(hub: Hub) -> None:
    calls, done = Calls(hub, (OSError,)), list[int]()
    calls(done.append, 1)
    calls(broken)
    calls(done.append, 2)
    turn(hub)
    assert done == [1, 2]


def test_nor_does_what_others_have_called(hub: Hub) -> None:
    """kombu reads from a broken connection in the same turn, and then Celery resets the loop and connects again."""
    calls, done = Calls(hub, (OSError,)), list[int]()
    for number in range(20):
        hub.call_soon(broken)
        calls(done.append, number)
    with pytest.raises(BrokenPipeError):
        turn(hub)
    hub.call_soon(broken)
    with pytest.raises(BrokenPipeError):
        hub.reset()
    turn(hub)
    assert done == list(range(20))


def test_what_is_called_last_is_called_before_the_loop_is_closed(hub: Hub) -> None:
    calls, done = Calls(hub, (OSError,)), list[int]()
    calls(done.append, 1)
    hub.close()
    assert done == [1]


def test_another_mistake_is_not_hidden(hub: Hub) -> None:
    calls = Calls(hub, (OSError,))
    calls(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        turn(hub)


def test_a_call_from_another_thread_wakes_the_loop(hub: Hub) -> None:
    calls, done = Calls(hub, (OSError,)), list[int]()
    loop = hub.create_loop()
    hub.timer.call_after(60, broken)  # else it would wait for a second only
    next(loop)
    thread = threading.Timer(0.05, calls, (done.append, 1))
    thread.start()
    while not done:
        next(loop)
    thread.join()


def test_commits_go_on_after_a_turn_that_broke(hub: Hub, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    consumer: Any = Consumer.__new__(Consumer)
    consumer.hub, consumer._calls = hub, Calls(hub, (OSError,))
    batcher = Batcher(store, call_soon=consumer.call_soon)
    asked = []
    for _ in range(20):  # what is called in a turn has no order
        hub.call_soon(broken)
        asked.append(batcher.submit(lambda connection, items: list(items), 1))
    with pytest.raises(BrokenPipeError):
        turn(hub)
    hub._pop_ready()
    turn(hub)
    assert [future.result(timeout=0) for future in asked] == [1] * 20
    store.dispose()


def test_without_a_loop_they_are_celerys_own(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer: Any = Consumer.__new__(Consumer)
    consumer.hub, consumer._calls = None, None
    called: list[object] = []
    monkeypatch.setattr(CeleryConsumer, "call_soon", lambda self, p, *args, **kwargs: called.append((p, args)))
    consumer.call_soon(print, 1)
    assert called == [(print, (1,))]
