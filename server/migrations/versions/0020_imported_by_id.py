"""An imported entry is found by its id alone: whose it is is what is asked.

Each diary that is brought in is looked for among those of all patients, by ids that are made of its moments.
Without the index every file went through all entries of the clinic, so that twice the patients took four
times as long. Of rows that phones sent it holds none. Safe beside the version before, which has no use for it.

Revision ID: 0020
Revises: 0019
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from server.migrations.locking import NO_WRITER

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("entries",)
MODE = NO_WRITER

_IMPORTED = sa.text("source = 'import'")


def upgrade() -> None:
    """Put an index on what was imported."""
    columns = ["clinic_id", "id"]
    op.create_index(
        "ix_entries_imported", "entries", columns, sqlite_where=_IMPORTED, postgresql_where=_IMPORTED
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_entries_imported", "entries")
