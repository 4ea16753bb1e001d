"""Addresses of e-mail can lie sealed, patients can be erased, held or taken away, keys of digests stand apart.

Safe beside the version before: it goes on reading and writing `accounts.email`, which this version leaves
in its place until `afterglow keys seal-contacts --finish` is run.

Revision ID: 0009
Revises: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("accounts", "clinics", "patients")

_MOMENT = sa.DateTime(timezone=True)
_OPEN = sa.text("state IN ('asked', 'confirmed')")
_INDEXES = (
    ("ix_legal_holds_clinic_id_patient_id", "legal_holds", ["clinic_id", "patient_id"]),
    ("ix_erasures_state_due_at", "erasures", ["state", "due_at"]),
    ("ix_export_links_clinic_id_patient_id_id", "export_links", ["clinic_id", "patient_id", "id"]),
    ("ix_export_links_expires_at", "export_links", ["expires_at"]),
)


def upgrade() -> None:
    """Add the columns and tables; who was there keeps their address as it is until it is sealed."""
    with op.batch_alter_table("accounts") as batch:
        batch.alter_column("email", existing_type=sa.String(length=254), nullable=True)
        batch.add_column(sa.Column("sealed_email", sa.LargeBinary(), nullable=True))
        batch.add_column(sa.Column("email_index", sa.String(length=64), nullable=True))
        batch.create_unique_constraint(
            op.f("uq_accounts_clinic_id_email_index"), ["clinic_id", "email_index"]
        )
    op.add_column(
        "clinics", sa.Column("contacts_sealed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("clinics", sa.Column("erased_at", _MOMENT, nullable=True))
    op.add_column("patients", sa.Column("leaving_at", _MOMENT, nullable=True))
    op.create_table(
        "clinic_digest_keys",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_clinic_digest_keys_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "use", name=op.f("pk_clinic_digest_keys")),
    )
    _add_holds()
    _add_erasures()
    _add_exports()
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)


def _add_holds() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("placed_at", _MOMENT, nullable=False),
        sa.Column("released_at", _MOMENT, nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_legal_holds_clinic_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_legal_holds")),
    )


def _add_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", _MOMENT, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("receipt_hash", sa.String(length=64), nullable=True),
        sa.Column("finished_at", _MOMENT, nullable=True),
        sa.Column("listed_at", _MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_erasures_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_erasures")),
    )
    op.create_index(
        "uq_erasures_one_under_way",
        "erasures",
        ["clinic_id", "patient_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def _add_exports() -> None:
    op.create_table(
        "export_links",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("taken_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_export_links_clinic_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_export_links")),
    )


def downgrade() -> None:
    """Take them away. Without its plain address nobody can sign in there: such accounts get a stand-in.

    Their address is lost to the version before, not to a backup; who went back early loses nothing.
    """
    op.execute("UPDATE accounts SET email = 'sealed-' || email_index WHERE email IS NULL")
    for name in ("export_links", "erasures", "legal_holds", "clinic_digest_keys"):
        op.drop_table(name)
    op.drop_column("patients", "leaving_at")
    op.drop_column("clinics", "erased_at")
    op.drop_column("clinics", "contacts_sealed")
    with op.batch_alter_table("accounts") as batch:
        batch.drop_constraint(op.f("uq_accounts_clinic_id_email_index"), type_="unique")
        batch.drop_column("email_index")
        batch.drop_column("sealed_email")
        batch.alter_column("email", existing_type=sa.String(length=254), nullable=False)
