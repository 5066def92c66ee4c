"""Order within conversations, the messages that the bot said by their ids, and what adapters keep.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("events", sa.Column("conversation", sa.String(32)))
    op.add_column("events", sa.Column("position", sa.BigInteger))
    op.add_column("runs", sa.Column("line", sa.String(128)))
    op.add_column("runs", sa.Column("position", sa.BigInteger))
    waiting = sa.text("line IS NOT NULL AND finished_at IS NULL")
    op.create_index("runs_line", "runs", ["line", "position"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "said",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(256), primary_key=True),
        sa.Column("message", sa.String(256), primary_key=True),
        sa.Column("key", sa.String(1024), nullable=False),
        sa.Column("said_at", sa.Float, nullable=False),
    )
    op.create_index("said_old", "said", ["said_at"])
    op.create_table(
        "reply_credentials",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("event_key", sa.String(512), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_index("reply_credentials_until", "reply_credentials", ["until"])
    op.create_table(
        "adapter_states",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("saved_at", sa.Float, nullable=False),
    )
