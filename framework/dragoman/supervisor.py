"""Runs processes and keeps them running: restarted with back-off, stopped cleanly, none left behind."""

import contextlib
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["CONFIG_ERROR", "Child", "Supervisor", "python", "stop_with_parent", "tell_ready"]

log = logging.getLogger(__name__)

#: The exit status of a process that would fail again in the same way (sysexits.h: EX_CONFIG).
CONFIG_ERROR: Final = 78
#: Seconds before a child is started again: the first time, and at most.
SOON, LATE = 0.1, 5.0
#: A child that has run for so many seconds has recovered.
STABLE: Final = 5.0


@dataclass
class Child:
    """A process to keep running.

    Attributes:
        ready: called after each start; returns once the child can be used by those that come after it.
        order: children stop in this order, lowest first; equal ones together.
        renewable: `Supervisor.renew` replaces it. One that cannot work as configured then waits for that,
            and the others go on.
        tells: whether it says itself when it is ready, with `tell_ready`.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], None] | None = None
    order: int = 0
    renewable: bool = False
    tells: bool = False
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    wait: float = field(default=SOON, init=False)
    #: Its standard input: it ends when we do, and what it says on it is that it is ready.
    link: "socket.socket | None" = field(default=None, init=False)
    told: bool = field(default=False, init=False)
    #: Whether it was told to end, and which one then takes its place.
    leaving: bool = field(default=False, init=False)
    successor: "Child | None" = field(default=None, init=False)


class Supervisor:
    """Keeps children running until it is told to stop.

    Args:
        died: called with the pid of each child that ended by itself.
        grace: seconds that children may take to stop before they are killed.
        ready: called once, when all have told that they are ready; from any thread.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        died: Callable[[int], None] = lambda pid: None,
        grace: float = 10.0,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = list(children)
        self._died = died
        self._grace = grace
        self._ready: Callable[[], None] | None = ready
        self._ended: queue.SimpleQueue[tuple[Child, subprocess.Popen[bytes]] | list[Child] | None]
        self._ended = queue.SimpleQueue()
        # A plain bool: `stop` is called by signal handlers, which may interrupt whoever holds a lock.
        self._stopping = False
        self._starting = threading.Lock()

    def run(self) -> int:
        """Start them all, in order; returns the exit status when all have been stopped."""
        status = 0
        try:
            for child in self._children:
                if self._stopping:
                    break
                self._start(child)
            while not self._stopping:
                ended = self._ended.get()
                if isinstance(ended, list):
                    self._renew(ended)
                elif ended is not None and not self._restart(*ended):
                    status = CONFIG_ERROR
                    break
        finally:
            self._stop_all()
        return status

    def stop(self) -> None:
        """May be called from a signal handler."""
        self._stopping = True
        self._ended.put(None)

    def end(self) -> None:
        """Kill them all, at once; may be called from a signal handler."""
        self._stopping = True
        for child in self._children:
            if child.process is not None:
                _kill_group(child.process.pid, signal.SIGKILL)
        self._ended.put(None)

    def renew(self, children: Sequence[Child]) -> None:
        """Put these in the place of all renewable children, each when the one of its name has ended; from any thread.

        Those that run get SIGTERM, finish what they hold, and are killed when they take longer than the grace.
        """
        self._ended.put(list(children))

    def _renew(self, children: list[Child]) -> None:
        named = {child.name: child for child in children}
        for child in [child for child in self._children if child.renewable]:
            child.successor = named.pop(child.name, None)
            with self._starting:  # a timer may be about to start it again
                left, child.leaving = child.leaving, True
                process = child.process
            if process is None:
                self._succeed(child)
            elif not left:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                threading.Thread(target=self._await_end, args=(process,), daemon=True).start()
        for child in named.values():
            self._children.append(child)
            self._start_again(child)

    def _await_end(self, process: "subprocess.Popen[bytes]") -> None:
        try:
            process.wait(self._grace)
        except subprocess.TimeoutExpired:
            if not self._stopping:
                log.warning("a process did not stop within %.0f s and is killed", self._grace)
                _kill_group(process.pid, signal.SIGKILL)

    def _succeed(self, child: Child) -> None:
        self._children.remove(child)
        if child.successor is not None:
            self._children.append(child.successor)
            self._start_again(child.successor)

    def _start(self, child: Child) -> None:
        with self._starting:  # `_stop_all` must not miss one that a timer starts at the same moment
            if self._stopping or child.leaving:
                return
            child.started_at = time.monotonic()
            # A session of its own: Ctrl-C reaches the supervisor only, and a whole group can be killed.
            # Its standard input is a socket of ours: it ends when we do, however we end (`stop_with_parent`).
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    process = subprocess.Popen(child.command, stdin=theirs.fileno(), start_new_session=True)
                except BaseException:
                    ours.close()
                    raise
            child.process, child.link = process, ours
        if child.tells and not child.told:
            threading.Thread(target=self._listen, args=(child, ours), daemon=True).start()
        threading.Thread(target=self._watch, args=(child, process), daemon=True).start()
        if child.ready is not None:
            child.ready()

    def _listen(self, child: Child, link: socket.socket) -> None:
        with contextlib.suppress(OSError):
            child.told = bool(link.recv(1)) or child.told
        with self._starting:
            ready = self._ready
            if ready is None or not all(child.told for child in self._children if child.tells):
                return
            self._ready = None
        ready()

    def _watch(self, child: Child, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        self._ended.put((child, process))

    def _restart(self, child: Child, process: "subprocess.Popen[bytes]") -> bool:
        """Start a child that has ended again; False if that would be of no use."""
        _kill_group(process.pid, signal.SIGKILL)  # what it has left behind
        _hang_up(child)
        child.process = None
        if child.leaving:
            if process.returncode:  # it did not finish what it held
                with contextlib.suppress(Exception):
                    self._died(process.pid)
            self._succeed(child)
            return True
        if process.returncode == CONFIG_ERROR and child.renewable:
            log.error("%s cannot work as configured (see above): it waits for a change", child.name)
            return True
        if process.returncode == CONFIG_ERROR:
            log.error("%s cannot work as configured (see above): stopping", child.name)
            return False
        if time.monotonic() - child.started_at > STABLE:
            child.wait = SOON
        log.warning("%s ended (%s) and is started again in %.1f s", child.name, _how(process.returncode), child.wait)
        with contextlib.suppress(Exception):
            self._died(process.pid)
        timer = threading.Timer(child.wait, self._start_again, (child,))
        timer.daemon = True
        timer.start()
        child.wait = min(child.wait * 2, LATE)
        return True

    def _start_again(self, child: Child) -> None:
        if not self._stopping:
            try:
                self._start(child)
            except Exception as error:
                log.error("%s cannot be started: %s", child.name, error)
                if child.process is not None:  # It runs, but is of no use: its end starts it again.
                    _kill_group(child.process.pid, signal.SIGKILL)
                    return
                child.wait = min(child.wait * 2, LATE)
                timer = threading.Timer(child.wait, self._start_again, (child,))
                timer.daemon = True
                timer.start()

    def _stop_all(self) -> None:
        with self._starting:
            self._stopping = True
        for order in sorted({child.order for child in self._children}):
            alive = [(c, c.process) for c in self._children if c.order == order and c.process is not None]
            for _, process in alive:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
            deadline = time.monotonic() + self._grace
            for child, process in alive:
                try:
                    process.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    log.warning("a process did not stop within %.0f s and is killed", self._grace)
                _kill_group(process.pid, signal.SIGKILL)
                process.wait()
                if process.returncode == -signal.SIGKILL:
                    # What it had under way is taken over at once by the next start.
                    with contextlib.suppress(Exception):
                        self._died(process.pid)
                _hang_up(child)


def stop_with_parent() -> None:
    """In a supervised process: end when the supervisor has, even if it was killed (standard input ends then)."""

    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="dragoman-parent", daemon=True).start()


def tell_ready() -> None:
    """In a supervised process: say that it does what it is for."""
    with contextlib.suppress(OSError):
        os.write(0, b"r")


def python(*arguments: str) -> list[str]:
    """The command that runs a part of Dragoman with this interpreter."""
    return [sys.executable, "-m", "dragoman", *arguments]


def _kill_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _hang_up(child: Child) -> None:
    link, child.link = child.link, None
    if link is not None:
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)  # wakes who listens
        link.close()


def _how(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
