"""Real processes: kept running, stopped in order, none left behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dragoman import supervisor as supervisor_module
from dragoman.supervisor import CONFIG_ERROR, Child, Supervisor, python
from support.servers import wait_until

PATIENCE = 30.0

#: Writes its pid and that of a grandchild, then waits.
SLEEPS = """
import os, signal, subprocess, sys, pathlib
me = pathlib.Path(sys.argv[1])
left = subprocess.Popen(["sleep", "600"])
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    def stop(*_):
        with open(me.parent / "stopped", "a") as file:
            file.write(me.name + "\\n")
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
with me.open("a") as file:
    file.write(f"{os.getpid()} {left.pid}\\n")
while True:
    signal.pause()
"""


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Bench:
    """Children that write down when they run, and a supervisor in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.supervisor: Supervisor | None = None
        self.thread: threading.Thread | None = None
        self.status: int | None = None

    def child(self, name: str, *options: str, **fields: Any) -> Child:
        return Child(name, [sys.executable, "-c", SLEEPS, str(self.folder / name), *options], **fields)

    def starts(self, name: str) -> list[tuple[int, int]]:
        """(pid, the grandchild's pid) for each start."""
        file = self.folder / name
        lines = file.read_text().splitlines() if file.exists() else []
        return [(int(pid), int(left)) for pid, left in (line.split() for line in lines)]

    def stopped(self) -> list[str]:
        file = self.folder / "stopped"
        return file.read_text().split() if file.exists() else []

    def start(self, *children: Child, **options: Any) -> Supervisor:
        self.supervisor = made = Supervisor(children, **options)

        def run() -> None:
            self.status = made.run()

        self.thread = threading.Thread(target=run)
        self.thread.start()
        return made

    def wait_for(self, name: str, count: int = 1) -> tuple[int, int]:
        wait_until(lambda: len(self.starts(name)) >= count, PATIENCE, f"start {count} of {name}")
        return self.starts(name)[-1]

    def stop(self) -> None:
        if self.supervisor is not None and self.thread is not None:
            self.supervisor.stop()
            self.thread.join(PATIENCE)
            assert not self.thread.is_alive()

    def wait_for_the_end(self) -> int | None:
        assert self.thread is not None
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return self.status


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    try:
        yield made
    finally:
        made.stop()
        for file in tmp_path.iterdir():
            if file.name != "stopped":
                for pids in made.starts(file.name):
                    for pid in pids:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)


def test_a_stop_ends_everything_with_status_0(bench: Bench) -> None:
    bench.start(bench.child("one"), bench.child("two"))
    pids = [*bench.wait_for("one"), *bench.wait_for("two")]
    bench.stop()
    assert bench.status == 0
    assert sorted(bench.stopped()) == ["one", "two"]
    wait_until(lambda: not any(map(alive, pids)), what="the end of all")


def test_a_child_that_ends_is_started_again_and_what_it_left_is_killed(bench: Bench) -> None:
    died: list[int] = []
    bench.start(bench.child("one"), bench.child("two"), died=died.append)
    pid, left = bench.wait_for("one")
    other, _ = bench.wait_for("two")
    os.kill(pid, signal.SIGKILL)
    again, _ = bench.wait_for("one", 2)
    assert again != pid
    assert died == [pid]
    wait_until(lambda: not alive(left), what="the end of what it left")
    assert alive(other)
    assert len(bench.starts("two")) == 1


def test_each_further_restart_comes_later_up_to_a_longest_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor_module, "LATE", 0.03)
    child = Child("brief", ["/bin/sh", "-c", f"echo x >> {bench.folder / 'stopped'}; exit 3"])
    child.wait = 0.01
    bench.start(child)
    wait_until(lambda: len(bench.stopped()) >= 5, PATIENCE, "five starts")
    bench.stop()
    lines = [record.getMessage() for record in caplog.records if "started again" in record.getMessage()]
    assert lines[0] == "brief ended (status 3) and is started again in 0.0 s"
    assert child.wait == 0.03


