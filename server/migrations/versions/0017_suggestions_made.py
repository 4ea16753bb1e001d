"""Suggestions are found by when they were made: the report on the last months read those of all years.

Safe beside the version before, which has no use for the index.

Revision ID: 0017
Revises: 0016
"""

from collections.abc import Sequence

from alembic import op

from server.migrations.locking import NO_WRITER

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("booking_suggestions",)
MODE = NO_WRITER


def upgrade() -> None:
    """Put an index beside those of states and patients."""
    op.create_index("ix_booking_suggestions_made", "booking_suggestions", ["clinic_id", "created_at"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_booking_suggestions_made", "booking_suggestions")
