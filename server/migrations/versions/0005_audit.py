"""The audit log is append-only in the database too, and chained per clinic.

Revision ID: 0005
Revises: 0004
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("audit_events",)

_TABLES = ("audit_events", "audit_seals")
_REFUSAL = "the audit log is append-only"
_FUNCTION = "refuse_change_of_audit"


def upgrade() -> None:
    """Add the chain, and let the database refuse every change of what is in the log."""
    op.create_table(
        "audit_seals",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("proof", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "event_id"],
            ["audit_events.clinic_id", "audit_events.id"],
            name=op.f("fk_audit_seals_clinic_id_event_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "position", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("clinic_id", "event_id", name=op.f("uq_audit_seals_clinic_id_event_id")),
    )
    if _on_sqlite():
        _refuse_on_sqlite()
    else:
        _refuse_on_postgresql()


def downgrade() -> None:
    """Take the chain and the refusals away; the events stay."""
    if _on_sqlite():
        for deed in ("update", "delete"):
            op.execute(f"DROP TRIGGER audit_events_no_{deed}")
        op.drop_table("audit_seals")
        return
    op.execute("DROP TRIGGER append_only ON audit_events")
    op.drop_table("audit_seals")
    op.execute(f"DROP FUNCTION {_FUNCTION}()")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _refuse_on_sqlite() -> None:
    # A later migration that rebuilds one of the tables (batch operations) loses its triggers: make them anew.
    for table in _TABLES:
        for deed in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed} BEFORE {deed.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )


def _refuse_on_postgresql() -> None:
    op.execute(
        f"CREATE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    # Once a statement: it refuses TRUNCATE too, and costs nothing a row.
    for table in _TABLES:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        )
