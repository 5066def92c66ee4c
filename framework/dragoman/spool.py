"""A spool: events on the gateway's own disk while the ledger is away. For what a platform offers only once.

A folder for each account, with files of one JSON event a line, oldest file first. A file is only added to, and what is
in it has been written to the disk (``fsync``) before anybody is told that it is safe. It is removed when all of it is
in the ledger; if the process is killed before that, the next one reads it again, and the ledger knows by their keys
what it has already. Each file is locked by the process that reads or writes it, so that several gateways may share a
folder.
"""

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from .errors import DragomanError

__all__ = ["Spool", "SpoolError"]

log = logging.getLogger(__name__)

SUFFIX: Final = ".jsonl"
#: A new file is begun when one is so large a part of the limit: what is done with is given back piece by piece.
PART: Final = 8
#: Entries that are written, or taken, at once.
MOST: Final = 500


class SpoolError(DragomanError):
    """An event could not be spooled: the spool is full or closed, or the disk does not take it."""


@dataclass(slots=True)
class _File:
    """One file of a spool.

    Attributes:
        end: bytes that are safe on the disk.
        read: bytes that are in the ledger.
    """

    path: Path
    handle: BinaryIO
    end: int = 0
    read: int = 0


class Spool:
    """What waits for the ledger, of one account; used from any thread.

    Args:
        folder: its own; made when it is needed.
        limit: bytes that may wait.
    """

    def __init__(self, account: str, folder: Path, limit: int) -> None:
        self._account = account
        self._folder = folder
        self._limit = limit
        self._changed = threading.Condition()
        self._files: deque[_File] = deque()
        self._waiting: deque[tuple[bytes, Future[None]]] = deque()
        self._own: _File | None = None
        self._bytes = 0
        self._taken: tuple[_File, int, int] | None = None
        self._entries = 0
        self._refused = 0
        self._closed = False
        self._writer: threading.Thread | None = None

    def open(self) -> None:
        """Find what earlier processes have left."""
        found = sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda path: path.name) if self._folder.is_dir() else []
        for path in found:
            if (file := self._reopen(path)) is not None:
                self._files.append(file)
                self._bytes += file.end
        if self._files:
            log.warning(
                "%s: %d bytes of events wait in the spool %s since an earlier run; they go into the ledger first",
                self._account,
                self._bytes,
                self._folder,
            )

    @property
    def holding(self) -> bool:
        """Whether something waits: then whatever comes now has to queue behind it."""
        return bool(self._files or self._waiting)

    def submit(self, entry: bytes, why: object = "") -> "Future[None]":
        """Add an entry, without line breaks; the future ends when it is safe on the disk.

        It ends with a `SpoolError` if the spool is full or closed, or the disk does not take it.

        Args:
            why: what keeps the ledger from taking it; said once.
        """
        future: Future[None] = Future()
        size = len(entry) + 1
        with self._changed:
            full = self._bytes + size > self._limit
            if self._closed:
                future.set_exception(SpoolError("the spool is closed: this process is stopping"))
                return future
            if full:
                self._refuse(f"is full ({self._bytes} of {self._limit} bytes); set a larger [run] spool")
                future.set_exception(SpoolError(f"the spool {self._folder} is full"))
                return future
            if not self.holding and not self._refused:
                log.error(
                    "%s: the ledger cannot be written (%s): events wait in the spool %s until it can",
                    self._account,
                    str(why).partition("\n")[0],
                    self._folder,
                )
            self._bytes += size
            self._waiting.append((entry, future))
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="dragoman-spool", daemon=True)
                self._writer.start()
            self._changed.notify_all()
        return future

    def take(self) -> list[bytes] | None:
        """The eldest entries, in order; waits until there are some. ``None``: the spool was closed."""
        with self._changed:
            while not self._closed and not (self._files and self._files[0].read < self._files[0].end):
                if self._finish():
                    continue
                self._changed.wait()
            if self._closed:
                return None
            file = self._files[0]
            found = os.pread(file.handle.fileno(), min(file.end - file.read, 4_000_000), file.read)
            lines = found[: found.rindex(b"\n")].split(b"\n")[:MOST]
            self._taken = (file, sum(len(line) + 1 for line in lines), len(lines))
            return lines

    def drop(self) -> None:
        """What was taken last is in the ledger."""
        with self._changed:
            assert self._taken is not None, "nothing was taken"
            file, size, count = self._taken
            self._taken = None
            file.read += size
            self._entries += count
            self._finish()

    def close(self) -> None:
        """Write down what waits; it and the rest stay for the next process."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._writer is not None:
            self._writer.join()
        with self._changed:
            for file in self._files:
                file.handle.close()
        if self._files:
            log.warning("%s: %d bytes of events stay in the spool %s", self._account, self._bytes, self._folder)

    def _finish(self) -> bool:
        """Remove the first file if it is done with; whether it was."""
        if not self._files or self._files[0].read < self._files[0].end:
            return False
        if self._files[0] is self._own and self._waiting:
            return False
        file = self._files.popleft()
        self._bytes -= file.end
        if file is self._own:
            self._own = None
        with contextlib.suppress(OSError):
            file.path.unlink()
        file.handle.close()
        if not self.holding:
            if self._refused:
                log.error("%s: %d events were refused while the spool was full", self._account, self._refused)
            log.warning("%s: what waited in the spool is in the ledger (%d events)", self._account, self._entries)
            self._entries = self._refused = 0
        return True

    def _refuse(self, why: str, count: int = 1) -> None:
        if not self._refused:
            log.error("%s: the spool %s %s: events are refused from now on", self._account, self._folder, why)
        self._refused += count

    def _write(self) -> None:
        """The writer's thread: what waits together is written together."""
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return
                batch = list(islice(self._waiting, MOST))
            data = b"".join(entry + b"\n" for entry, _ in batch)
            error: OSError | None = None
            try:
                file = self._append(data)
            except OSError as failed:
                error = failed
            with self._changed:
                for _ in batch:
                    self._waiting.popleft()
                if error is None:
                    file.end += len(data)
                else:
                    self._bytes -= len(data)
                    self._refuse(f"cannot be written ({error})", len(batch))
                self._changed.notify_all()
            for _, future in batch:
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(SpoolError(f"the spool {self._folder} cannot be written: {error}"))

    def _append(self, data: bytes) -> _File:
        """Raises OSError; then nothing of it is there."""
        with self._changed:
            file = self._own
            if file is None or file.end > self._limit // PART:
                file = self._own = self._begin()
                self._files.append(file)
        try:
            _write_all(file.handle.fileno(), data, file.end)
            os.fsync(file.handle.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file.handle.fileno(), file.end)
            raise
        return file

    def _begin(self) -> _File:
        # What people said is in there: nobody else's to read.
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{time.time_ns()}-{os.getpid()}{SUFFIX}"
        handle = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+b", buffering=0)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # its name, too, has to survive a power cut
        finally:
            os.close(folder)
        return _File(path, handle)

    def _reopen(self, path: Path) -> _File | None:
        """A file of an earlier process; ``None`` if it is another's, or empty."""
        try:
            handle = path.open("r+b", buffering=0)
        except OSError as error:
            log.error("%s: %s in the spool cannot be read: %s", self._account, path, error)
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return None
        data = handle.read()
        end = data.rfind(b"\n") + 1
        if end < len(data):
            log.warning(
                "%s: the last line of %s is only half there: the process was killed while it wrote it, and had not "
                "taken that event",
                self._account,
                path,
            )
        if not end:
            path.unlink(missing_ok=True)
            handle.close()
            return None
        return _File(path, handle, end)


def _write_all(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written