def test_a_child_that_has_run_long_enough_is_started_again_soon(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "STABLE", 0.0)
    child = bench.child("one")
    child.wait = 500.0
    bench.start(child)
    os.kill(bench.wait_for("one")[0], signal.SIGKILL)
    bench.wait_for("one", 2)


def test_children_stop_in_order_each_after_those_before_have_ended(bench: Bench) -> None:
    bench.start(bench.child("broker", order=2), bench.child("worker", order=1), bench.child("gateway", order=0))
    for name in ("broker", "worker", "gateway"):
        bench.wait_for(name)
    bench.stop()
    assert bench.stopped() == ["gateway", "worker", "broker"]


def test_a_child_that_does_not_stop_is_killed_after_the_grace(bench: Bench) -> None:
    bench.start(bench.child("one", "stubborn"), grace=0.1)
    pids = bench.wait_for("one")
    bench.stop()
    wait_until(lambda: not any(map(alive, pids)), what="the end of both")
    assert bench.stopped() == []


def test_a_child_that_cannot_work_as_configured_ends_all(bench: Bench) -> None:
    bench.start(bench.child("one"), Child("broken", ["/bin/sh", "-c", f"exit {CONFIG_ERROR}"]))
    assert bench.wait_for_the_end() == CONFIG_ERROR
    assert not any(alive(pid) for pids in bench.starts("one") for pid in pids)


def test_a_child_is_ready_before_the_next_one_starts(bench: Bench) -> None:
    go, asked = threading.Event(), threading.Event()

    def ready() -> None:
        asked.set()
        assert go.wait(PATIENCE)

    bench.start(bench.child("one", ready=ready), bench.child("two"))
    assert asked.wait(PATIENCE)
    bench.wait_for("one")
    assert bench.starts("two") == []
    go.set()
    bench.wait_for("two")


def test_a_child_that_is_not_ready_at_the_start_ends_all(tmp_path: Path) -> None:
    def never() -> None:
        raise RuntimeError("not ready")

    bench = Bench(tmp_path)
    child = bench.child("one", ready=never)
    with pytest.raises(RuntimeError, match="not ready"):
        Supervisor([child]).run()
    assert child.process is not None
    assert not alive(child.process.pid)


def test_a_restarted_child_that_does_not_become_ready_does_not_run_twice(bench: Bench) -> None:
    calls: list[int] = []

    def ready() -> None:
        calls.append(1)
        bench.wait_for("one", len(calls))
        if len(calls) == 2:
            raise RuntimeError("not ready")

    bench.start(bench.child("one", ready=ready))
    os.kill(bench.wait_for("one")[0], signal.SIGKILL)
    bench.wait_for("one", 3)
    wait_until(lambda: sum(alive(pid) for pid, _ in bench.starts("one")) == 1, what="only the last one runs")
    assert alive(bench.starts("one")[-1][0])


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Supervisor([Child("one", [str(tmp_path / "nothing")])]).run()


