"""What a worker has in hand when its broker goes away."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from weakref import ref

import pytest
from celery import Celery
from celery.worker import state
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu import Connection

from dragoman.worker.consumer import Consumer
from dragoman.worker.request import Request


class Job:
    """What the pool gives for what it was given."""

    def __init__(self, number: int, cache: dict[int, "Job"]) -> None:
        self._job, self._cache = number, cache
        cache[number] = self


def request(consumer: Any, job: Job | None, *, given: bool = True) -> Any:
    made: Any = Request.__new__(Request)
    made.name, made.id = "dragoman.skill.echo", str(id(made))
    made.consumer, made.given, made._apply_result = consumer, given, job and ref(job)
    state.task_reserved(made)
    return made


@pytest.fixture
def consumer() -> Iterator[Any]:
    made: Any = Consumer.__new__(Consumer)
    made.pool = SimpleNamespace(uses_semaphore=True)
    again: list[Request] = []
    made.on_task_request = again.append
    made.again = again
    yield made
    state.reserved_requests.clear()
    state.requests.clear()


def test_what_celery_drops_with_the_connection_is_given_to_the_pool_again(
    consumer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache: dict[int, Job] = {}
    jobs = [Job(number, cache) for number in range(3)]
    runs, waits_for_a_process, dropped = (request(consumer, job) for job in jobs)
    never_there, waits_for_a_slot = request(consumer, None), request(consumer, None, given=False)

    def on_close(self: object) -> None:
        del cache[2]
        state.reserved_requests.clear()

    monkeypatch.setattr(CeleryConsumer, "on_close", on_close)
    consumer.on_close()
    assert set(consumer.again) == {dropped, never_there}
    # They count as taken, so a stop waits for them.
    assert {dropped, never_there} <= set(state.reserved_requests)
    assert not {runs, waits_for_a_process, waits_for_a_slot} & set(consumer.again)
    # Celery has forgotten this one; it gets its slot now, and the connection breaks again.
    waits_for_a_slot.give()
    consumer.again.clear()
    monkeypatch.setattr(CeleryConsumer, "on_close", lambda self: None)
    consumer.on_close()
    assert waits_for_a_slot in consumer.again


def test_threads_drop_nothing(consumer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer.pool.uses_semaphore = False
    kept = request(consumer, None)
    monkeypatch.setattr(CeleryConsumer, "on_close", lambda self: None)
    consumer.on_close()
    assert kept.given
    assert consumer.again == []


def test_a_broken_connection_does_not_keep_a_slot_from_being_released(consumer: Any) -> None:
    def broken(*_: object) -> None:
        raise ConnectionError("the broker is gone")

    topology = SimpleNamespace(skill_queue=lambda skill: SimpleNamespace(name=skill))
    consumer.process = SimpleNamespace(topology=topology)
    consumer.app = SimpleNamespace(amqp=SimpleNamespace(queues={"echo": None}))
    consumer.task_consumer = SimpleNamespace(
        consuming_from=lambda queue: False, add_queue=broken, cancel_by_queue=broken
    )
    consumer.connection_errors, consumer.taking = (ConnectionError,), True
    consumer.not_taken = frozenset
    later: list[tuple[object, ...]] = []
    consumer.timer = SimpleNamespace(call_after=lambda seconds, function, args: later.append((function, *args)))
    consumer.take_from("echo")
    assert later == [(consumer.take_from, "echo")]
    consumer.stop_taking("echo")


def test_a_broker_that_is_back_is_found_within_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery would wait 2 s, then 4 s, and at last 30 s; meanwhile no run's end is written down."""
    slept: list[float] = []
    answers = iter([OSError("away")] * 14 + [None])

    class Away(Connection):  # type: ignore[misc]  # kombu has no types
        def _connection_factory(self) -> object:
            if (error := next(answers)) is not None:
                raise error
            return object()

    monkeypatch.setattr("kombu.utils.functional.sleep", slept.append)
    made: Any = Consumer.__new__(Consumer)
    made.app, made.first_connection_attempt, made.broker_connection_retry_attempt = Celery(), True, 0
    made.app.conf.broker_connection_retry_on_startup = True
    made.app.conf.broker_connection_max_retries = None
    connection = Away("amqp://")
    assert made.ensure_connected(connection) is connection
    assert sum(slept) > 14
    # Between two looks kombu sleeps a second at a time, so that a stop is heard.
    assert max(slept) <= 1.0
    assert sum(slept) <= 14 * 2.0
    assert connection.ensure_connection.__func__ is Connection.ensure_connection
