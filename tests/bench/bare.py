"""The bare limit: the same three hops with kombu and Celery, and nothing of ours.

A driver publishes to a queue; a router (a process with kombu) sends a Celery task for each message; a stock
Celery worker (prefork, late acknowledgement, no results) runs it and publishes the answer to a queue that the
driver reads. ``python bare.py router URL NS`` and ``celery -A bare worker`` are its parts.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery import Celery
from kombu import Connection, Consumer, Exchange, Producer, Queue

URL = os.environ.get("BARE_URL", "memory://")
NS = os.environ.get("BARE_NS", "bare")

events = Queue(f"{NS}.bare.events", Exchange(f"{NS}.bare.events", type="topic"), routing_key="event")
answers = Queue(f"{NS}.bare.answers", Exchange(f"{NS}.bare.answers", type="topic"), routing_key="answer")
tasks = Queue(f"{NS}.bare.tasks", Exchange(f"{NS}.bare.tasks", type="direct"), routing_key="task")

app = Celery("bare", broker=URL, set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=4,
    task_queues=[tasks],
    task_default_queue=tasks.name,
    task_default_exchange=tasks.exchange.name,
    task_default_routing_key="task",
    broker_connection_retry_on_startup=True,
    worker_send_task_events=False,
)
kept: dict[str, Any] = {}


@app.task(name="bare.answer")  # type: ignore[untyped-decorator]  # Celery has no types
def answer(number: int) -> None:
    """The third hop, on a connection that is kept."""
    if "producer" not in kept:
        kept["producer"] = Producer(Connection(URL).channel(), answers.exchange)
    kept["producer"].publish({"n": number}, routing_key="answer")


def route() -> None:
    """The second hop."""
    with Connection(URL) as connection, app.producer_pool.acquire(block=True) as producer:

        def handle(body: dict[str, int], message: Any) -> None:
            app.send_task("bare.answer", args=[body["n"]], producer=producer, argsrepr="", kwargsrepr="", retry=False)
            message.ack()

        with Consumer(connection, [events], callbacks=[handle], prefetch_count=100):
            while True:
                connection.drain_events()


@contextlib.contextmanager
def parts(url: str, namespace: str, log: Path) -> Iterator[None]:
    """The router and the worker."""
    environment = {**os.environ, "BARE_URL": url, "BARE_NS": namespace, "PYTHONPATH": str(Path(__file__).parent)}
    with log.open("wb") as output:
        running = [
            subprocess.Popen([sys.executable, __file__], env=environment, stdout=output, stderr=output),
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "bare", "worker", "--concurrency", "4"),
                    *("--without-gossip", "--without-mingle", "-l", "warning"),
                ],
                env=environment,
                stdout=output,
                stderr=output,
            ),
        ]
        try:
            yield
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(20)


def measure(url: str, namespace: str, log: Path, *, many: int, few: int) -> tuple[float, list[float]]:
    """(messages per second, sorted milliseconds of single messages)."""
    with parts(url, namespace, log), Connection(url) as connection:
        heard: list[int] = []

        def note(body: dict[str, int], message: Any) -> None:
            heard.append(body["n"])
            message.ack()

        channel = connection.channel()
        for queue in (events, answers, tasks):
            named = Queue(
                queue.name.replace(NS, namespace, 1),
                Exchange(queue.exchange.name.replace(NS, namespace, 1), type=queue.exchange.type),
                routing_key=queue.routing_key,
            )
            named(channel).declare()
        source = Exchange(f"{namespace}.bare.events", type="topic")
        sink = Queue(
            f"{namespace}.bare.answers", Exchange(f"{namespace}.bare.answers", type="topic"), routing_key="answer"
        )
        producer = Producer(channel, source)
        with Consumer(connection.channel(), [sink], callbacks=[note], prefetch_count=1000):

            def wait(count: int) -> None:
                while len(heard) < count:
                    connection.drain_events(timeout=60)

            for number in range(20):
                producer.publish({"n": number}, routing_key="event")
            wait(20)
            singles = []
            for number in range(few):
                before, began = len(heard), time.perf_counter()
                producer.publish({"n": number}, routing_key="event")
                wait(before + 1)
                singles.append(1000 * (time.perf_counter() - began))
            before, began = len(heard), time.perf_counter()
            for number in range(many):
                producer.publish({"n": number}, routing_key="event")
            wait(before + many)
            return many / (time.perf_counter() - began), sorted(singles)


if __name__ == "__main__":
    route()
