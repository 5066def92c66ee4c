"""``dragoman queues``: for each queue, what waits at the broker and in the ledger, who takes from it, and its state."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from .errors import BrokerError
from .exchange.broker import Broker, Standing
from .manifest import SkillManifest
from .store.catalogue import Reader
from .store.controls import Control, read_controls
from .store.engine import reading
from .store.standing import Backlog, backlogs, workers

__all__ = ["Row", "list_queues", "show_queues"]


class Row(NamedTuple):
    """One of them.

    Attributes:
        queue: its name, or the beginning of the names of an account's partitions.
        kind: ``router``, ``skill``, ``deliver`` or ``dead``.
        name: of the skill or of the account.
        depth: messages at the broker that nobody has taken; ``None``: it cannot be reached.
        waiting: what the ledger has for it, what was fetched by a worker or waits for its next attempt included.
        running: runs under way.
        oldest: the age in seconds of the oldest that waits.
        rate: how much was done in a minute, over the last five.
        consumers: who takes from it; ``None``: that is not known.
        state: ``running``, ``paused``, ``draining``, or ``retired``: no worker has published it, but runs wait.
        why: the reason of the state.
        concurrency: runs at once in each worker, if somebody has said so.
        until: seconds until the circuit breaker tries a run.
    """

    queue: str
    kind: str
    name: str
    depth: int | None
    waiting: int
    running: int
    oldest: float | None
    rate: float
    consumers: int | None
    state: str = "running"
    why: str = ""
    concurrency: int | None = None
    until: float | None = None


def list_queues(engine: Engine, broker: Broker, accounts: Sequence[str]) -> tuple[list[Row], str]:
    """All of them, and what is wrong with the broker if it cannot be asked."""
    topology = broker.topology
    manifests = {manifest.name: manifest for manifest in Reader(engine).manifests}
    with reading(engine) as connection:
        controls, waiting, alive = read_controls(connection), backlogs(connection), workers(connection)
    skills = sorted({*manifests, *(name for kind, name in waiting if kind == "skill")})
    named = {("router", ""): [topology.router_queue().name]}
    named |= {("skill", name): [topology.skill_queue(name).name] for name in skills}
    for account in accounts:
        parts = [None, *range(topology.partitions)]
        named["deliver", account] = [topology.deliver_queue(account, part).name for part in parts]
    named["dead", ""] = [topology.dead_queue().name]
    problem = ""
    standing: dict[str, Standing] | None = None
    try:
        standing = broker.look(name for names in named.values() for name in names)
    except BrokerError as error:
        problem = str(error)
    rows = []
    for (kind, name), names in named.items():
        row = _row(kind, name, names, standing, waiting.get((kind, name), Backlog()))
        if kind == "skill":
            row = _skill(row, manifests.get(name), controls.get(name) or Control(name), alive)
        rows.append(row)
    return rows, problem


def _row(kind: str, name: str, names: list[str], standing: dict[str, Standing] | None, backlog: Backlog) -> Row:
    found = [standing[each] for each in names] if standing is not None else []
    known = [each.consumers for each in found if each.consumers is not None]
    return Row(
        names[0],
        kind,
        name,
        sum(each.depth for each in found) if standing is not None else None,
        backlog.waiting,
        backlog.running,
        max(0.0, time.time() - backlog.since) if backlog.since is not None else None,
        backlog.rate,
        sum(known) if known else None,
    )


def _skill(row: Row, manifest: SkillManifest | None, control: Control, alive: dict[str, int]) -> Row:
    state: str = control.state
    why = control.reason
    if manifest is None:
        state, why = "retired", "no worker serves it any more"
    if row.consumers is None and manifest is not None:
        # Redis does not know; but a worker's heart beats in the store.
        row = row._replace(
            consumers=sum(alive.get(f"worker.{role}", 0) for role in {manifest.pool, row.name, "celery"})
        )
    left = max(0.0, control.until - time.time()) if control.until is not None else None
    return row._replace(state=state, why=why, concurrency=control.concurrency, until=left)


def show_queues(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print them as a table that fits."""
    out = console or Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("queue", no_wrap=True)
    for title in ("depth", "waiting", "running", "oldest", "per min", "consumers"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("why", overflow="fold")
    for row in rows:
        why = [row.why] if row.why else []
        why += [f"one is tried in {_age(row.until)}"] if row.until is not None else []
        why += [f"{row.concurrency} at once"] if row.concurrency is not None else []
        table.add_row(
            f"{row.kind} {row.name}".rstrip(),
            "?" if row.depth is None else str(row.depth),
            str(row.waiting),
            str(row.running),
            "" if row.oldest is None else _age(row.oldest),
            f"{row.rate:.1f}",
            "" if row.consumers is None else str(row.consumers),
            Text(row.state, "" if row.state == "running" else "yellow"),
            "; ".join(why),
        )
    out.print(table)


def _age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
