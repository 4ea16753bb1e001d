"""Staff are found among all the accounts of patients, and a patient's closed alerts among those of the clinic.

Whoever raised an alert went through all of both. Safe beside the version before, which has no use for them.

Revision ID: 0018
Revises: 0017
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from server.migrations.locking import NO_WRITER

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("accounts", "alerts")
MODE = NO_WRITER

_STAFF = sa.text("role NOT IN ('patient', 'caregiver')")
_ALERTS = "ix_alerts_clinic_id_patient_id_family"


def upgrade() -> None:
    """Put an index beside the accounts' addresses, and one beside the open alerts'."""
    columns = ["clinic_id", "role", "id"]
    op.create_index("ix_accounts_staff", "accounts", columns, sqlite_where=_STAFF, postgresql_where=_STAFF)
    op.create_index(_ALERTS, "alerts", ["clinic_id", "patient_id", "family"])


def downgrade() -> None:
    """Take them away."""
    op.drop_index(_ALERTS, "alerts")
    op.drop_index("ix_accounts_staff", "accounts")
