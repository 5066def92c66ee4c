"""The ledger (events, runs, actions), who is alive, and the catalogue.

Revision ID: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float),
        sa.Column("publishes", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
    )
    op.create_index("events_due", "events", ["due_at"], **where("due_at IS NOT NULL"))
    op.create_table(
        "runs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("event_key", sa.String(512), nullable=False),
        sa.Column("skill", sa.String(64), nullable=False),
        sa.Column("handler", sa.String(128), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("losses", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(32)),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
        sa.Column("due_at", sa.Float),
        sa.Column("publishes", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
    )
    op.create_index("runs_due", "runs", ["due_at"], **where("due_at IS NOT NULL"))
    op.create_index("runs_owner", "runs", ["owner"], **where("owner IS NOT NULL"))
    op.create_table(
        "actions",
        sa.Column("key", sa.String(1024), primary_key=True),
        sa.Column("run", sa.String(32), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("sent_ids", sa.Text),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("sent_at", sa.Float),
        sa.Column("due_at", sa.Float),
        sa.Column("publishes", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
    )
    op.create_index("actions_run", "actions", ["run", "ordinal"])
    op.create_index("actions_due", "actions", ["due_at"], **where("due_at IS NOT NULL"))
    op.create_table(
        "processes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("beat_at", sa.Float, nullable=False),
    )
    op.create_table(
        "manifests",
        sa.Column("skill", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("published_at", sa.Float, nullable=False),
    )
