"""An alert episode for the care team, the log of what happened to it, and what people say of its rules."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Index, LargeBinary, String, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState, Outcome, Usefulness
from server.models.base import Base
from server.models.partial import partial_index
from server.models.sealed import Sealed, SealedJson
from server.models.types import Coded, Instant

_UNRESOLVED = "state <> 'resolved'"


class Alert(Base):
    """At most one episode that is not resolved per patient and family: the partial index sees to it.

    `urgency` only rises inside an episode. `level` is how far it was escalated, beside its state, and
    `waiting_since` from when the ladder counts: opened, worsened, or taken on and then left. An
    acknowledgement holds until `acknowledged_until`; `snoozed` says that it was put off on purpose.
    `exhausted_at`: everybody was told and nobody answered.
    What was found (codes, summary, evidence) states answers, so it is sealed like them.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        partial_index(
            "uq_alerts_one_open",
            "clinic_id",
            "patient_id",
            "family",
            unique=True,
            where=text(_UNRESOLVED),
        ),
        Index(None, "clinic_id", "state", "urgency", "opened_at"),
        partial_index(
            "ix_alerts_worklist",
            *("clinic_id", "urgency", "opened_at", "id"),
            where=text(_UNRESOLVED),
        ),
        Index(None, "state", "acknowledged_until"),
        Index(None, "clinic_id", "patient_id", "family"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    family: Mapped[AlertFamily] = mapped_column(Coded(AlertFamily))
    urgency: Mapped[AlertClass] = mapped_column(Coded(AlertClass))
    state: Mapped[AlertState] = mapped_column(Coded(AlertState))
    level: Mapped[int]
    day: Mapped[date]
    sealed_codes: Mapped[bytes] = mapped_column(LargeBinary)
    codes = SealedJson("sealed_codes")
    sealed_summary: Mapped[bytes] = mapped_column(LargeBinary)
    summary = Sealed("sealed_summary")
    sealed_evidence: Mapped[bytes] = mapped_column(LargeBinary)
    evidence = SealedJson("sealed_evidence")
    opened_at: Mapped[datetime] = mapped_column(Instant)
    worsened_at: Mapped[datetime] = mapped_column(Instant)
    waiting_since: Mapped[datetime] = mapped_column(Instant)
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    acknowledged_by: Mapped[UUID | None]
    acknowledged_until: Mapped[datetime | None] = mapped_column(Instant)
    snoozed: Mapped[bool] = mapped_column(default=False)
    assigned_to: Mapped[UUID | None]
    exhausted_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_by: Mapped[UUID | None]
    outcome: Mapped[Outcome | None] = mapped_column(Coded(Outcome))
    sealed_resolution_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    resolution_note = Sealed("sealed_resolution_note")
    version: Mapped[int]


# With the value in the statement's text: a database can't know that a parameter is the one of the index.
UNRESOLVED: ColumnElement[bool] = Alert.state != literal_column("'resolved'")


class AlertEvent(Base):
    """One line of an episode's log: opened, worsened, acknowledged, escalated, resolved and more."""

    __tablename__ = "alert_events"
    __table_args__ = (ForeignKeyConstraint(["clinic_id", "alert_id"], ["alerts.clinic_id", "alerts.id"]),)

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[UUID | None]
    sealed_detail: Mapped[bytes | None] = mapped_column(LargeBinary)
    detail = SealedJson("sealed_detail", empty=dict)


class AlertFeedback(Base):
    """What one person says of one rule that spoke in an alert: useful, or noise. The last word counts."""

    __tablename__ = "alert_feedback"
    __table_args__ = (ForeignKeyConstraint(["clinic_id", "alert_id"], ["alerts.clinic_id", "alerts.id"]),)

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    usefulness: Mapped[Usefulness] = mapped_column(Coded(Usefulness))
    at: Mapped[datetime] = mapped_column(Instant)
