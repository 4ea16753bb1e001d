"""A course: a planned run of treatment sessions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Condition, Phase, Route
from server.models.base import Base
from server.models.types import Coded, Instant


class Course(Base):
    """`min_interval_days` and `max_interval_days` bound the window of a maintenance suggestion (days)."""

    __tablename__ = "courses"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[Route] = mapped_column(Coded(Route))
    condition: Mapped[Condition] = mapped_column(Coded(Condition))
    phase: Mapped[Phase] = mapped_column(Coded(Phase))
    started_on: Mapped[date]
    ended_on: Mapped[date | None]
    min_interval_days: Mapped[int]
    max_interval_days: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
