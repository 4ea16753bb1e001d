"""A patient came into another time zone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class ZoneChange(Base):
    """From `since` on the patient is in `zone`; `account_id` reported it at `recorded_at`. Append-only.

    The zone of the latest `since` is the patient's; a late report of an earlier one is kept and
    changes nothing.
    """

    __tablename__ = "zone_changes"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id", "since"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    zone: Mapped[str] = mapped_column(String(64))
    since: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[UUID | None]
