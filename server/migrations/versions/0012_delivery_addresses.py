"""A message can go to an address that is no account's (any more), and carry a secret until it is sent.

Revision ID: 0012
Revises: 0011
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("deliveries",)


def upgrade() -> None:
    """Add both, sealed; the previous version of the code writes neither."""
    op.add_column("deliveries", sa.Column("sealed_to", sa.LargeBinary()))
    op.add_column("deliveries", sa.Column("sealed_secret", sa.LargeBinary()))


def downgrade() -> None:
    """Take both away."""
    with op.batch_alter_table("deliveries") as table:
        table.drop_column("sealed_secret")
        table.drop_column("sealed_to")
