"""Which worker serves which version of a skill. Of versions side by side, the one that started last is published."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .. import wire
from ..manifest import SkillManifest
from .processes import DEAD, Process
from .schema import manifests, processes, serving

__all__ = ["UNSERVED", "Server", "living", "serve", "servers"]

#: Seconds for which a manifest stays published that no living worker has: a worker that is being replaced is soon back.
UNSERVED: Final = 60.0


class Server(NamedTuple):
    """A living worker that serves a skill.

    Attributes:
        role: ``worker.`` and its pool.
        body: the manifest of the version that it has, as JSON.
        published: whether that is the one which is published.
        since: the unix time since which it serves it.
    """

    skill: str
    process: str
    role: str
    host: str
    pid: int
    body: str
    published: bool
    since: float


def living() -> ColumnElement[bool]:
    """That the process of a row of ``serving`` is alive."""
    return exists().where(processes.c.id == serving.c.process, processes.c.beat_at > time.time() - DEAD)


def serve(connection: Connection, process: Process, found: Iterable[SkillManifest], *, alone: bool = True) -> list[str]:
    """Say that a worker serves these skills; to be called every few seconds.

    What no living worker has had for `UNSERVED` seconds is published no more: of the versions that are still served,
    that of the worker which started last takes its place.

    Args:
        alone: whether the worker was started by itself, not by ``dragoman run``.

    Returns:
        The skills whose manifests are published again.
    """
    now = time.time()
    mine = {manifest.name: manifest for manifest in found}
    rows = [
        {
            "skill": name,
            "process": process.id,
            "digest": manifest.digest(),
            "body": wire.encode(manifest).decode(),
            "since": now,
            "alone": int(alone),
        }
        for name, manifest in mine.items()
    ]
    if not rows:
        return []
    known = set(connection.execute(select(serving.c.skill).where(serving.c.process == process.id)).scalars())
    if new := [row for row in rows if row["skill"] not in known]:
        connection.execute(delete(serving).where(serving.c.process.not_in(select(processes.c.id))))
        insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(insert(serving).values(new).on_conflict_do_nothing())
    published = {
        row.skill: row
        for row in connection.execute(
            select(manifests.c.skill, manifests.c.digest, manifests.c.changed_at).where(manifests.c.skill.in_(mine))
        )
    }
    again = []
    for row in rows:
        held = published.get(row["skill"])
        if held is None or held.digest == row["digest"] or (held.changed_at or 0.0) > now - UNSERVED / 4:
            continue
        others = connection.execute(
            select(serving.c.process, serving.c.digest)
            .where(serving.c.skill == row["skill"], living())
            .order_by(serving.c.since.desc(), serving.c.process)
        ).all()
        if any(other.digest == held.digest for other in others):
            connection.execute(_seen(row["skill"], now))
        elif (held.changed_at or 0.0) > now - UNSERVED:
            continue
        elif others and others[0].process == process.id:
            change = {"digest": row["digest"], "body": row["body"], "changed_at": now}
            connection.execute(update(manifests).where(manifests.c.skill == row["skill"]).values(change))
            again.append(str(row["skill"]))
    return again


def _seen(skill: object, now: float) -> Any:
    """Somebody serves what is published: should they all end, its time begins anew."""
    return update(manifests).where(manifests.c.skill == skill).values(changed_at=now)


def servers(connection: Connection, skill: str | None = None) -> Sequence[Server]:
    """The living workers of a skill, or of all of them; by skill, the one that started last first."""
    found = (
        select(
            serving.c.skill,
            serving.c.process,
            processes.c.role,
            processes.c.host,
            processes.c.pid,
            serving.c.body,
            serving.c.since,
            serving.c.digest,
            manifests.c.digest.label("published"),
        )
        .join(processes, processes.c.id == serving.c.process)
        .outerjoin(manifests, manifests.c.skill == serving.c.skill)
        .where(processes.c.beat_at > time.time() - DEAD)
        .order_by(serving.c.skill, serving.c.since.desc(), serving.c.process)
    )
    if skill is not None:
        found = found.where(serving.c.skill == skill)
    return [
        Server(
            row.skill,
            row.process,
            row.role,
            row.host,
            row.pid,
            row.body,
            row.digest == row.published,
            row.since,
        )
        for row in connection.execute(found)
    ]
