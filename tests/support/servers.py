"""Starting and ending server processes for tests."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from typing import NoReturn

import pytest


def free_port() -> int:
    """A TCP port on the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def missing(what: str, install: str) -> NoReturn:
    """Skip for want of ``what``, or fail where everything must be there (in CI)."""
    text = f"no {what}: install it with `{install}`"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(f"{text}; in CI nothing may be missing", pytrace=False)
    pytest.skip(text)


def wait_until(condition: Callable[[], object], timeout: float = 10.0, what: str = "") -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what or condition}")
        time.sleep(0.005)


def listens(port: int) -> bool:
    """Whether something accepts connections on that port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def end(process: "subprocess.Popen[bytes]", number: int = signal.SIGTERM, timeout: float = 20.0) -> None:
    """Signal a process that leads its own group, wait for it, and leave nothing of the group behind."""
    group = process.pid
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
