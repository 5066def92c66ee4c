"""What skills keep (data), the directory (people, channels), timers and cooldowns; actions whose content is gone.

Revision ID: 0002
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.create_table(
        "data",
        sa.Column("skill", sa.String(64), primary_key=True),
        sa.Column("scope", sa.String(512), primary_key=True),
        sa.Column("key", sa.String(256).with_variant(sa.String(256, collation="C"), "postgresql"), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.Float),
    )
    op.create_index("data_expires", "data", ["expires_at"], **where("expires_at IS NOT NULL"))
    op.create_table(
        "people",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(256), primary_key=True),
        sa.Column("id", sa.String(256), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("fetched_at", sa.Float, nullable=False),
    )
    op.create_table(
        "channels",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(256), primary_key=True),
        sa.Column("id", sa.String(256), primary_key=True),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("fetched_at", sa.Float, nullable=False),
    )
    op.create_index("channels_name", "channels", ["account", "name"])
    op.create_table(
        "timers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("skill", sa.String(64), nullable=False),
        sa.Column("handler", sa.String(128), nullable=False),
        sa.Column("cron", sa.String(256)),
        sa.Column("timezone", sa.String(64)),
        sa.Column("due_at", sa.Float),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_index("timers_due", "timers", ["due_at"], **where("due_at IS NOT NULL"))
    op.create_table(
        "cooldowns",
        sa.Column("bucket", sa.String(300), primary_key=True),
        sa.Column("uses", sa.Text, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.add_column("actions", sa.Column("forgotten_at", sa.Float))
    op.create_index("actions_done", "actions", ["created_at"], **where("due_at IS NULL AND forgotten_at IS NULL"))
    op.create_index("actions_forgotten", "actions", ["created_at"], **where("forgotten_at IS NOT NULL"))
