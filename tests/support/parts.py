"""The parts of a bot as processes of their own, as several machines run them: gateway, router, workers."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from support.bot import ECHO
from support.servers import wait_until

__all__ = ["PARTS", "SeparateParts"]

PARTS = {"router": ["router"], "worker": ["worker", "--pool", "default"], "gateway": ["gateway"]}


class SeparateParts:
    """``with SeparateParts(folder, toml) as parts``: started on entry, ended on exit.

    Args:
        ports: where parts tell how they are.

    Attributes:
        log: the file with what they have logged.
    """

    def __init__(
        self, folder: Path, toml: str, skills: str = ECHO, ports: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self.config = folder / "dragoman.toml"
        self.config.write_text(toml)
        (folder / "skills").mkdir(exist_ok=True)
        (folder / "skills" / "echo.py").write_text(skills)
        self.log = folder / "parts.log"
        self.ports = ports
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "SeparateParts":
        for part in PARTS:
            self.start(part)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        for process in self.running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()

    def start(self, part: str, name: str = "") -> None:
        """Start one; a second one of a part has a name of its own."""
        words = [*PARTS[part], *(["--watch-port", str(self.ports[part])] if part in self.ports else [])]
        with self.log.open("ab") as log:
            self.running[name or part] = subprocess.Popen(
                [sys.executable, "-m", "dragoman", "--config", str(self.config), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def stop(self, part: str, number: int = signal.SIGTERM) -> tuple[int, float]:
        """End one; its exit status, and the seconds that it took."""
        process, began = self.running.pop(part), time.monotonic()
        process.send_signal(number)
        return process.wait(60), time.monotonic() - began

    def roll_over(self, part: str) -> tuple[int, float]:
        """Stop one and start it again."""
        ended = self.stop(part)
        self.start(part)
        return ended

    def kill(self, part: str) -> None:
        """kill -9."""
        assert self.stop(part, signal.SIGKILL)[0] == -signal.SIGKILL

    def wait_for_skill(self, name: str) -> None:
        """Until the router routes to a skill."""
        wait_until(lambda: any(name in line for line in self.logged().split("\n") if "routing to" in line), 60.0, name)

    def logged(self) -> str:
        """All that they have logged."""
        return self.log.read_text(errors="replace")
