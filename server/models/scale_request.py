"""A scale the watch asked a patient for."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Arm
from server.models.base import Base
from server.models.types import Coded, Instant


class ScaleRequest(Base):
    """Asked on `local_day`, open until the end of `last_day`; whether it was answered is not kept here.

    `judged_day` is the day whose judgement of `arm` asked. Written once.
    """

    __tablename__ = "scale_requests"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    instrument: Mapped[str] = mapped_column(String(64), primary_key=True)
    local_day: Mapped[date] = mapped_column(primary_key=True)
    last_day: Mapped[date]
    arm: Mapped[Arm] = mapped_column(Coded(Arm))
    judged_day: Mapped[date]
    asked_at: Mapped[datetime] = mapped_column(Instant)
