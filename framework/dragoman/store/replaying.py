"""Dead letters put back, or thrown away. Only the ledger is written: the sweeper publishes what is due.

Nothing is said twice by it: what a run has said keeps its keys, and what has left is not sent again.
"""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from .. import wire
from ..errors import DragomanError, WireError
from ..manifest import SkillManifest
from ..task import run_id
from .dead import DeadLetter
from .fitting import storable
from .lines import line, positions
from .schema import actions, events, runs, strays

__all__ = ["NotReplayable", "Replayed", "drop", "replay"]

DROPPED: Final = "dropped by an operator"


class NotReplayable(DragomanError):
    """A dead letter that cannot be put back; the message says why."""


class Replayed(NamedTuple):
    """How many were put back, and why others could not be. What somebody else has put back meanwhile is neither."""

    replayed: int
    problems: tuple[str, ...]


def replay(connection: Connection, letters: Sequence[DeadLetter], to: SkillManifest | None = None) -> Replayed:
    """Put dead letters back, the oldest first.

    A run is tried as often as its skill allows, an event is routed, an action is sent, and a message is published to
    where it was going. What is run or routed in turn with others (``order``) is the last in its line now: what came
    later may have been done long ago.

    Args:
        to: the skill that has taken the place of theirs: runs go to its handlers of the same names.
    """
    replayed = 0
    problems: list[str] = []
    for letter, position in zip(_oldest_first(letters), positions(len(letters)), strict=True):
        try:
            if to is None:
                replayed += REPLAYED[letter.kind](connection, letter, position)
            else:
                replayed += _move(connection, letter, to, position)
        except NotReplayable as error:  # before anything of it was written
            problems.append(str(error))
    return Replayed(replayed, tuple(problems))


def drop(connection: Connection, letters: Sequence[DeadLetter]) -> int:
    """Throw dead letters away: they are not kept longer than what is done, and cannot be replayed; how many."""
    dropped = 0
    for letter in letters:
        error = storable(f"{DROPPED}: {letter.error}")
        statement: Any
        if letter.kind == "run":
            statement = (
                update(runs).where(runs.c.id == letter.key, runs.c.state == "parked").values(state="skipped")
            ).values(error=error)
        elif letter.kind == "message":
            statement = delete(strays).where(strays.c.id == letter.key, strays.c.due_at.is_(None))
        else:
            table = events if letter.kind == "event" else actions
            dead = (table.c.key == letter.key, table.c.parked_at.is_not(None))
            statement = update(table).where(*dead).values(parked_at=None, error=error)
        dropped += connection.execute(statement).rowcount
    return dropped


def _oldest_first(letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    def place(letter: DeadLetter) -> tuple[float, int]:
        row = letter.row
        came = row.get("created_at") or row.get("received_at") or letter.at
        return float(came), int(row.get("ordinal") or row.get("position") or 0)

    return sorted(letters, key=place)


def _run(connection: Connection, letter: DeadLetter, position: int) -> bool:
    _need_event(letter)
    now = time.time()
    done = connection.execute(
        update(runs)
        .where(runs.c.id == letter.key, runs.c.state == "parked")
        .values(
            state="queued",
            owner=None,
            # Its attempts are counted on: a handler that said something in the first one asks which one this is.
            earlier=func.coalesce(runs.c.earlier, 0) + runs.c.failures + runs.c.losses,
            failures=0,
            losses=0,
            due_at=now,
            publishes=0,
            finished_at=None,
            homeless_since=None,
            replayed_at=now,
            **({"position": position} if letter.row["line"] is not None else {}),
        )
    )
    return bool(done.rowcount)


def _move(connection: Connection, letter: DeadLetter, skill: SkillManifest, position: int) -> bool:
    if letter.kind != "run":
        raise NotReplayable(f"{letter.reference} is no run but a dead {letter.kind}: replay it without --to")
    known = [handler.name for handler in skill.handlers]
    if letter.what not in known:
        names = ", ".join(known) or "none"
        raise NotReplayable(
            f"{letter.reference}: the skill {skill.name!r} has no handler {letter.what!r} (it has {names})"
        )
    _need_event(letter)
    try:
        event = wire.decode_event(letter.row["body"])
    except WireError as error:
        raise NotReplayable(f"the event of {letter.reference} cannot be read: {error}") from None
    id, now = run_id(event.key, skill.name, letter.what), time.time()
    if id == letter.key:
        return _run(connection, letter, position)
    old = connection.execute(select(runs.c.state).where(runs.c.id == id)).scalar()
    if old is not None:
        raise NotReplayable(
            f"{skill.name}.{letter.what} has had the event of {letter.reference} already: its run {id[:8].upper()} is "
            f"{old}"
        )
    reason = f"given to {skill.name}.{letter.what} (run {id[:8].upper()}) by an operator: {letter.error}"
    taken = connection.execute(
        update(runs).where(runs.c.id == letter.key, runs.c.state == "parked").values(state="skipped", error=reason)
    )
    if not taken.rowcount:
        return False
    own = line(skill.name, event.address) if skill.order is not None else None
    connection.execute(
        insert(runs).values(
            id=id,
            event_key=event.key,
            skill=skill.name,
            handler=letter.what,
            arguments=letter.row["arguments"],
            priority=letter.row["priority"],
            state="queued",
            failures=0,
            losses=0,
            created_at=now,
            due_at=now,
            publishes=0,
            replayed_at=now,
            line=own,
            position=position if own else None,
        )
    )
    return True


def _event(connection: Connection, letter: DeadLetter, position: int) -> bool:
    change = {"state": "received", "due_at": time.time(), "publishes": 0, "parked_at": None, "position": position}
    dead = (events.c.key == letter.key, events.c.parked_at.is_not(None))
    return bool(connection.execute(update(events).where(*dead).values(change)).rowcount)


def _action(connection: Connection, letter: DeadLetter, position: int) -> bool:
    now = time.time()
    # It is given up after a day, which begins anew; and those of one run keep their order.
    change = {"state": "pending", "due_at": now, "publishes": 0, "parked_at": None, "created_at": now}
    dead = (actions.c.key == letter.key, actions.c.parked_at.is_not(None), actions.c.forgotten_at.is_(None))
    return bool(connection.execute(update(actions).where(*dead).values(change)).rowcount)


def _message(connection: Connection, letter: DeadLetter, position: int) -> bool:
    if not letter.row["queue"]:
        raise NotReplayable(f"{letter.reference} does not say which queue it was in: drop it")
    if "body" not in (said := json.loads(letter.row["letter"])) and "body_base64" not in said:
        raise NotReplayable(f"{letter.reference} has no body: drop it")
    waiting = (strays.c.id == letter.key, strays.c.due_at.is_(None))
    return bool(connection.execute(update(strays).where(*waiting).values(due_at=time.time())).rowcount)


REPLAYED: Final[dict[str, Callable[[Connection, DeadLetter, int], bool]]] = {
    "run": _run,
    "event": _event,
    "action": _action,
    "message": _message,
}


def _need_event(letter: DeadLetter) -> None:
    if letter.row["body"] is None:
        raise NotReplayable(f"the event of {letter.reference} is forgotten, so its run cannot be tried again: drop it")
