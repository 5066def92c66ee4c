"""Alembic migrations of the store, run from code: there is no alembic.ini to find."""

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from ...errors import SettingsError

__all__ = ["run_migrations", "scripts"]


def scripts() -> ScriptDirectory:
    """The migrations that this Dragoman knows."""
    return ScriptDirectory(str(Path(__file__).parent))


def run_migrations(connection: Connection) -> None:
    """Upgrade to the newest schema inside of the caller's transaction.

    Raises:
        SettingsError: the store was made by a newer Dragoman.
    """
    directory = scripts()

    def upgrade(revision: object, _: MigrationContext) -> list[object]:
        try:
            return list(directory._upgrade_revs("head", revision))  # type: ignore[arg-type]  # alembic's own callback type
        except CommandError:
            found = ", ".join(map(str, revision)) if isinstance(revision, tuple) else revision
            raise SettingsError(
                f"the store is at schema {found}, which this Dragoman does not know: upgrade Dragoman"
            ) from None

    context = MigrationContext.configure(connection, opts={"fn": upgrade, "script": directory})
    with Operations.context(context):
        context.run_migrations()
