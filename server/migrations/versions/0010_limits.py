"""Limits: how often something was tried, for every process to see.

Revision ID: 0010
Revises: 0009
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ()

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "tallies",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("cap", sa.String(length=32), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("shut_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tallies")),
    )
    op.create_index(op.f("ix_tallies_ends_at"), "tallies", ["ends_at"], unique=False)


def downgrade() -> None:
    """Take it away, and the messages that an older version would not know how to send."""
    op.execute("DELETE FROM deliveries WHERE subject = 'account'")
    op.drop_index(op.f("ix_tallies_ends_at"), table_name="tallies")
    op.drop_table("tallies")
