"""Who read or changed what, append-only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class AuditEvent(Base):
    """Ids and verbs only: no health data. `account_id` is None for the system's own jobs."""

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "clinic_id", "patient_id", "at"),)

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[UUID | None]
    object_id: Mapped[str | None] = mapped_column(String(64))
