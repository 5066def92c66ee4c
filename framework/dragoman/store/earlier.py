"""What is still to be said before something: the broker may bring the second before the first."""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Integer, bindparam, select

from .. import wire
from ..action import Action
from ..errors import WireError
from .ledger import Known, look_up
from .schema import actions

__all__ = ["earlier", "postponed"]

#: Actions that wait for another try, at most so many of which are found.
MOST: Final = 5000

BEFORE_IN_RUN: Final = (
    select(actions.c.key, actions.c.run, actions.c.ordinal, actions.c.account, actions.c.body)
    .where(actions.c.run.in_(bindparam("runs", expanding=True)), actions.c.state == "pending")
    .order_by(actions.c.run, actions.c.ordinal)
)
_later: Final = actions.alias("later")
#: The runs of a line come one after another, and so do the times at which their answers were written.
BEFORE_IN_LINE: Final = (
    select(_later.c.key.label("later"), actions.c.key, actions.c.account, actions.c.body)
    .where(
        _later.c.key.in_(bindparam("keys", expanding=True)),
        actions.c.line == _later.c.line,
        actions.c.created_at < _later.c.created_at,
        actions.c.state == "pending",
        actions.c.due_at.is_not(None),
    )
    .order_by(actions.c.created_at, actions.c.run, actions.c.ordinal)
)
#: What was tried and has to be tried again: it is in no queue.
POSTPONED: Final = (
    select(actions.c.key, actions.c.body)
    .where(
        actions.c.due_at.is_not(None),
        actions.c.state == "pending",
        actions.c.publishes == 0,
        actions.c.account == bindparam("account"),
    )
    .order_by(actions.c.created_at, actions.c.run, actions.c.ordinal)
    .limit(bindparam("most", type_=Integer))
)


def earlier(
    connection: Connection, found: Sequence[Action], accounts: Collection[str]
) -> tuple[Mapping[str, Known], Mapping[str, Sequence[Action]]]:
    """What is known of these actions, by key, and for each what its run or its line has to say before it.

    Args:
        accounts: other accounts are other gateways' to answer for.
    """
    here = {action.key for action in found}
    before: dict[str, list[Action]] = {}

    def add(key: str, row: Any) -> None:
        if row.key not in here and row.account in accounts:
            before.setdefault(key, []).append(_again(row.body))

    known = look_up(connection, here)
    if lined := [key for key, of in known.items() if of.line is not None]:
        for row in connection.execute(BEFORE_IN_LINE, {"keys": lined}):
            add(row.later, row)
    if later := {action.run: action for action in found if action.ordinal > 0 and action.run}:
        for each in connection.execute(BEFORE_IN_RUN, {"runs": list(later)}).all():
            for action in found:
                if each.run == action.run and each.ordinal < action.ordinal:
                    add(action.key, each)
    return known, before


def postponed(connection: Connection, accounts: Collection[str], most: int = MOST) -> list[Action]:
    """What was tried in these accounts and has to be tried again, in order."""
    found = []
    for account in accounts:
        for row in connection.execute(POSTPONED, {"account": account, "most": most}):
            with contextlib.suppress(WireError):  # a newer Dragoman's
                found.append(_again(row.body))
    return found


def _again(body: str) -> Action:
    return wire.decode_action(body).model_copy(update={"again": True})
