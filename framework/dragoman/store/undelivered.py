"""What a platform has refused for good: the action is parked, and the skill that made it is told by an event.

Both are in one commit, so the skill is told once, however often the refusal is written down.
"""

import json
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from .. import wire
from ..action import ActionBase, Edit, Send
from ..errors import WireError
from ..event import EventBase, Undeliverable
from .ledger import record_events, record_refused
from .schema import events, manifests, runs

__all__ = ["Refusal", "refuse"]

#: Which run an action is of, what that answered, and what its skill handles.
RUN: Final = (
    select(runs.c.skill, runs.c.handler, runs.c.event_key, events.c.body, manifests.c.body.label("manifest"))
    .join(manifests, manifests.c.skill == runs.c.skill)
    .outerjoin(events, events.c.key == runs.c.event_key)
)


class Refusal(NamedTuple):
    """An action that was refused: the platform's code and words. ``quiet``: nothing is amiss, nobody need be told."""

    action: ActionBase
    code: str
    reason: str
    quiet: bool = False


def refuse(connection: Connection, items: Sequence[Refusal]) -> list[Undeliverable | None]:
    """Park actions; for each, the event to publish if its skill wants to be told and has not been."""
    quiet = {item.action.key for item in items if item.quiet}
    record_refused(connection, [(item.action, f"{item.code}: {item.reason}") for item in items], quiet=quiet)
    told = [None if item.quiet or not item.action.run else _event(connection, item) for item in items]
    wanted = [event for event in told if event is not None]
    new = iter(record_events(connection, wanted) if wanted else ())
    return [event if event is not None and next(new) else None for event in told]


def _event(connection: Connection, refusal: Refusal) -> Undeliverable | None:
    row = connection.execute(RUN.where(runs.c.id == refusal.action.run)).first()
    if row is None or not _wants(row.manifest):
        return None
    before = _answered(row.body)
    if isinstance(before, Undeliverable):
        return None  # what is said of a refusal was refused: that would go on for ever
    action = refusal.action
    return Undeliverable(
        key=f"undeliverable|{sha256(action.key.encode()).hexdigest()[:32]}",
        address=action.address,
        conversation=before.conversation if before is not None else "channel",
        person=before.person if before is not None else None,
        occurred=time.time(),
        hops=(("gateway", time.time()),),
        traceparent=action.traceparent,
        skill=row.skill,
        handler=row.handler,
        action=action.key,
        what=action.kind,
        text=action.content.text if isinstance(action, Send | Edit) else "",
        code=refusal.code,
        reason=refusal.reason,
        answered=row.event_key,
    )


def _answered(body: str | None) -> EventBase | None:
    """The event that the run was for; ``None`` if it is forgotten or of a newer Dragoman."""
    try:
        return wire.decode_event(body) if body is not None else None
    except WireError:
        return None


def _wants(manifest: str) -> bool:
    """Whether a skill, by its manifest, has a handler for refusals."""
    found: Any = json.loads(manifest)
    return any(handler["trigger"]["kind"] == "on_undeliverable" for handler in found.get("handlers", ()))
