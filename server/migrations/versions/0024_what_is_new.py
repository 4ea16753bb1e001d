"""What is new is found by when it came: withdrawn consents, closed accounts, enrolled patients.

Every minute is asked what was ended since the last, and who has enrolled and has no check-in plan yet: it went
through every word of every patient, every account and every patient. Safe beside the version before, which has
no use for the indexes.

Revision ID: 0024
Revises: 0023
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from server.migrations.locking import NO_WRITER

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("consents", "accounts", "patients")
MODE = NO_WRITER

_CLOSED = sa.text("disabled_at IS NOT NULL")


def upgrade() -> None:
    """Put an index on each of the tables."""
    op.create_index("ix_consents_at", "consents", ["at"])
    closed = {"sqlite_where": _CLOSED, "postgresql_where": _CLOSED}
    op.create_index("ix_accounts_closed", "accounts", ["disabled_at"], **closed)
    op.create_index("ix_patients_enrolled_at", "patients", ["enrolled_at"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_patients_enrolled_at", "patients")
    op.drop_index("ix_accounts_closed", "accounts")
    op.drop_index("ix_consents_at", "consents")
