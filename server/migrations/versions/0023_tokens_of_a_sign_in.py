"""The tokens of a sign-in that runs out are found by an index.

The database makes sure that none names it any more: for each sign-in it went through every token of every
clinic, so that forgetting a day's sign-ins kept whoever writes beside it waiting for minutes. Safe beside the
version before, which has no use for it.

Revision ID: 0023
Revises: 0022
"""

from collections.abc import Sequence

from alembic import op

from server.migrations.locking import NO_WRITER

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("refresh_tokens",)
MODE = NO_WRITER

_NAME = "ix_refresh_tokens_clinic_id_sign_in_id"


def upgrade() -> None:
    """Put an index on what a token names."""
    op.create_index(_NAME, "refresh_tokens", ["clinic_id", "sign_in_id"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index(_NAME, "refresh_tokens")
