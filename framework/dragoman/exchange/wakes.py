"""Wakes a thread that waits for sockets."""

import contextlib
import os
import threading

__all__ = ["Waker"]


class Waker:
    """A pipe that a selector can wait for; `wake` may be called from any thread."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._closed = False
        #: A closed descriptor's number is soon somebody else's.
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """What to wait for."""
        return self._reader

    def wake(self) -> None:
        """End the wait, now or when it begins."""
        with self._lock, contextlib.suppress(BlockingIOError):  # full: it is awake already
            if not self._closed:
                os.write(self._writer, b"w")

    def clear(self) -> None:
        """Be ready for the next."""
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._reader, 4096)) == 4096:
                pass

    def close(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self._writer)
                os.close(self._reader)
