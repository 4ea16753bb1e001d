"""the rota"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
TABLES: tuple[str, ...] = ("accounts", "clinics")

# What a clinic starts with, as it is when this is written: later defaults are for later clinics.
_WEEK = [[["08:00", "18:00"]]] * 5 + [[], []]
_STEPS = [
    ["own_clinician"],
    ["on_call", "clinicians", "coordinators"],
    ["clinicians", "coordinators", "admins"],
]


def upgrade() -> None:
    """Forward."""
    op.add_column("accounts", sa.Column("quiet_from", sa.String(length=5), nullable=True))
    op.add_column("accounts", sa.Column("quiet_until", sa.String(length=5), nullable=True))
    op.create_table(
        "rotas",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("holidays", sa.JSON(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("fallback_account_id", sa.Uuid(), nullable=True),
        sa.Column("armed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("armed_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "fallback_account_id"],
            ["accounts.clinic_id", "accounts.id"],
            name=op.f("fk_rotas_clinic_id_fallback_account_id"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_rotas_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", name=op.f("pk_rotas")),
    )
    _shifts()
    _contact_points()
    _give_every_clinic_its_rota()


def _shifts() -> None:
    op.create_table(
        "shifts",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("starts", sa.DateTime(), nullable=False),
        sa.Column("ends", sa.DateTime(), nullable=False),
        sa.Column("weekly_until", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "account_id"],
            ["accounts.clinic_id", "accounts.id"],
            name=op.f("fk_shifts_clinic_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_shifts")),
    )
    op.create_index(op.f("ix_shifts_clinic_id_starts"), "shifts", ["clinic_id", "starts"])


def _contact_points() -> None:
    op.create_table(
        "contact_points",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("sealed_address", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_why", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "account_id"],
            ["accounts.clinic_id", "accounts.id"],
            name=op.f("fk_contact_points_clinic_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_contact_points")),
        sa.UniqueConstraint("clinic_id", "digest", name=op.f("uq_contact_points_clinic_id_digest")),
    )
    op.create_index(
        op.f("ix_contact_points_clinic_id_account_id_position"),
        "contact_points",
        ["clinic_id", "account_id", "position"],
    )


def _give_every_clinic_its_rota() -> None:
    clinics = sa.table("clinics", sa.column("id", sa.Uuid()))
    names = {"hours": _WEEK, "holidays": [], "steps": _STEPS}
    rotas = sa.table(
        "rotas",
        sa.column("clinic_id", sa.Uuid()),
        *(sa.column(name, sa.JSON()) for name in names),
        sa.column("version", sa.Integer()),
    )
    given = (sa.literal(value, sa.JSON()) for value in names.values())
    rows = sa.select(clinics.c.id, *given, sa.literal(1, sa.Integer()))
    op.execute(rotas.insert().from_select(["clinic_id", *names, "version"], rows))


def downgrade() -> None:
    """Back: who was on call and how they were reached is forgotten."""
    op.drop_index(op.f("ix_contact_points_clinic_id_account_id_position"), "contact_points")
    op.drop_table("contact_points")
    op.drop_index(op.f("ix_shifts_clinic_id_starts"), "shifts")
    op.drop_table("shifts")
    op.drop_table("rotas")
    # Messages about the rota have a subject that the version before does not know.
    op.execute("DELETE FROM deliveries WHERE subject = 'rota'")
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_column("quiet_until")
        accounts.drop_column("quiet_from")