def test_a_stop_during_the_wait_for_a_restart_starts_nothing(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    child = bench.child("one")
    child.wait = 500.0
    bench.start(child)
    os.kill(bench.wait_for("one")[0], signal.SIGKILL)
    wait_until(lambda: "started again" in caplog.text, PATIENCE, "the log")
    bench.stop()
    assert len(bench.starts("one")) == 1


def test_a_renewed_child_takes_its_place_when_the_old_one_has_ended(bench: Bench) -> None:
    died: list[int] = []
    supervisor = bench.start(
        bench.child("worker", renewable=True),
        bench.child("gone", renewable=True),
        bench.child("gateway"),
        died=died.append,
    )
    first, left = bench.wait_for("worker")
    gone, _ = bench.wait_for("gone")
    gateway, _ = bench.wait_for("gateway")
    supervisor.renew([bench.child("worker", "second", renewable=True), bench.child("fresh", renewable=True)])
    second, _ = bench.wait_for("worker", 2)
    bench.wait_for("fresh")
    wait_until(lambda: not any(map(alive, (first, left, gone))), PATIENCE, "the end of the old ones")
    assert alive(gateway)
    assert sorted(bench.stopped()) == ["gone", "worker"]
    assert len(bench.starts("gone")) == len(bench.starts("gateway")) == 1
    assert died == []  # they finished what they held
    assert "second" in Path(f"/proc/{second}/cmdline").read_text()
    bench.stop()
    assert bench.status == 0
    assert sorted(bench.stopped()) == ["fresh", "gateway", "gone", "worker", "worker"]


def test_a_child_that_is_renewed_and_does_not_stop_is_killed_after_the_grace(bench: Bench) -> None:
    died: list[int] = []
    supervisor = bench.start(bench.child("one", "stubborn", renewable=True), grace=0.1, died=died.append)
    pid, left = bench.wait_for("one")
    supervisor.renew([bench.child("one", renewable=True)])
    bench.wait_for("one", 2)
    assert died == [pid]
    wait_until(lambda: not any(map(alive, (pid, left))), PATIENCE, "the end of both")


def test_renewed_twice_at_once_the_last_one_runs(bench: Bench) -> None:
    supervisor = bench.start(bench.child("one", renewable=True))
    bench.wait_for("one")
    supervisor.renew([bench.child("one", "second", renewable=True)])
    supervisor.renew([bench.child("one", "third", renewable=True)])
    pid, _ = bench.wait_for("one", 2)
    if "third" not in Path(f"/proc/{pid}/cmdline").read_text():  # the second had started already
        pid, _ = bench.wait_for("one", 3)
    assert "third" in Path(f"/proc/{pid}/cmdline").read_text()
    wait_until(lambda: sum(alive(pid) for pid, _ in bench.starts("one")) == 1, PATIENCE, "only the last one runs")


def test_a_renewable_child_that_cannot_work_as_configured_waits_for_the_next(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Child("one", ["/bin/sh", "-c", f"exit {CONFIG_ERROR}"], renewable=True)
    supervisor = bench.start(bench.child("two"), broken)
    wait_until(lambda: "one cannot work as configured (see above): it waits for a change" in caplog.text, PATIENCE)
    other, _ = bench.wait_for("two")
    supervisor.renew([bench.child("one", renewable=True)])
    bench.wait_for("one")
    assert alive(other)


def test_a_renewed_child_that_waits_for_its_restart_is_not_started_twice(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    child = bench.child("one", renewable=True)
    child.wait = 0.3
    supervisor = bench.start(child)
    os.kill(bench.wait_for("one")[0], signal.SIGKILL)
    wait_until(lambda: "started again in 0.3 s" in caplog.text, PATIENCE, "the log")
    supervisor.renew([bench.child("one", "second", renewable=True)])
    bench.wait_for("one", 2)
    ended = threading.Event()
    threading.Timer(0.5, ended.set).start()  # past the restart that was planned
    assert ended.wait(PATIENCE)
    assert len(bench.starts("one")) == 2


PARENT = """
import sys
from dragoman.supervisor import Child, Supervisor
child = '''
import pathlib, signal, sys, os
from dragoman.supervisor import stop_with_parent
stop_with_parent()
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()} {os.getpid()}")
while True: signal.pause()
'''
Supervisor([Child("one", [sys.executable, "-c", child, sys.argv[1]])]).run()
"""


def test_a_supervised_process_ends_when_its_parent_is_killed(bench: Bench) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(bench.folder / "one")])
    try:
        pid, _ = bench.wait_for("one")
        assert alive(pid)
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not alive(pid), PATIENCE, "the end of the orphan")


def test_a_part_is_run_by_this_interpreter() -> None:
    assert python("router", "--supervised") == [sys.executable, "-m", "dragoman", "router", "--supervised"]


@pytest.mark.parametrize(
    ("status", "told"), [(0, "status 0"), (3, "status 3"), (-9, "killed by SIGKILL"), (-200, "killed by signal 200")]
)
def test_an_end_is_told_in_words(status: int, told: str) -> None:
    how: Callable[[int], str] = supervisor_module._how
    assert how(status) == told
