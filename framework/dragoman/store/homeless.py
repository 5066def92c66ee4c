"""Runs that came to a worker whose version of the skill does not have their handler: they are passed on."""

import json
import time
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from .schema import manifests, runs

__all__ = ["PATIENCE", "Homeless", "PassedOn", "pass_on"]

#: Seconds after which such a run is given up, if the version of its skill that is published does not have it either.
PATIENCE: Final = 600.0
#: Seconds until it is published again, for whoever takes it then: at first, and at most.
WAITS: Final = (1.0, 30.0)


class PassedOn(NamedTuple):
    """What became of it.

    Attributes:
        outcome: ``first`` and ``again``: it was passed on. ``claim``: claim it, since it is to be given up or the
            ledger does not know it. ``done``: nothing is to be done, such as when somebody is running it.
        wait: seconds until it is published again, if it is.
    """

    outcome: Literal["first", "again", "claim", "done"]
    wait: float = 0.0


class Homeless(NamedTuple):
    """Such a run."""

    run: str
    skill: str
    handler: str


def pass_on(connection: Connection, items: Sequence[Homeless]) -> list[PassedOn]:
    """Let them be published again soon, for a worker that has the handler. No attempt is counted."""
    now = time.time()
    found = {
        row.id: row
        for row in connection.execute(
            select(runs.c.id, runs.c.state, runs.c.homeless_since)
            .where(runs.c.id.in_({item.run for item in items}))
            .order_by(runs.c.id)  # as everybody locks them
            .with_for_update()
        )
    }
    outcomes: list[PassedOn] = []
    changes: dict[str, dict[str, Any]] = {}
    for item in items:
        row = found.get(item.run)
        if row is None:
            outcomes.append(PassedOn("claim"))
        elif row.state != "queued":
            outcomes.append(PassedOn("done"))
        elif row.homeless_since is None:
            changes[item.run] = {"b_id": item.run, "since": now, "due": now + WAITS[0]}
            outcomes.append(PassedOn("first", WAITS[0]))
        elif (age := now - row.homeless_since) > PATIENCE and not _published(connection, item):
            outcomes.append(PassedOn("claim"))
        else:
            wait = min(max(age / 2, WAITS[0]), WAITS[1])
            changes[item.run] = {"b_id": item.run, "since": row.homeless_since, "due": now + wait}
            outcomes.append(PassedOn("again", wait))
    if changes:
        connection.execute(
            update(runs)
            .where(runs.c.id == bindparam("b_id"))
            # As if it had not been published: the sweeper does it when it is due, however long the queue is.
            .values(homeless_since=bindparam("since"), due_at=bindparam("due"), publishes=0),
            list(changes.values()),
        )
    return outcomes


def _published(connection: Connection, item: Homeless) -> bool:
    """Whether the skill has the handler in the version that is published."""
    body = connection.execute(select(manifests.c.body).where(manifests.c.skill == item.skill)).scalar()
    handlers = json.loads(body).get("handlers", []) if body else []
    return any(handler.get("name") == item.handler for handler in handlers)
