"""An alert episode for the care team and the log of what happened to it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState, Outcome
from server.models.base import Base
from server.models.sealed import Sealed, SealedJson
from server.models.types import Coded, Instant


class Alert(Base):
    """At most one episode that is not resolved per patient and family: the partial index sees to it.

    `urgency` only rises inside an episode. `level` is how far it was escalated, beside its state.
    What was found (codes, summary, evidence) states answers, so it is sealed like them.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(
            "uq_alerts_one_open",
            "clinic_id",
            "patient_id",
            "family",
            unique=True,
            sqlite_where=text("state <> 'resolved'"),
            postgresql_where=text("state <> 'resolved'"),
        ),
        Index(None, "clinic_id", "state", "urgency", "opened_at"),
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
    acknowledged_at: Mapped[datetime | None] = mapped_column(Instant)
    acknowledged_by: Mapped[UUID | None]
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_by: Mapped[UUID | None]
    outcome: Mapped[Outcome | None] = mapped_column(Coded(Outcome))
    sealed_resolution_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    resolution_note = Sealed("sealed_resolution_note")
    version: Mapped[int]


class AlertEvent(Base):
    """One line of an episode's log: opened, repeated, worsened, acknowledged, escalated, resolved."""

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
