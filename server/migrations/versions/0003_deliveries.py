"""Alerts that are taken on for a while, and deliveries over several channels.

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("clinics", "alerts", "deliveries")

_MOMENT = sa.DateTime(timezone=True)
_EPOCH = "1970-01-01 00:00:00+00"
_ALERTS = (
    ("acknowledged_until", _MOMENT),
    ("assigned_to", sa.Uuid()),
    ("exhausted_at", _MOMENT),
)
_DELIVERIES = (
    ("contact_id", sa.Uuid()),
    ("bundle_id", sa.Uuid()),
    ("reference", sa.String(length=200)),
    ("report_by", _MOMENT),
)
_INDEXES = (
    ("ix_alerts_state_acknowledged_until", "alerts", ["state", "acknowledged_until"]),
    ("ix_deliveries_state_report_by", "deliveries", ["state", "report_by"]),
    ("ix_deliveries_state_finished_at", "deliveries", ["state", "finished_at"]),
    ("ix_deliveries_clinic_id_subject_id", "deliveries", ["clinic_id", "subject_id"]),
    ("ix_deliveries_clinic_id_bundle_id", "deliveries", ["clinic_id", "bundle_id"]),
    ("ix_deliveries_id", "deliveries", ["id"]),
)


def upgrade() -> None:
    """Add the columns; what was waiting goes on waiting since it opened or worsened."""
    for table, columns in (("alerts", _ALERTS), ("deliveries", _DELIVERIES)):
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.add_column("clinics", sa.Column("language", sa.String(length=2), nullable=False, server_default="en"))
    op.add_column("alerts", sa.Column("waiting_since", _MOMENT, nullable=False, server_default=_EPOCH))
    op.add_column("alerts", sa.Column("snoozed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("deliveries", sa.Column("level", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("deliveries", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE alerts SET waiting_since = worsened_at")
    # Who has it goes on having it until the job has looked: it then is open again, and told.
    op.execute("UPDATE alerts SET acknowledged_until = acknowledged_at WHERE state = 'acknowledged'")
    # A mail server's yes was called delivered; it only ever meant that the provider took it.
    op.execute("UPDATE deliveries SET state = 'accepted' WHERE state = 'delivered'")
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
    op.create_table(
        "alert_feedback",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("usefulness", sa.String(length=32), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "alert_id"],
            ["alerts.clinic_id", "alerts.id"],
            name=op.f("fk_alert_feedback_clinic_id_alert_id"),
        ),
        sa.PrimaryKeyConstraint(
            "clinic_id", "alert_id", "account_id", "code", name=op.f("pk_alert_feedback")
        ),
    )


def downgrade() -> None:
    """Take the columns away; states that the version before does not know become ones it does."""
    op.drop_table("alert_feedback")
    for name, table, _ in _INDEXES:
        op.drop_index(name, table_name=table)
    op.execute("UPDATE deliveries SET state = 'delivered' WHERE state IN ('accepted', 'unknown')")
    op.execute("UPDATE deliveries SET state = 'queued' WHERE state = 'sent'")
    op.execute("UPDATE deliveries SET state = 'given_up' WHERE state = 'failed'")
    for name in ("level", "held", *(name for name, _ in _DELIVERIES)):
        op.drop_column("deliveries", name)
    op.drop_column("clinics", "language")
    for name in ("waiting_since", "snoozed", *(name for name, _ in _ALERTS)):
        op.drop_column("alerts", name)
