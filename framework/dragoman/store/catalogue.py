"""The catalogue: the manifests that workers have published. Everybody else reads it, never a skill's code."""

import logging
import time
from collections.abc import Collection, Iterable
from typing import Literal

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, delete, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .. import wire
from ..manifest import SkillManifest
from .engine import reading
from .schema import manifests, serving
from .serving import living

__all__ = ["Publisher", "Reader", "publish_manifests", "publishers", "retire_manifests", "retire_skill"]

log = logging.getLogger(__name__)

#: Who has published a manifest: ``dragoman run``, or only workers that were started by themselves.
Publisher = Literal["bot", "worker"]


def publish_manifests(
    connection: Connection, found: Iterable[SkillManifest], publisher: Publisher | None = "bot"
) -> None:
    """Publish what is served; what has not changed keeps its date (the elder of two claims wins).

    Args:
        publisher: what `dragoman run` (``bot``) has published it takes back when it has it no more; what only a worker
            of its own has published stays until ``dragoman retire``. ``None``: who it is stays as it is.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    now = time.time()
    for manifest in found:
        row = {
            "skill": manifest.name,
            "digest": manifest.digest(),
            "body": wire.encode(manifest).decode(),
            "published_at": now,
            "publisher": publisher or "worker",
            "changed_at": now,
        }
        change = {name: row[name] for name in ("digest", "body", "changed_at")}
        if publisher is not None:
            change["publisher"] = publisher
        connection.execute(insert(manifests).values(row).on_conflict_do_update(index_elements=["skill"], set_=change))


def retire_manifests(connection: Connection, keep: Collection[str]) -> None:
    """Forget the skills that ``dragoman run`` has published and has no more; what a worker of its own serves is its."""
    gone = (
        manifests.c.skill.not_in(list(keep)),
        # Older Dragomans did not say who it was.
        func.coalesce(manifests.c.publisher, "bot") == "bot",
    )
    served = exists().where(serving.c.skill == manifests.c.skill, serving.c.alone == 1, living())
    connection.execute(update(manifests).where(*gone, served).values(publisher="worker"))
    connection.execute(delete(manifests).where(*gone))


def publishers(connection: Connection) -> dict[str, Publisher]:
    """Who has published each skill."""
    return {
        row.skill: row.publisher or "bot"
        for row in connection.execute(select(manifests.c.skill, manifests.c.publisher))
    }


def retire_skill(connection: Connection, skill: str) -> bool:
    """Forget one skill, whoever has published it; whether there was one."""
    connection.execute(delete(serving).where(serving.c.skill == skill))
    return bool(connection.execute(delete(manifests).where(manifests.c.skill == skill)).rowcount)


class Reader:
    """Reads the catalogue again only when it has changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._digests: dict[str, str] | None = None
        self._manifests: tuple[SkillManifest, ...] = ()

    def refresh(self) -> bool:
        """Look; whether anything has changed."""
        with reading(self._engine) as connection:
            published = connection.execute(select(manifests.c.skill, manifests.c.digest))
            digests = {row.skill: row.digest for row in published}
            if digests == self._digests:
                return False
            rows = connection.execute(
                select(manifests.c.skill, manifests.c.body).order_by(manifests.c.published_at, manifests.c.skill)
            ).all()
        found = []
        for skill, body in rows:
            try:
                found.append(SkillManifest.model_validate_json(body))
            except ValidationError as error:
                # A newer worker's: the others are still served.
                log.error("the manifest of skill %r cannot be read, so it is not routed to: %s", skill, error)
        self._digests, self._manifests = digests, tuple(found)
        return True

    @property
    def manifests(self) -> tuple[SkillManifest, ...]:
        """What was found, the eldest first."""
        if self._digests is None:
            self.refresh()
        return self._manifests
