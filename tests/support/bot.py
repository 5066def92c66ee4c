"""A bot in a folder of its own, run as people run it: ``dragoman run`` in a process, with its parts as children."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dragoman_slack.simulator import SlackSimulator, Workspace

__all__ = ["ECHO", "RunningBot", "settings_for"]

#: A skill that answers with what it was told, so that each answer tells which message it is for.
ECHO = '''
import time

from dragoman import Context, Skill

skill = Skill("echo")
slow = Skill("slow")
burner = Skill("burner")
breaks = Skill("breaks", retries=2)


@skill.command()
def echo(text: str) -> str:
    """Say it again."""
    return f"echo {text}"


@slow.command()
def sleep(seconds: float = 60.0) -> str:
    """Take long."""
    time.sleep(seconds)
    return "awake"


@burner.command()
def burn(seconds: float = 60.0) -> str:
    """Use a whole core."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
    return "burnt"


@breaks.command()
def fail(ctx: Context) -> str:
    """Raise an error."""
    raise RuntimeError(f"attempt {ctx.attempt} failed")
'''


def settings_for(
    slack: SlackSimulator,
    workspaces: Mapping[str, Workspace],
    *,
    broker: str,
    name: str,
    skills: str = '"help", "dice"',
    more: str = "",
) -> str:
    """A ``dragoman.toml`` with an account for each workspace."""
    accounts = "".join(
        f'[accounts.{account}]\nplatform = "slack"\napi_url = "{slack.url}"\n'
        f'bot_token = "{workspace.app.bot_token}"\napp_token = "{workspace.app.app_token}"\n'
        for account, workspace in workspaces.items()
    )
    return f'[bot]\nname = "{name}"\nskills = [{skills}]\n[broker]\nurl = "{broker}"\n{more}\n{accounts}'


class RunningBot:
    """``with RunningBot(folder, toml) as bot``: started on entry, stopped on exit.

    Args:
        options: of ``dragoman run``.

    Attributes:
        log: the file with what its parts have logged.
    """

    def __init__(self, folder: Path, toml: str, skills: str = ECHO, options: Sequence[str] = ()) -> None:
        self.folder = folder
        self.config = folder / "dragoman.toml"
        self.config.write_text(toml)
        (folder / "skills").mkdir(exist_ok=True)
        (folder / "skills" / "echo.py").write_text(skills)
        self.options = options
        self.log = folder / "bot.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "RunningBot":
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dragoman", "--config", str(self.config), "run", *self.options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, timeout: float = 40.0) -> int:
        """SIGTERM, and wait for its end; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            for pid in [*self.parts().values(), self.process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL) if pid != self.process.pid else os.kill(pid, signal.SIGKILL)
            self.process.wait()
            raise

    def parts(self) -> dict[str, int]:
        """The parts that run now: gateway, router, broker, ``worker POOL``, by name, with their pids."""
        assert self.process is not None
        found: dict[str, int] = {}
        for pid in children_of(self.process.pid):
            words = command_of(pid)
            if any("valkey-server" in word or "redis-server" in word for word in words[:1]):
                found["broker"] = pid
            elif "worker" in words and "--pool" in words:
                found[f"worker {words[words.index('--pool') + 1]}"] = pid
            else:
                found.update({role: pid for role in ("gateway", "router") if role in words})
        return found

    def children(self, part: str) -> list[int]:
        """The pids of a part's own processes: those that a worker runs handlers in."""
        pid = self.parts().get(part)
        return [] if pid is None else children_of(pid)

    def kill(self, part: str, number: int = signal.SIGKILL) -> bool:
        """kill -9, or another signal; False if it is not running at the moment."""
        pid = self.parts().get(part)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    def logged(self) -> str:
        """All that its parts have logged."""
        return self.log.read_text(errors="replace")

    def wait_for_log(self, text: str, timeout: float = 20.0) -> None:
        """Until the text is in the log."""
        deadline = time.monotonic() + timeout
        while text not in self.logged():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} is not in the log:\n{self.logged()[-4000:]}")
            time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    """The pids of its children (of all of its threads)."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in task.read_text().split()]
    return found


def command_of(pid: int) -> list[str]:
    """Its command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []
