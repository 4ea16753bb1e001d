"""A telephone number is found by a blind index, so that STOP need not open every number.

Safe beside the version before: it adds numbers without one, which are opened as before and get theirs daily.

Revision ID: 0014
Revises: 0013
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("contact_points",)


def upgrade() -> None:
    """Add the index of a number; null says that it must be opened to know it."""
    op.add_column("contact_points", sa.Column("address_index", sa.String(length=64), nullable=True))
    columns = ["clinic_id", "address_index"]
    op.create_index(op.f("ix_contact_points_clinic_id_address_index"), "contact_points", columns)


def downgrade() -> None:
    """Forget the indexes: the numbers are there, sealed."""
    op.drop_index(op.f("ix_contact_points_clinic_id_address_index"), table_name="contact_points")
    op.drop_column("contact_points", "address_index")
