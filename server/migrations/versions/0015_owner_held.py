"""Here the role that owns the tables was held; now 0022 holds it, after the last table that this code needs.

A version from before 0007 goes on until the owner is held: it could not beside code that needs a later table.

Revision ID: 0015
Revises: 0014
"""

from collections.abc import Sequence

from alembic import op

from server.migrations import rows

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ()


def upgrade() -> None:
    """Leave it to 0022."""


def downgrade() -> None:
    """Let the owner see every row again, where this one had held it."""
    if op.get_bind().dialect.name == "postgresql":
        rows.unforce(op.get_bind())
