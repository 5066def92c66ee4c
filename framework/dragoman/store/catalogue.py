"""The catalogue: the manifests that workers have published. Everybody else reads it, never a skill's code."""

import logging
import time
from collections.abc import Collection, Iterable

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from .. import wire
from ..manifest import SkillManifest
from .engine import reading
from .schema import manifests

__all__ = ["Reader", "publish_manifests", "retire_manifests"]

log = logging.getLogger(__name__)


def publish_manifests(connection: Connection, found: Iterable[SkillManifest]) -> None:
    """Publish what a worker serves; what has not changed keeps its date (the elder of two claims wins)."""
    for manifest in found:
        row = {
            "skill": manifest.name,
            "digest": manifest.digest(),
            "body": wire.encode(manifest).decode(),
            "published_at": time.time(),
        }
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(
            insert(manifests)
            .values(row)
            .on_conflict_do_update(index_elements=["skill"], set_={"digest": row["digest"], "body": row["body"]})
        )


def retire_manifests(connection: Connection, keep: Collection[str]) -> None:
    """Forget the skills that are not served any more."""
    connection.execute(delete(manifests).where(manifests.c.skill.not_in(list(keep))))


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
