"""isolation

Rows are held to their clinic by PostgreSQL itself. Processes of the version before, if they run as a role
that is no superuser, find no rows from then on: stop them first (docs/operations.md).
"""

from alembic import op

from server.migrations import rows

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. SQLite has no roles, and no second lock."""
    if op.get_bind().dialect.name == "postgresql":
        rows.protect(op.get_bind())


def downgrade() -> None:
    """Back."""
    if op.get_bind().dialect.name == "postgresql":
        rows.unprotect(op.get_bind())
