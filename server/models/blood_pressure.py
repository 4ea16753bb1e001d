"""A blood pressure at rest, as the clinic measured or took it over."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class BloodPressure(Base):
    """In mmHg. `local_day` is the patient's civil day of `measured_at`, frozen when it is recorded.

    One that was recorded by mistake is withdrawn, and counts no more.
    """

    __tablename__ = "blood_pressures"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id", "measured_at"),
        Index("ix_blood_pressures_patient", "clinic_id", "patient_id", "id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    measured_at: Mapped[datetime] = mapped_column(Instant)
    local_day: Mapped[date]
    systolic: Mapped[int]
    diastolic: Mapped[int]
    recorded_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawn_by: Mapped[UUID | None]
    version: Mapped[int]
