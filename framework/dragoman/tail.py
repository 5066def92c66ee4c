"""The traffic of a bot as it happens: ``dragoman tail``. It looks into the ledger, so it works with every broker."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from .store.engine import reading
from .store.history import latest, newest, rows_of
from .store.schema import actions, events, runs

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Step", "Tail", "shown"]

#: What is shown of one thing: ``time`` (unix seconds), ``what``, ``id`` and the rest.
Step = dict[str, Any]

#: Rows of a table that are read at once, and that are followed until they are done.
MOST: Final = 500
FOLLOWED: Final = 5000
#: States in which nothing more will happen.
ENDS: Final = {"routed", "done", "parked", "skipped", "sent"}


class Tail:
    """Looks again and again; each step is told once.

    Args:
        account, skill, kind: only what is of these.
    """

    def __init__(
        self, engine: "Engine", *, account: str | None = None, skill: str | None = None, kind: str | None = None
    ) -> None:
        self._engine = engine
        self._account, self._skill, self._kind = account, skill, kind
        self._since: dict[str, float] = {}
        #: By the primary key of what is not done yet, or was found lately: the state that was told.
        self._told: dict[str, dict[str, str]] = {table.name: {} for table in (events, runs, actions)}
        with reading(engine) as connection:
            for table in (events, runs, actions):
                self._since[table.name] = newest(connection, table)

    def look(self) -> list[Step]:
        """What has happened since the last look, in order."""
        steps: list[Step] = []
        with reading(self._engine) as connection:
            for table in (events, runs, actions):
                told = self._told[table.name]
                fresh, self._since[table.name] = latest(connection, table, self._since[table.name], MOST)
                open_ones = [id for id, state in told.items() if state not in ENDS]
                (key,) = (column.name for column in table.primary_key.columns)
                for row in [*fresh, *rows_of(connection, table, open_ones[-FOLLOWED:])]:
                    id = getattr(row, key)
                    if (before := told.get(id)) != row.state:
                        told[id] = row.state
                        steps += self._steps(table.name, row, before)
                for id in list(told)[: max(0, len(told) - 2 * FOLLOWED)]:
                    del told[id]
        return sorted(filter(self._wanted, steps), key=lambda step: step["time"])

    def _wanted(self, step: Step) -> bool:
        return all(
            wanted is None or step.get(name) == wanted
            for name, wanted in (("account", self._account), ("skill", self._skill), ("kind", self._kind))
        )

    def _steps(self, table: str, row: Any, before: str | None) -> Iterator[Step]:
        if table == "events":
            yield from _of_event(row, before)
        elif table == "runs":
            yield from _of_run(row, before)
        else:
            yield from _of_action(row, before)


def _of_event(row: Any, before: str | None) -> Iterator[Step]:
    body = json.loads(row.body)
    about = {"id": row.key, "account": row.account, "kind": body.get("kind", "?"), "trace": body.get("traceparent", "")}
    if before is None:
        yield {"time": row.received_at, "what": "received", **about}
    if row.state == "parked":
        yield {"time": row.parked_at or row.received_at, "what": "parked", **about, "error": row.error or ""}


def _of_run(row: Any, before: str | None) -> Iterator[Step]:
    account = row.event_key.split("/")[2] if row.event_key.count("/") > 2 else ""
    about = {"id": row.id, "account": account, "skill": row.skill, "handler": row.handler, "event": row.event_key}
    if before is None:
        yield {"time": row.created_at, "what": "queued", **about}
    if row.state in ("done", "parked", "skipped"):
        at = row.finished_at or row.created_at
        step = {"time": at, "what": row.state, **about, "seconds": round(at - row.created_at, 4)}
        yield {**step, "error": row.error} if row.error and row.state != "done" else step


def _of_action(row: Any, before: str | None) -> Iterator[Step]:
    body = json.loads(row.body)
    event, handler = [*row.key.split("|"), "", ""][:2]
    hops = body.get("hops") or []
    about = {
        "id": row.key,
        "account": row.account,
        "kind": body.get("kind", "?"),
        "skill": "" if handler == "router" else handler.partition(".")[0],
        "event": event,
    }
    if row.state == "sent":
        began = hops[0][1] if hops and hops[0][0] == "gateway" else row.created_at
        yield {"time": row.sent_at, "what": "sent", **about, "seconds": round(row.sent_at - began, 4)}
    elif row.state == "parked":
        yield {"time": row.parked_at or row.created_at, "what": "refused", **about, "error": row.error or ""}
    elif before is None:
        yield {"time": row.created_at, "what": "to send", **about}


def shown(step: Step) -> str:
    """A step as a line for people: the time, what happened, to what, and how long that took."""
    at = datetime.fromtimestamp(step["time"]).strftime("%H:%M:%S.%f")[:-3]
    name = f"{step['skill']}.{step['handler']}" if "handler" in step else step.get("kind", "")
    short = step["id"][:8].upper() if "handler" in step else step["id"].rpartition("/")[2]
    took = f"  {step['seconds'] * 1000:.0f} ms" if "seconds" in step else ""
    error = f"  {' '.join(step['error'].split())[:120]}" if step.get("error") else ""
    return f"{at}  {step['what']:<9} {step['account']:<10} {name:<20} {short}{took}{error}"
