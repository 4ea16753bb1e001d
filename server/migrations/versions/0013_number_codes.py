"""A telephone number waits for the code that proves it; those that were there are proven.

Safe beside the version before: it adds numbers that wait for nothing.

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("contact_points",)


def upgrade() -> None:
    """Add the code and when it was made; null says that a contact point needs none."""
    op.add_column("contact_points", sa.Column("sealed_code", sa.LargeBinary(), nullable=True))
    op.add_column("contact_points", sa.Column("code_made_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Forget the codes."""
    op.drop_column("contact_points", "code_made_at")
    op.drop_column("contact_points", "sealed_code")
