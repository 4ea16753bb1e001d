"""isolation

Rows are held to their clinic by PostgreSQL itself, for every role but the tables' owner. Safe beside the
version before, which says no clinic: it works as the owner. 0015 holds the owner too.
"""

from alembic import op

from server.migrations import rows

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
TABLES: tuple[str, ...] = ()


def upgrade() -> None:
    """Forward. SQLite has no roles, and no second lock."""
    if op.get_bind().dialect.name == "postgresql":
        rows.hold(op.get_bind())


def downgrade() -> None:
    """Back."""
    if op.get_bind().dialect.name == "postgresql":
        rows.unprotect(op.get_bind())
