"""The visit: scheduling systems, their copies and messages, reviews, precautions, and the patient's side.

Revision ID: 0004
Revises: 0003
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
TABLES: tuple[str, ...] = ("clinics", "patients", "booking_suggestions", "contact_points", "deliveries")

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables and columns; a visit takes ninety minutes unless the clinic says otherwise."""
    op.create_table(
        "calendar_feeds",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("read_at", _MOMENT, nullable=True),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_calendar_feeds_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_feeds_digest")),
    )
    op.create_table(
        "scheduling_connections",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("sealed_config", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=True),
        sa.Column("proof", sa.JSON(), nullable=False),
        sa.Column("rotated_at", _MOMENT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("checked_at", _MOMENT, nullable=True),
        sa.Column("answered_at", _MOMENT, nullable=True),
        sa.Column("failing_since", _MOMENT, nullable=True),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.Column("retired_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f("fk_scheduling_connections_clinic_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_scheduling_connections")),
    )
    op.create_index(op.f("ix_scheduling_connections_id"), "scheduling_connections", ["id"])
    op.create_index(
        "uq_scheduling_connections_one_in_use",
        "scheduling_connections",
        ["clinic_id"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_index(
        op.f("ix_scheduling_connections_retired_at_checked_at"),
        "scheduling_connections",
        ["retired_at", "checked_at"],
        unique=False,
    )
    op.create_table(
        "scheduling_events",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("sealed_raw", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=64), nullable=True),
        sa.Column("suggestion_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "connection_id"],
            ["scheduling_connections.clinic_id", "scheduling_connections.id"],
            name=op.f("fk_scheduling_events_clinic_id_connection_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "connection_id", "event_id", name=op.f("pk_scheduling_events")),
    )
    op.create_index(
        op.f("ix_scheduling_events_received_at"), "scheduling_events", ["received_at"], unique=False
    )
    op.create_index(
        op.f("ix_scheduling_events_state_due_at"), "scheduling_events", ["state", "due_at"], unique=False
    )
    op.create_table(
        "scheduling_mappings",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("ours", sa.String(length=64), nullable=False),
        sa.Column("sealed_theirs", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "connection_id"],
            ["scheduling_connections.clinic_id", "scheduling_connections.id"],
            name=op.f("fk_scheduling_mappings_clinic_id_connection_id"),
        ),
        sa.PrimaryKeyConstraint(
            "clinic_id", "connection_id", "kind", "ours", name=op.f("pk_scheduling_mappings")
        ),
    )
    op.create_table(
        "precautions",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_precautions_clinic_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_precautions")),
    )
    op.create_index(
        op.f("ix_precautions_clinic_id_patient_id_ended_at"),
        "precautions",
        ["clinic_id", "patient_id", "ended_at"],
        unique=False,
    )
    op.create_table(
        "blood_pressures",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("measured_at", _MOMENT, nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("systolic", sa.Integer(), nullable=False),
        sa.Column("diastolic", sa.Integer(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("withdrawn_at", _MOMENT, nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_blood_pressures_clinic_id_patient_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_blood_pressures")),
    )
    op.create_index(
        op.f("ix_blood_pressures_clinic_id_patient_id_measured_at"),
        "blood_pressures",
        ["clinic_id", "patient_id", "measured_at"],
        unique=False,
    )
    op.create_table(
        "candidate_slots",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("suggestion_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("sealed_link", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "suggestion_id"],
            ["booking_suggestions.clinic_id", "booking_suggestions.id"],
            name=op.f("fk_candidate_slots_clinic_id_suggestion_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "suggestion_id", "starts_at", name=op.f("pk_candidate_slots")),
    )
    op.create_table(
        "review_tasks",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("suggestion_id", sa.Uuid(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("sealed_detail", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("settled_at", _MOMENT, nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["clinic_id", "suggestion_id"],
            ["booking_suggestions.clinic_id", "booking_suggestions.id"],
            name=op.f("fk_review_tasks_clinic_id_suggestion_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_review_tasks")),
    )
    op.create_index(
        op.f("ix_review_tasks_clinic_id_settled_at_id"),
        "review_tasks",
        ["clinic_id", "settled_at", "id"],
        unique=False,
    )
    op.create_index("uq_review_tasks_clinic_id_key", "review_tasks", ["clinic_id", "key"], unique=True)
    op.create_table(
        "scheduling_copies",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("suggestion_id", sa.Uuid(), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=True),
        sa.Column("etag", sa.String(length=200), nullable=True),
        sa.Column("sent_version", sa.Integer(), nullable=False),
        sa.Column("peer_status", sa.String(length=32), nullable=True),
        sa.Column("peer_changed_at", _MOMENT, nullable=True),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=64), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "connection_id"],
            ["scheduling_connections.clinic_id", "scheduling_connections.id"],
            name=op.f("fk_scheduling_copies_clinic_id_connection_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "suggestion_id"],
            ["booking_suggestions.clinic_id", "booking_suggestions.id"],
            name=op.f("fk_scheduling_copies_clinic_id_suggestion_id"),
        ),
        sa.PrimaryKeyConstraint("clinic_id", "suggestion_id", name=op.f("pk_scheduling_copies")),
    )
    op.create_index(
        op.f("ix_scheduling_copies_clinic_id_connection_id_external_id"),
        "scheduling_copies",
        ["clinic_id", "connection_id", "external_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scheduling_copies_state_due_at"), "scheduling_copies", ["state", "due_at"], unique=False
    )
    op.create_index(
        op.f("ix_booking_suggestions_clinic_id_patient_id_id"),
        "booking_suggestions",
        ["clinic_id", "patient_id", "id"],
        unique=False,
    )
    op.add_column("booking_suggestions", sa.Column("ends_at", _MOMENT, nullable=True))
    op.add_column(
        "booking_suggestions", sa.Column("minutes", sa.Integer(), nullable=False, server_default="90")
    )
    op.add_column("booking_suggestions", sa.Column("proposed_starts_at", _MOMENT, nullable=True))
    op.add_column("booking_suggestions", sa.Column("proposed_ends_at", _MOMENT, nullable=True))
    op.add_column("booking_suggestions", sa.Column("offered_at", _MOMENT, nullable=True))
    # What was approved before is offered from now on as well.
    op.execute(
        "UPDATE booking_suggestions SET offered_at = changed_at WHERE state IN"
        " ('suggested', 'sent', 'acknowledged', 'booked', 'arrived', 'needs_attention')"
    )
    op.add_column("booking_suggestions", sa.Column("patient_answer", sa.String(length=32), nullable=True))
    op.add_column("booking_suggestions", sa.Column("patient_answered_at", _MOMENT, nullable=True))
    op.add_column("booking_suggestions", sa.Column("sealed_preferred_times", sa.LargeBinary(), nullable=True))
    op.add_column("booking_suggestions", sa.Column("unseen_told_at", _MOMENT, nullable=True))
    op.add_column("booking_suggestions", sa.Column("responded", sa.Boolean(), nullable=True))
    op.add_column("booking_suggestions", sa.Column("days_gained", sa.Integer(), nullable=True))
    op.add_column("booking_suggestions", sa.Column("gained_at_least", sa.Boolean(), nullable=True))
    op.add_column(
        "booking_suggestions",
        sa.Column("outcome_final", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("booking_suggestions", sa.Column("outcome_at", _MOMENT, nullable=True))
    op.add_column(
        "clinics",
        sa.Column("patient_messages_by", sa.String(length=32), nullable=False, server_default="clinic"),
    )
    op.add_column("clinics", sa.Column("visit_minutes", sa.Integer(), nullable=False, server_default="90"))
    _add_events()


def _add_events() -> None:
    """Let webhooks listen to visits; those of a system did so far get what it can't read, and only that."""
    op.add_column(
        "contact_points", sa.Column("hears_alerts", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column(
        "contact_points", sa.Column("hears_visits", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute(
        "UPDATE contact_points SET hears_alerts = false, hears_visits = true WHERE channel = 'webhook' AND EXISTS "
        "(SELECT 1 FROM accounts WHERE accounts.clinic_id = contact_points.clinic_id "
        "AND accounts.id = contact_points.account_id AND accounts.role = 'integration')"
    )
    op.create_index(
        op.f("ix_contact_points_clinic_id_channel_hears_visits"),
        "contact_points",
        ["clinic_id", "channel", "hears_visits"],
        unique=False,
    )
    op.add_column("deliveries", sa.Column("event_state", sa.String(length=32), nullable=True))
    op.add_column("deliveries", sa.Column("event_version", sa.Integer(), nullable=True))
    op.add_column("deliveries", sa.Column("tried_since", _MOMENT, nullable=True))
    op.add_column("deliveries", sa.Column("tries_before", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        op.f("ix_deliveries_clinic_id_contact_id_id"),
        "deliveries",
        ["clinic_id", "contact_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Take them away, and the events that an older version would take for messages."""
    op.execute("DELETE FROM deliveries WHERE subject IN ('suggestion', 'visit', 'webhook')")
    op.drop_index(op.f("ix_deliveries_clinic_id_contact_id_id"), table_name="deliveries")
    op.drop_column("deliveries", "tries_before")
    op.drop_column("deliveries", "tried_since")
    op.drop_column("deliveries", "event_version")
    op.drop_column("deliveries", "event_state")
    op.drop_index(op.f("ix_contact_points_clinic_id_channel_hears_visits"), table_name="contact_points")
    op.drop_column("contact_points", "hears_visits")
    op.drop_column("contact_points", "hears_alerts")
    op.drop_column("clinics", "visit_minutes")
    op.drop_column("clinics", "patient_messages_by")
    op.drop_column("booking_suggestions", "outcome_at")
    op.drop_column("booking_suggestions", "outcome_final")
    op.drop_column("booking_suggestions", "gained_at_least")
    op.drop_column("booking_suggestions", "days_gained")
    op.drop_column("booking_suggestions", "responded")
    op.drop_column("booking_suggestions", "unseen_told_at")
    op.drop_column("booking_suggestions", "sealed_preferred_times")
    op.drop_column("booking_suggestions", "patient_answered_at")
    op.drop_column("booking_suggestions", "patient_answer")
    op.drop_column("booking_suggestions", "offered_at")
    op.drop_column("booking_suggestions", "proposed_ends_at")
    op.drop_column("booking_suggestions", "proposed_starts_at")
    op.drop_column("booking_suggestions", "minutes")
    op.drop_column("booking_suggestions", "ends_at")
    op.drop_index(op.f("ix_booking_suggestions_clinic_id_patient_id_id"), table_name="booking_suggestions")
    op.drop_index(op.f("ix_scheduling_copies_state_due_at"), table_name="scheduling_copies")
    op.drop_index(
        op.f("ix_scheduling_copies_clinic_id_connection_id_external_id"), table_name="scheduling_copies"
    )
    op.drop_table("scheduling_copies")
    op.drop_index("uq_review_tasks_clinic_id_key", table_name="review_tasks")
    op.drop_index(op.f("ix_review_tasks_clinic_id_settled_at_id"), table_name="review_tasks")
    op.drop_table("review_tasks")
    op.drop_table("candidate_slots")
    op.drop_index(op.f("ix_precautions_clinic_id_patient_id_ended_at"), table_name="precautions")
    op.drop_table("precautions")
    op.drop_index(op.f("ix_blood_pressures_clinic_id_patient_id_measured_at"), table_name="blood_pressures")
    op.drop_table("blood_pressures")
    op.drop_table("scheduling_mappings")
    op.drop_index(op.f("ix_scheduling_events_state_due_at"), table_name="scheduling_events")
    op.drop_index(op.f("ix_scheduling_events_received_at"), table_name="scheduling_events")
    op.drop_table("scheduling_events")
    op.drop_index("uq_scheduling_connections_one_in_use", table_name="scheduling_connections")
    op.drop_index(op.f("ix_scheduling_connections_id"), table_name="scheduling_connections")
    op.drop_index(
        op.f("ix_scheduling_connections_retired_at_checked_at"), table_name="scheduling_connections"
    )
    op.drop_table("scheduling_connections")
    op.drop_table("calendar_feeds")
