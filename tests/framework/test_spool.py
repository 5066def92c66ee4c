"""The spool: what is safe on the disk is still there after a kill -9, in order, and nothing else is said to be."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.spool import Spool, SpoolError

LIMIT = 1_000_000

#: Adds entries and prints those that are safe, until it is killed.
WRITER = """
import sys
from pathlib import Path
from dragoman.spool import Spool

spool = Spool("guild", Path(sys.argv[1]), 10_000_000)
spool.open()
number = 0
while True:
    batch = []
    for _ in range(7):
        batch.append((number, spool.submit(b'{"n": %d}' % number)))
        number += 1
    for each, future in batch:
        future.result(10)
        print(each, flush=True)
"""


def spool(folder: Path, limit: int = LIMIT) -> Spool:
    found = Spool("guild", folder, limit)
    found.open()
    return found


def add(to: Spool, *entries: bytes) -> None:
    for future in [to.submit(entry, "the disk is full") for entry in entries]:
        future.result(10)


def all_of(of: Spool) -> list[bytes]:
    """Take everything, as if the ledger took it."""
    found: list[bytes] = []
    while of.holding:
        entries = of.take()
        assert entries is not None
        found += entries
        of.drop()
    return found


def test_what_was_added_comes_out_in_order_and_then_it_is_empty(tmp_path: Path) -> None:
    here = spool(tmp_path / "guild")
    assert not here.holding
    add(here, *(b"%d" % n for n in range(1200)))
    assert here.holding
    assert all_of(here) == [b"%d" % n for n in range(1200)]
    assert not here.holding
    assert list((tmp_path / "guild").iterdir()) == []
    here.close()


def test_the_next_process_finds_what_was_left_and_what_comes_queues_behind_it(tmp_path: Path) -> None:
    first = spool(tmp_path)
    add(first, b"1", b"2")
    first.close()
    second = spool(tmp_path)
    assert second.holding
    add(second, b"3")
    assert all_of(second) == [b"1", b"2", b"3"]
    second.close()


def test_what_was_taken_but_not_dropped_comes_again(tmp_path: Path) -> None:
    first = spool(tmp_path)
    add(first, b"1", b"2")
    assert first.take() == [b"1", b"2"]
    first.close()
    second = spool(tmp_path)
    assert all_of(second) == [b"1", b"2"]
    second.close()


def test_half_a_last_line_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = spool(tmp_path)
    add(first, b"1", b"2")
    first.close()
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes() + b'{"half')
    second = spool(tmp_path)
    assert "only half there" in caplog.text
    add(second, b"3")
    assert all_of(second) == [b"1", b"2", b"3"]
    second.close()


def test_a_full_spool_says_so_once_and_how_many_were_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    here = spool(tmp_path, 50)
    add(here, b"x" * 40)
    for _ in range(3):
        with pytest.raises(SpoolError, match="full"):
            add(here, b"y" * 20)
    assert caplog.text.count("from now on") == 1
    assert all_of(here) == [b"x" * 40]
    assert "3 events were refused" in caplog.text
    add(here, b"z")  # there is room again
    here.close()


def test_the_limit_is_of_what_waits_and_not_of_what_ever_came(tmp_path: Path) -> None:
    here = spool(tmp_path, 1000)
    add(here, b"first" * 100)
    for n in range(50):
        add(here, b"%03d" % n * 50)
        taken = here.take()
        assert taken is not None
        assert len(taken) == 1
        here.drop()
    assert here.holding
    here.close()


def test_a_disk_that_takes_nothing_refuses_and_what_was_safe_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = spool(tmp_path)
    add(here, b"1")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(SpoolError, match="No space left"):
            add(here, b"2")
    add(here, b"3")
    assert all_of(here) == [b"1", b"3"]
    assert "cannot be written" in caplog.text
    here.close()


def test_two_gateways_share_a_folder_and_read_only_their_own(tmp_path: Path) -> None:
    one = spool(tmp_path)
    add(one, b"1")
    two = spool(tmp_path)
    assert not two.holding
    add(two, b"2")
    assert all_of(two) == [b"2"]
    assert all_of(one) == [b"1"]
    one.close()
    two.close()


def test_closing_wakes_who_waits_and_refuses_what_comes(tmp_path: Path) -> None:
    here = spool(tmp_path)
    found: list[object] = []
    waiting = threading.Thread(target=lambda: found.append(here.take()))
    waiting.start()
    here.close()
    waiting.join(10)
    assert found == [None]
    with pytest.raises(SpoolError, match="closed"):
        add(here, b"1")


def test_what_was_said_to_be_safe_survives_a_kill(tmp_path: Path) -> None:
    safe: list[int] = []
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            safe.append(int(line))
            if len(safe) == 500:
                writer.send_signal(signal.SIGKILL)
                break
        safe += [int(line) for line in writer.stdout.read().split("\n")[:-1]]
    here = spool(tmp_path)
    found = all_of(here)
    here.close()
    assert found[: len(safe)] == [b'{"n": %d}' % n for n in safe]


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.one_of(st.binary(min_size=1, max_size=30).map(lambda b: b.hex().encode()), st.just(None))))
def test_whatever_happens_the_order_is_kept(
    tmp_path_factory: pytest.TempPathFactory, steps: list[bytes | None]
) -> None:
    """An entry is added, or (none) what there is goes into the ledger and another process goes on."""
    folder = tmp_path_factory.mktemp("spool")
    here, found = spool(folder, 400), list[bytes]()
    wanted: list[bytes] = []
    for step in steps:
        if step is None:
            if here.holding:
                taken = here.take()
                assert taken
                found += taken
                here.drop()
            here.close()
            here = spool(folder, 400)
            continue
        try:
            add(here, step)
            wanted.append(step)
        except SpoolError:
            found += all_of(here)
    found += all_of(here)
    here.close()
    assert list(dict.fromkeys(found)) == list(dict.fromkeys(wanted))
    assert set(found) == set(wanted)
