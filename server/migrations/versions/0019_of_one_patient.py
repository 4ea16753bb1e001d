"""A patient's account, invitations and blood pressures are found among those of all patients.

Each look at today, each reminder and each page of patients went through every account of the clinic. Safe
beside the version before, which has no use for the indexes.

Revision ID: 0019
Revises: 0018
"""

from collections.abc import Sequence

from alembic import op

from server.migrations.locking import NO_WRITER

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("accounts", "invitations", "blood_pressures")
MODE = NO_WRITER

# In the order in which they are read: else an embedded database goes through the clinic's in that order.
_COLUMNS = ["clinic_id", "patient_id", "id"]


def upgrade() -> None:
    """Put an index on each of the tables."""
    for table in TABLES:
        op.create_index(f"ix_{table}_patient", table, _COLUMNS)


def downgrade() -> None:
    """Take them away."""
    for table in reversed(TABLES):
        op.drop_index(f"ix_{table}_patient", table)
