"""Who is alive. A run belongs to its owner only while the owner's heart beats."""

import os
import socket
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .schema import processes, runs, serving

__all__ = ["BEAT", "DEAD", "Process", "alive", "beat", "bury", "forget"]

#: Seconds between two beats.
BEAT: Final = 2.0
#: A process that has not beaten for so many seconds is dead: its runs are given to others.
DEAD: Final = 10.0


@dataclass(frozen=True)
class Process:
    """This process (or, in tests, one of several that share it)."""

    role: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)


def beat(connection: Connection, process: Process) -> None:
    """Say that it is alive."""
    now = time.time()
    statement = sqlite.insert(processes) if connection.dialect.name == "sqlite" else postgresql.insert(processes)
    connection.execute(
        statement.values(
            id=process.id, role=process.role, host=process.host, pid=process.pid, started_at=now, beat_at=now
        ).on_conflict_do_update(index_elements=["id"], set_={"beat_at": now})
    )


def alive(connection: Connection) -> frozenset[str]:
    """The ids of the processes whose heart beats."""
    found = select(processes.c.id).where(processes.c.beat_at > time.time() - DEAD)
    return frozenset(connection.execute(found).scalars())


def forget(connection: Connection, process: Process) -> None:
    """It ends in an orderly way, and hands back the runs that it did not finish."""
    connection.execute(
        update(runs)
        .where(runs.c.state == "running", runs.c.owner == process.id)
        # It had begun, so the next attempt is told; but no worker was lost, however often a bot is deployed.
        .values(
            state="queued",
            owner=None,
            earlier=func.coalesce(runs.c.earlier, 0) + 1,
            due_at=time.time(),
            publishes=0,
        )
    )
    connection.execute(delete(serving).where(serving.c.process == process.id))
    connection.execute(delete(processes).where(processes.c.id == process.id))


def bury(connection: Connection, pid: int, host: str | None = None) -> None:
    """A parent saw this process of its own machine die: nobody needs to wait for its heart to be missed."""
    connection.execute(
        update(processes)
        .where(processes.c.pid == pid, processes.c.host == (host or socket.gethostname()))
        .values(beat_at=0.0)
    )
