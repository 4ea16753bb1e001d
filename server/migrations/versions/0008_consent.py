"""Consent: its texts, what patients said, and whom they let look after their diary.

Revision ID: 0008
Revises: 0007
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("accounts", "clinics", "patients", "invitations")

_MOMENT = sa.DateTime(timezone=True)


def _key(name: str, nullable: bool = False) -> sa.Column[sa.Uuid]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def upgrade() -> None:
    """Add the tables; nobody has withdrawn anything yet, so everything goes on as before."""
    op.add_column("patients", sa.Column("team_withdrawn_at", _MOMENT, nullable=True))
    _texts()
    _consents()
    _caregivers()


def _texts() -> None:
    op.create_table(
        "consent_texts",
        _key("clinic_id"),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("material", sa.Boolean(), nullable=False),
        sa.Column("published_at", _MOMENT, nullable=False),
        _key("published_by", nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_consent_texts_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "purpose", "version", name=op.f("pk_consent_texts")),
    )


def _consents() -> None:
    op.create_table(
        "consents",
        _key("clinic_id"),
        _key("id"),
        _key("patient_id"),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=True),
        sa.Column("text_hash", sa.String(length=64), nullable=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("way", sa.String(length=32), nullable=False),
        _key("account_id", nullable=True),
        sa.Column("sealed_witness", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_consents_clinic_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_consents")),
    )
    known = ["clinic_id", "patient_id", "purpose", "at"]
    op.create_index(op.f("ix_consents_clinic_id_patient_id_purpose_at"), "consents", known)


def _caregivers() -> None:
    op.create_table(
        "caregivers",
        *(_key("clinic_id"), _key("id"), _key("patient_id")),
        _key("account_id", nullable=True),
        _key("invitation_id"),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_email", sa.LargeBinary(), nullable=False),
        sa.Column("relation", sa.String(length=32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("invited_at", _MOMENT, nullable=False),
        *(sa.Column(name, _MOMENT, nullable=True) for name in ("accepted_at", "seen_at", "ended_at")),
        _key("ended_by", nullable=True),
        *(_points_to(column, table) for column, table in _POINTERS.items()),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_caregivers")),
    )
    for column in _POINTERS:
        op.create_index(op.f(f"ix_caregivers_clinic_id_{column}"), "caregivers", ["clinic_id", column])


_POINTERS = {"patient_id": "patients", "account_id": "accounts", "invitation_id": "invitations"}


def _points_to(column: str, table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_caregivers_clinic_id_{column}")
    return sa.ForeignKeyConstraint(["clinic_id", column], [f"{table}.clinic_id", f"{table}.id"], name=name)


def downgrade() -> None:
    """Take the tables away. Accounts of caregivers stay, closed: the version before knows no such role."""
    op.execute(
        "UPDATE sign_ins SET revoked_at = last_used_at WHERE revoked_at IS NULL AND account_id IN "
        "(SELECT id FROM accounts WHERE role = 'caregiver')"
    )
    op.execute("UPDATE accounts SET role = 'integration', disabled_at = created_at WHERE role = 'caregiver'")
    op.execute(
        "UPDATE invitations SET role = 'integration', cancelled_at = created_at WHERE role = 'caregiver'"
    )
    for table in ("caregivers", "consents", "consent_texts"):
        op.drop_table(table)
    op.drop_column("patients", "team_withdrawn_at")
