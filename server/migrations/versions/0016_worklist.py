"""The alerts that are not resolved are found in their order, however many are: before, all of them were read.

Safe beside the version before, which has no use for the index.

Revision ID: 0016
Revises: 0015
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from server.migrations.locking import NO_WRITER

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("alerts",)
MODE = NO_WRITER

_UNRESOLVED = sa.text("state <> 'resolved'")


def upgrade() -> None:
    """Put an index beside the one of all states."""
    columns = ["clinic_id", "urgency", "opened_at", "id"]
    op.create_index(
        "ix_alerts_worklist", "alerts", columns, sqlite_where=_UNRESOLVED, postgresql_where=_UNRESOLVED
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_alerts_worklist", "alerts")
