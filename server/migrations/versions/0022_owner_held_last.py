"""The role that owns the tables is held to a clinic's rows as well, as 0007 holds all others.

No process from before 0007 may run any more: it says no clinic, and as the owner it would find no rows from
here on (docs/operations.md). Safe beside every version since. A migration with a new table goes before it.

Revision ID: 0022
Revises: 0021
"""

from collections.abc import Sequence

from alembic import op

from server.migrations import rows

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ()


def upgrade() -> None:
    """Hold the owner. SQLite has no roles."""
    if op.get_bind().dialect.name == "postgresql":
        rows.force(op.get_bind())


def downgrade() -> None:
    """Let the owner see every row again."""
    if op.get_bind().dialect.name == "postgresql":
        rows.unforce(op.get_bind())
