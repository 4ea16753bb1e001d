"""The answer to a request that makes something is kept for a day: sent again, it makes nothing.

Revision ID: 0021
Revises: 0020
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("accounts", "patients")

_NAME = "kept_answers"
_INDEXED = (["clinic_id", "patient_id"], ["clinic_id", "created_at"])


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        _NAME,
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("sealed_said", sa.LargeBinary(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _key("account", "accounts"),
        _key("patient", "patients"),
        sa.PrimaryKeyConstraint("clinic_id", "account_id", "digest", name=op.f("pk_kept_answers")),
    )
    for columns in _INDEXED:
        op.create_index(_index(columns), _NAME, columns)


def downgrade() -> None:
    """Forget the answers: whoever sends again makes a second one, as before."""
    for columns in _INDEXED:
        op.drop_index(_index(columns), table_name=_NAME)
    op.drop_table(_NAME)


def _key(what: str, table: str) -> sa.ForeignKeyConstraint:
    here, there = ["clinic_id", f"{what}_id"], [f"{table}.clinic_id", f"{table}.id"]
    return sa.ForeignKeyConstraint(here, there, name=op.f(f"fk_kept_answers_clinic_id_{what}_id"))


def _index(columns: list[str]) -> str:
    return str(op.f(f"ix_kept_answers_{'_'.join(columns)}"))
