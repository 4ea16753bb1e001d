"""One treatment: planned, delivered or cancelled."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Route, SessionStatus
from server.models.base import Base
from server.models.types import Coded, Instant


class TreatmentSession(Base):
    """`local_day` is the patient's civil day of `at`, frozen when the session is recorded."""

    __tablename__ = "treatment_sessions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "patient_id", "course_id"],
            ["courses.clinic_id", "courses.patient_id", "courses.id"],
        ),
        Index(None, "clinic_id", "patient_id", "local_day"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    course_id: Mapped[UUID]
    route: Mapped[Route] = mapped_column(Coded(Route))
    status: Mapped[SessionStatus] = mapped_column(Coded(SessionStatus))
    at: Mapped[datetime] = mapped_column(Instant)
    local_day: Mapped[date]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
