"""Dead letters in the ledger: what was set aside for good, of four kinds, found again and told of. Only reads.

======== ============================================ =========================
kind     what it is                                   its id
======== ============================================ =========================
run      a handler has failed for the last time       the run's
event    the router could not route it                made from the event's key
action   the platform has refused it                  made from the action's key
message  no part could read it, or it was for nobody  the stray's
======== ============================================ =========================

Looking for one by a part of its id reads all that are parked: it is for people who ask. Times are unix seconds.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from heapq import nlargest
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, Select, func, or_, select

from ..errors import DragomanError
from .schema import actions, events, runs, strays

__all__ = [
    "KINDS",
    "DeadLetter",
    "Filters",
    "Kind",
    "UnknownLetter",
    "dead_id",
    "find_letters",
    "list_letters",
]

Kind = Literal["run", "event", "action", "message"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
#: Letters of an id that are enough, where no other begins so.
SHORTEST: Final = 4
#: How many of several that could be meant are named.
NAMED: Final = 8


class UnknownLetter(DragomanError):
    """No dead letter has this id, or several could be meant; the message says what to do."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One of them.

    Attributes:
        id: see the table above.
        key: the event's or the action's key; of the others, the id again.
        at: when it was parked.
        account: whose event or action it is; of a message, as far as it says so.
        skill: whose run or action it is; empty where none is.
        what: the handler, the kind of the event or action, or the queue of the message.
        row: all that the ledger has of it, by the names of the columns.
    """

    kind: Kind
    id: str
    key: str
    at: float
    account: str
    skill: str
    what: str
    error: str
    row: dict[str, Any]

    @property
    def reference(self) -> str:
        """What a person is told, or what is enough to find it by."""
        return self.id[:8].upper()

    @property
    def attempts(self) -> int:
        """How often a run was tried since it was asked for, or put back; 0 for all else."""
        return int(self.row.get("failures") or 0) + int(self.row.get("losses") or 0)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which ones; what is left out does not matter.

    Attributes:
        since: parked at this time or later.
        error: a part of the reason, in any case of letters.
    """

    skill: str | None = None
    kinds: Collection[Kind] = KINDS
    account: str | None = None
    since: float | None = None
    error: str | None = None


def dead_id(key: str) -> str:
    """The id of an event or action that is a dead letter: 26 letters and digits."""
    return base64.b32encode(hashlib.sha256(key.encode()).digest()[:16]).decode().rstrip("=").lower()


def list_letters(connection: Connection, filters: Filters, most: int | None = None) -> list[DeadLetter]:
    """The dead letters, the latest first; at most so many."""
    found: list[DeadLetter] = []
    for kind in KINDS:
        if kind in filters.kinds and (statement := _chosen(kind, filters)) is not None:
            found += _read(connection, kind, statement if most is None else statement.limit(most))
    return nlargest(len(found) if most is None else most, found, key=lambda letter: letter.at)


def find_letters(connection: Connection, ids: Collection[str]) -> list[DeadLetter]:
    """The dead letters of these references, ids or keys, each once.

    Raises:
        UnknownLetter: one of them is none, or could be several.
    """
    found: dict[tuple[Kind, str], DeadLetter] = {}
    for id in ids:
        letter = _find(connection, id)
        found[letter.kind, letter.id] = letter
    return list(found.values())


def _find(connection: Connection, id: str) -> DeadLetter:
    asked = id.strip().strip("`")
    begins = asked.lower()
    if len(begins) < SHORTEST:
        raise UnknownLetter(f"{asked!r} is too short: give a reference such as 1A2B3C4D")
    matches = [
        *_read(connection, "run", _of("run").where(runs.c.id.startswith(begins, autoescape=True))),
        *_read(connection, "message", _of("message").where(strays.c.id.startswith(begins, autoescape=True))),
    ]
    for kind, column in (("event", events.c.key), ("action", actions.c.key)):
        # What an id was made from is not in it: all that are parked are looked at.
        keys = [
            key
            for key in connection.execute(_of(kind).with_only_columns(column)).scalars()
            if key == asked or dead_id(key).startswith(begins)
        ]
        matches += _read(connection, kind, _of(kind).where(column.in_(keys[: NAMED + 1])))
    exact = [letter for letter in matches if asked in (letter.id, letter.key) or letter.id == begins]
    matches = exact or matches
    if not matches:
        raise UnknownLetter(
            f"no dead letter has the reference {asked}: `dragoman dead list` shows all of them, and `dragoman why "
            f"{asked}` what became of a run"
        )
    if len(matches) > 1:
        named = ", ".join(f"{letter.kind} {letter.id} ({letter.what})" for letter in matches[:NAMED])
        raise UnknownLetter(f"{asked} could be each of {named}: give more letters")
    return matches[0]


