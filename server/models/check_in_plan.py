"""How one patient is asked and reminded."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class CheckInPlan(Base):
    """Times are civil times of the patient's zone, which is the patient's and is not repeated here.

    `pause_first` .. `pause_last` are local days, both included. `scales` is set by the care team.
    `next_at` is when the reminder job has to look at this patient next; None: never, until a change.
    """

    __tablename__ = "check_in_plans"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "next_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    reminders: Mapped[bool]
    remind_at: Mapped[time]
    every_days: Mapped[int]
    quiet_from: Mapped[time]
    quiet_until: Mapped[time]
    pause_first: Mapped[date | None]
    pause_last: Mapped[date | None]
    scales: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int]

    @property
    def pause(self) -> dict[str, date] | None:
        """The holiday from reminders, None where there is none."""
        if self.pause_first is None or self.pause_last is None:
            return None
        return {"first": self.pause_first, "last": self.pause_last}
