"""The endpoints of a process: does it move, can it do its work, what has it counted."""

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from dragoman.health import Health, Watch, loop_check
from dragoman.metrics import Metrics
from support.servers import free_port


def fetch(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def health() -> Health:
    return Health("router")


@pytest.fixture
def watch(health: Health) -> Iterator[Watch]:
    metrics = Metrics()
    metrics.count_run("dice", "done")
    watch = Watch(health, metrics, "127.0.0.1", 0)
    watch.start()
    assert watch.wait_up(10)
    yield watch
    watch.stop()


def test_the_metrics_are_there(watch: Watch) -> None:
    status, body = fetch(watch.port, "/metrics")
    assert status == 200
    assert b'dragoman_runs_total{outcome="done",skill="dice"} 1.0' in body


def test_a_part_without_a_mistake_is_live_and_ready(watch: Watch, health: Health) -> None:
    health.add_live("loop", lambda: "")
    health.add_ready("broker", lambda: "")
    status, body = fetch(watch.port, "/ready")
    assert (status, json.loads(body)) == (200, {"role": "router", "ok": True, "checks": {"broker": "ok"}})
    assert fetch(watch.port, "/live")[0] == 200


def test_what_is_wrong_is_said_and_it_is_well_again_afterwards(watch: Watch, health: Health) -> None:
    wrong = ["not connected"]
    health.add_ready("broker", lambda: wrong[0])
    health.add_ready("store", lambda: "")
    status, body = fetch(watch.port, "/ready")
    assert status == 503
    assert json.loads(body)["checks"] == {"broker": "not connected", "store": "ok"}
    assert fetch(watch.port, "/live")[0] == 200
    wrong[0] = ""
    assert fetch(watch.port, "/ready")[0] == 200


def test_a_check_that_hangs_or_raises_is_said_and_keeps_no_other_from_being_asked(
    watch: Watch, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragoman.health.PATIENCE", 0.1)
    ends = threading.Event()

    def hangs() -> str:
        ends.wait()
        return ""

    def raises() -> str:
        raise OSError("secret")

    health.add_ready("store", hangs)
    health.add_ready("broker", raises)
    health.add_ready("account acme", lambda: "")
    try:
        found = json.loads(fetch(watch.port, "/ready")[1])["checks"]
    finally:
        ends.set()
    assert found["store"] == "does not answer within 0.1 s"
    assert found["broker"] == "cannot be asked: OSError"
    assert found["account acme"] == "ok"


async def test_a_loop_that_stands_still_is_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.health.PATIENCE", 0.6)
    check = loop_check(asyncio.get_running_loop())
    assert await asyncio.to_thread(check) == ""
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(check()))
    thread.start()
    thread.join()  # and nobody turns the loop
    assert said == ["the event loop has stood still for 0.1 s"]


def test_a_port_that_is_taken_is_waited_for(health: Health, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        watch = Watch(health, Metrics(), "127.0.0.1", port)
        watch.start()
        while "cannot be watched yet" not in caplog.text:
            assert not watch.wait_up(0.05)
    try:
        assert watch.wait_up(10)
        assert fetch(port, "/live")[0] == 200
    finally:
        watch.stop()