def _of(kind: str) -> Select[Any]:
    """All of a kind."""
    if kind == "run":
        joined = select(runs, events.c.account, events.c.body).outerjoin(events, events.c.key == runs.c.event_key)
        return joined.where(runs.c.state == "parked")
    if kind == "event":
        return select(events).where(events.c.parked_at.is_not(None))
    if kind == "action":
        joined = select(actions, runs.c.skill, runs.c.handler).outerjoin(runs, runs.c.id == actions.c.run)
        return joined.where(actions.c.parked_at.is_not(None))
    return select(strays).where(strays.c.due_at.is_(None))


TIMES: Final[dict[Kind, Any]] = {
    "run": runs.c.finished_at,
    "event": events.c.parked_at,
    "action": actions.c.parked_at,
    "message": strays.c.parked_at,
}
ERRORS: Final[dict[Kind, Any]] = {
    "run": runs.c.error,
    "event": events.c.error,
    "action": actions.c.error,
    "message": strays.c.reason,
}


def _chosen(kind: Kind, filters: Filters) -> Select[Any] | None:
    """Those of a kind that are asked for, the latest first; ``None`` if none can be."""
    statement = _of(kind)
    if filters.skill is not None:
        if kind == "event":
            return None
        of = strays.c.queue.endswith(f".skill.{filters.skill}", autoescape=True)
        statement = statement.where(of if kind == "message" else runs.c.skill == filters.skill)
    if filters.account is not None:
        statement = statement.where(_of_account(kind, filters.account))
    if filters.since is not None:
        statement = statement.where(TIMES[kind] >= filters.since)
    if filters.error is not None:
        statement = statement.where(func.lower(ERRORS[kind]).contains(filters.error.lower(), autoescape=True))
    return statement.order_by(TIMES[kind].desc())


def _of_account(kind: Kind, account: str) -> Any:
    if kind == "message":
        # What a letter was published with: see `Topology`. In a body, the quotes would be escaped.
        keys = [f'"routing_key": "{account}{end}' for end in ".:"]
        return or_(*(strays.c.letter.contains(key, autoescape=True) for key in keys))
    return (actions if kind == "action" else events).c.account == account


def _read(connection: Connection, kind: str, statement: Select[Any]) -> Iterator[DeadLetter]:
    for found in connection.execute(statement):
        row = dict(found._mapping)
        if kind == "run":
            yield DeadLetter(
                "run", row["id"], row["id"], row["finished_at"], row["account"] or "", row["skill"],
                row["handler"], row["error"] or "", row,
            )  # fmt: skip
        elif kind == "event":
            yield DeadLetter(
                "event", dead_id(row["key"]), row["key"], row["parked_at"], row["account"], "",
                _kind(row["body"]), row["error"] or "", row,
            )  # fmt: skip
        elif kind == "action":
            yield DeadLetter(
                "action", dead_id(row["key"]), row["key"], row["parked_at"], row["account"], row["skill"] or "",
                _kind(row["body"]), row["error"] or "", row,
            )  # fmt: skip
        else:
            skill = row["queue"].partition(".skill.")[2]
            account = "" if skill else _account(row["letter"])
            yield DeadLetter(
                "message", row["id"], row["id"], row["parked_at"], account, skill, row["queue"], row["reason"], row
            )


def _kind(body: str) -> str:
    """Of what may be a newer Dragoman's."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("kind", "")) if isinstance(found, dict) else ""


def _account(letter: str) -> str:
    key = str(json.loads(letter).get("routing_key", ""))
    return key.partition(".")[0].partition(":")[0]
