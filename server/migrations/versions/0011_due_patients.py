"""Who is due is found inside one clinic's index, however many patients are not: before, SQLite read all of them.

Revision ID: 0011
Revises: 0010
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("patients",)

_ASIDE = sa.text("set_aside_at IS NOT NULL")


def upgrade() -> None:
    """Put an index with the clinic in the place of the one without; and one of those set aside, who are few."""
    columns = ["clinic_id", "next_close_at", "id"]
    op.create_index(op.f("ix_patients_clinic_id_next_close_at_id"), "patients", columns)
    op.create_index(
        "ix_patients_set_aside", "patients", ["clinic_id"], sqlite_where=_ASIDE, postgresql_where=_ASIDE
    )
    op.drop_index(op.f("ix_patients_next_close_at"), "patients")


def downgrade() -> None:
    """Put the old one back."""
    op.create_index(op.f("ix_patients_next_close_at"), "patients", ["next_close_at"])
    op.drop_index("ix_patients_set_aside", "patients")
    op.drop_index(op.f("ix_patients_clinic_id_next_close_at_id"), "patients")
