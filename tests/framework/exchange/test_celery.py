"""Celery runs on our transports: tasks, remote control, and what a killed worker held."""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker

from dragoman.exchange.broker import Broker
from support.servers import end, wait_until


@pytest.fixture(autouse=True)
def the_root_logger_is_as_it_was() -> Iterator[None]:
    """Celery's worker for tests sets its level, for all tests that come after."""
    level, handlers = logging.root.level, logging.root.handlers[:]
    yield
    logging.root.setLevel(level)
    logging.root.handlers[:] = handlers


def application(broker: Broker) -> Any:
    app = Celery(broker.namespace, set_as_current=False)
    app.conf.update(
        broker_url=broker.url,
        broker_transport=broker.transport,
        broker_transport_options=broker.transport_options("worker.default"),
        broker_connection_retry_on_startup=True,
        # Its timer wakes a worker in a thread, which no signal reaches, when it has to stop.
        broker_heartbeat=1,
        task_queues=[broker.topology.skill_queue("dice")],
        task_default_queue=broker.topology.skill_queue("dice").name,
        task_default_exchange=broker.topology.skills.name,
        task_default_routing_key="dice",
        task_acks_late=True,
        task_ignore_result=True,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_prefetch_multiplier=1,
        control_exchange=f"{broker.namespace}.pidbox",
        event_exchange=f"{broker.namespace}.celeryev",
    )
    return app


@contextmanager
def working(app: Any) -> Iterator[None]:
    with start_worker(app, pool="threads", concurrency=4, perform_ping_check=False, shutdown_timeout=20):
        yield


def test_a_worker_in_a_thread_runs_tasks_at_once(broker: Broker) -> None:
    app = application(broker)
    ran: list[int] = []
    done = threading.Event()

    @app.task(name="note", shared=False)  # type: ignore[untyped-decorator]
    def note(number: int) -> None:
        ran.append(number)
        if len(ran) == 200:
            done.set()

    note.delay(0)  # before any worker has ever been
    with working(app):
        wait_until(lambda: ran == [0])
        for number in range(1, 200):
            note.delay(number)
        assert done.wait(20)
        assert sorted(ran) == list(range(200))
    app.close()


def test_a_worker_answers_to_remote_control(broker: Broker) -> None:
    app = application(broker)
    with working(app):
        wait_until(lambda: app.control.ping(timeout=0.3), 10.0)
        (answer,) = app.control.inspect(timeout=1.0).active_queues().values()
        assert [queue["name"] for queue in answer] == [broker.topology.skill_queue("dice").name]
        app.control.cancel_consumer(broker.topology.skill_queue("dice").name)
        wait_until(lambda: list(app.control.inspect(timeout=0.5).active_queues().values()) == [[]], 10.0)
    app.close()


WORKER = """
import sys, time
sys.path[:0] = {path!r}
from dragoman.exchange.broker import Broker
from framework.exchange.test_celery import application
broker = Broker(sys.argv[1], sys.argv[2], visibility=1.0)
app = application(broker)
app.conf.task_reject_on_worker_lost = True

@app.task(name="note")
def note(number):
    with open(sys.argv[3], "a") as out:
        out.write(f"{{number}}\\n")
    time.sleep(0.01)

app.worker_main(["worker", "--pool", sys.argv[4], "--concurrency", "2", "--loglevel", "ERROR",
                 "--without-gossip", "--without-mingle"])
"""


@pytest.mark.needs("many_processes", "redelivery")
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_killed_workers_lose_no_task(broker: Broker, tmp_path: Path, pool: str) -> None:
    total, out = 400, tmp_path / "out"
    app = application(broker)
    note = app.signature("note", app=app)
    for number in range(total):
        note.clone((number,)).apply_async()

    def seen() -> set[str]:
        return set(out.read_text().split()) if out.exists() else set()

    before = 0
    for attempt in range(3):
        worker = subprocess.Popen(
            [
                sys.executable,
                "-c",
                WORKER.format(path=sys.path),
                broker._given,
                broker.namespace,
                str(out),
                pool,
            ],
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        try:
            enough = before + 60 if attempt < 2 else total
            wait_until(lambda: len(seen()) >= enough, 40.0)  # noqa: B023  # used at once
        finally:
            end(worker, 9)
        before = len(seen())
    assert seen() == {str(number) for number in range(total)}
    app.close()
