"""Our proposal of a window for a visit, with its own life, and the log of its moves."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import UNSEEN_STATES, Arm, PatientAnswer, SuggestionState
from server.models.base import Base
from server.models.partial import partial_index
from server.models.sealed import Sealed, SealedJson
from server.models.types import Coded, Instant

ENDED = ("declined", "expired", "withdrawn", "superseded", "cancelled", "noshow", "fulfilled")
_STILL_OPEN = text(f"state NOT IN ({', '.join(repr(s) for s in ENDED)})")


class BookingSuggestion(Base):
    """At most one open suggestion per patient and programme (arm). The clinic decides the time, never we.

    `blocks` are the guards that speak against it: with any, approval needs a clinician's reason.
    `minutes`: how long the visit takes. `proposed_starts_at`, `proposed_ends_at`: a time the clinic asks
    the patient about. `offered_at`: since when the patient sees that a visit is offered; what they answered
    and the times they prefer come after it. `unseen_told_at`: when the care team was told that nobody at
    the clinic has looked. `responded`, `days_gained`: what became of it, known from the next baseline on;
    `gained_at_least`: it held for longer than was seen. `outcome_final`: nothing will change that any more.
    """

    __tablename__ = "booking_suggestions"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        partial_index(
            "uq_booking_suggestions_one_open",
            "clinic_id",
            "patient_id",
            "programme",
            unique=True,
            where=_STILL_OPEN,
        ),
        Index(None, "clinic_id", "state", "id"),
        Index(None, "clinic_id", "patient_id", "id"),
        Index("ix_booking_suggestions_made", "clinic_id", "created_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    programme: Mapped[Arm] = mapped_column(Coded(Arm))
    alert_id: Mapped[UUID | None]
    state: Mapped[SuggestionState] = mapped_column(Coded(SuggestionState))
    reason: Mapped[str] = mapped_column(String(32))
    urgency: Mapped[str] = mapped_column(String(16))
    earliest: Mapped[date]
    latest: Mapped[date]
    blocks: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    decided_by: Mapped[UUID | None]
    sealed_decision_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    decision_reason = Sealed("sealed_decision_reason")
    external_id: Mapped[str | None] = mapped_column(String(200))
    starts_at: Mapped[datetime | None] = mapped_column(Instant)
    ends_at: Mapped[datetime | None] = mapped_column(Instant)
    minutes: Mapped[int] = mapped_column(default=90)
    proposed_starts_at: Mapped[datetime | None] = mapped_column(Instant)
    proposed_ends_at: Mapped[datetime | None] = mapped_column(Instant)
    offered_at: Mapped[datetime | None] = mapped_column(Instant)
    patient_answer: Mapped[PatientAnswer | None] = mapped_column(Coded(PatientAnswer))
    patient_answered_at: Mapped[datetime | None] = mapped_column(Instant)
    sealed_preferred_times: Mapped[bytes | None] = mapped_column(LargeBinary)
    preferred_times = SealedJson("sealed_preferred_times", list)
    unseen_told_at: Mapped[datetime | None] = mapped_column(Instant)
    responded: Mapped[bool | None]
    days_gained: Mapped[int | None]
    gained_at_least: Mapped[bool | None]
    outcome_final: Mapped[bool] = mapped_column(default=False)
    outcome_at: Mapped[datetime | None] = mapped_column(Instant)
    treatment_session_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int]

    @property
    def unseen_since(self) -> datetime | None:
        """Since when it waits for somebody who makes appointments, None where it does not."""
        return self.offered_at if self.state in UNSEEN_STATES else None

    @property
    def unarranged_since(self) -> datetime | None:
        """Since when nothing came of it although somebody has looked, None where it does not wait so."""
        return self.changed_at if self.state is SuggestionState.ACKNOWLEDGED else None

    @property
    def undecided_since(self) -> datetime | None:
        """Since when it waits for a clinician's decision, None where it does not."""
        return self.created_at if self.state is SuggestionState.DRAFT else None

    @property
    def needs_review(self) -> bool:
        """Whether it is a draft that guards hold back: a task for a clinician."""
        return self.state is SuggestionState.DRAFT and bool(self.blocks)


class BookingSuggestionEvent(Base):
    """One move: who, when, from where to where, why."""

    __tablename__ = "booking_suggestion_events"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "suggestion_id"], ["booking_suggestions.clinic_id", "booking_suggestions.id"]
        ),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    suggestion_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]
    state: Mapped[SuggestionState] = mapped_column(Coded(SuggestionState))
    at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[UUID | None]
    sealed_detail: Mapped[bytes] = mapped_column(LargeBinary)
    detail = SealedJson("sealed_detail")
