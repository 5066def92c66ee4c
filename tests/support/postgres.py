"""A private PostgreSQL server: own data, a Unix socket in a folder of its own, no TCP."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from support.servers import end, missing, wait_until


class PostgreSQL:
    """One server; `database` gives each test a database of its own."""

    def __init__(self) -> None:
        self.programs = _programs()
        self.home = Path(tempfile.mkdtemp(prefix="dragoman-postgres-"))
        self.data = self.home / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._user: str | None = None
        if os.getuid() == 0:  # PostgreSQL refuses to be root
            self._user = "postgres" if _exists("postgres") else "nobody"
            os.chown(self.home, pwd.getpwnam(self._user).pw_uid, -1)
        self.home.chmod(0o700)
        self._run(
            "initdb", "--pgdata", str(self.data), "--username", "dragoman", "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.home),
            # The data live as long as the tests: a crash of the machine may take them.
            "fsync": "off",
            "max_connections": "200",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self.home / "output").open("ab") as output:
            self._process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.data), *settings],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.home,
                user=self._user,
                process_group=0,
            )
        process = self._process
        wait_until(lambda: self._answers() or process.poll() is not None, 30.0, "PostgreSQL")
        if process.poll() is not None:
            raise AssertionError(f"PostgreSQL has ended:\n{(self.home / 'output').read_text()}")

    def stop(self) -> None:
        """Stop it without waiting for its clients."""
        if self._process is not None:
            end(self._process, signal.SIGINT)
            self._process = None

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            end(self._process, signal.SIGKILL)
            self._process = None
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def database(self) -> str:
        """A new, empty database: the part of a SQLAlchemy URL after the driver's name."""
        name = f"test_{next(self._numbers)}"
        self._run("createdb", "--host", str(self.home), "--username", "dragoman", name)
        return f"://dragoman@/{name}?host={self.home}"

    def remove(self) -> None:
        """Stop it and remove its data."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.programs / program), *arguments],
            cwd=self.home, user=self._user, capture_output=True, timeout=60, check=True,
        )  # fmt: skip

    def _answers(self) -> bool:
        asked = subprocess.run(
            [str(self.programs / "pg_isready"), "--host", str(self.home), "--quiet"], check=False, timeout=10
        )
        return asked.returncode == 0


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve())
    if not found:
        missing("PostgreSQL", "apt-get install postgresql")
    return found[-1].parent


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
