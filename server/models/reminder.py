"""One reminder of one occurrence: written once, with the delivery that carries it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class Reminder(Base):
    """`key` is the occurrence's, so no occurrence is ever reminded of twice.

    Occurrences due at the same time share a delivery. `local_day` is the day of the slot.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        ForeignKeyConstraint(["clinic_id", "delivery_id"], ["deliveries.clinic_id", "deliveries.id"]),
        UniqueConstraint("clinic_id", "patient_id", "key"),
        Index(None, "clinic_id", "delivery_id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(String(80))
    local_day: Mapped[date]
    delivery_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Instant)
