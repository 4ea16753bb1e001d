"""Signing in: second factors, recovery, refresh tokens that can be asked for again, bound invitations.

Revision ID: 0006
Revises: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("accounts", "clinics", "patients", "sign_ins", "invitations", "refresh_tokens")

_MOMENT = sa.DateTime(timezone=True)


def _columns() -> dict[str, list[sa.Column]]:
    return {
        "accounts": [
            sa.Column("scopes", sa.JSON(), nullable=True),
            sa.Column("factor_tries", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("factor_tries_since", _MOMENT, nullable=True),
        ],
        "sign_ins": [
            sa.Column("authenticated_at", _MOMENT, nullable=True),
            sa.Column("awaits_factor", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("sealed_device", sa.LargeBinary(), nullable=True),
        ],
        "refresh_tokens": [sa.Column("successor", sa.LargeBinary(), nullable=True)],
        "invitations": [
            sa.Column("email_digest", sa.String(length=64), nullable=True),
            sa.Column("proof", sa.String(length=32), nullable=True),
            sa.Column("proof_digest", sa.String(length=64), nullable=True),
            sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        ],
    }


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["clinic_id", "account_id"],
        ["accounts.clinic_id", "accounts.id"],
        name=op.f(f"fk_{table}_clinic_id_account_id"),
    )


def upgrade() -> None:
    """Add them. Systems may do what they could before; an open invitation asks for its code alone."""
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.execute("UPDATE accounts SET scopes = '[\"visits\"]' WHERE role = 'integration'")
    op.create_table(
        "factors",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.Column("sign_count", sa.BigInteger(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("confirmed_at", _MOMENT, nullable=True),
        sa.Column("last_used_at", _MOMENT, nullable=True),
        sa.Column("retired_at", _MOMENT, nullable=True),
        _of_account("factors"),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_factors")),
    )
    op.create_index(op.f("ix_factors_clinic_id_account_id"), "factors", ["clinic_id", "account_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        _of_account("recovery_codes"),
        sa.PrimaryKeyConstraint("clinic_id", "account_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "tickets",
        sa.Column("ticket_hash", sa.String(length=64), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=True),
        sa.Column("challenge", sa.String(length=64), nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=True),
        _of_account("tickets"),
        sa.PrimaryKeyConstraint("ticket_hash", name=op.f("pk_tickets")),
    )
    op.create_index(op.f("ix_tickets_expires_at"), "tickets", ["expires_at"])
    op.create_table(
        "recoveries",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed_email", sa.LargeBinary(), nullable=False),
        sa.Column("requested_at", _MOMENT, nullable=False),
        sa.Column("looked_at", _MOMENT, nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        sa.Column("sealed_code", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.Column("used_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_recoveries_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_recoveries")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recoveries_code_hash")),
    )
    op.create_table(
        "break_glass",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        _of_account("break_glass"),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_break_glass_clinic_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_break_glass")),
    )
    op.create_index(
        op.f("ix_break_glass_clinic_id_account_id_patient_id_expires_at"),
        "break_glass",
        ["clinic_id", "account_id", "patient_id", "expires_at"],
    )
    op.create_index(op.f("ix_recoveries_looked_at_requested_at"), "recoveries", ["looked_at", "requested_at"])


def downgrade() -> None:
    """Take them away, and the messages and half-open sign-ins that an older version would misread."""
    op.execute("DELETE FROM deliveries WHERE subject IN ('account', 'recovery')")
    op.execute("UPDATE sign_ins SET revoked_at = last_used_at WHERE awaits_factor AND revoked_at IS NULL")
    for table in ("break_glass", "recoveries", "tickets", "recovery_codes", "factors"):
        op.drop_table(table)
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
