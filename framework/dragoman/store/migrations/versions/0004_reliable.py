"""Dead letters, what was decided of an event, who serves what, and what operators have said.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("events", sa.Column("decision", sa.Text))
    op.add_column("events", sa.Column("parked_at", sa.Float))
    op.add_column("events", sa.Column("duplicates", sa.Integer))
    op.add_column("runs", sa.Column("traceback", sa.Text))
    op.add_column("runs", sa.Column("versions", sa.Text))
    op.add_column("runs", sa.Column("replayed_at", sa.Float))
    op.add_column("runs", sa.Column("earlier", sa.Integer))
    op.add_column("runs", sa.Column("homeless_since", sa.Float))
    op.add_column("manifests", sa.Column("publisher", sa.String(16)))
    op.add_column("manifests", sa.Column("changed_at", sa.Float))
    op.add_column("actions", sa.Column("parked_at", sa.Float))
    op.add_column("actions", sa.Column("line", sa.String(128)))
    waiting = sa.text("line IS NOT NULL AND due_at IS NOT NULL")
    op.create_index("actions_line", "actions", ["line"], sqlite_where=waiting, postgresql_where=waiting)
    for table, condition in (("events", "parked_at IS NOT NULL"), ("actions", "parked_at IS NOT NULL")):
        where = sa.text(condition)
        op.create_index(f"{table}_parked", table, ["parked_at"], sqlite_where=where, postgresql_where=where)
    parked = sa.text("state = 'parked'")
    op.create_index("runs_parked", "runs", ["finished_at"], sqlite_where=parked, postgresql_where=parked)
    op.create_table(
        "strays",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("queue", sa.String(256), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("letter", sa.Text, nullable=False),
        sa.Column("parked_at", sa.Float, nullable=False),
        sa.Column("due_at", sa.Float),
    )
    op.create_index("strays_old", "strays", ["parked_at"])
    op.create_table(
        "controls",
        sa.Column("skill", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("concurrency", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until", sa.Float),
        sa.Column("length", sa.Float),
        sa.Column("trial", sa.String(32)),
        sa.Column("changed_at", sa.Float, nullable=False),
    )
    op.create_table(
        "partitions",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("owner", sa.String(32)),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
        sa.Column("heir", sa.String(32)),
    )
    op.create_table(
        "limits",
        sa.Column("account", sa.String(64), primary_key=True),
        sa.Column("bucket", sa.String(256), primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_table(
        "serving",
        sa.Column("skill", sa.String(64), primary_key=True),
        sa.Column("process", sa.String(32), primary_key=True),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("alone", sa.Integer, nullable=False),
    )
