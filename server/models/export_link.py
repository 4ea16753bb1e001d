"""Leave to take away all there is of one patient, by a link, for a day."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKeyConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Instant


class ExportLink(Base):
    """No file lies anywhere: what a link gives is made while it is read. `formats`: as which files.

    `asked_by` asked for it; `reason` says why, where that is not the patient. `taken` counts the readings.
    """

    __tablename__ = "export_links"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id", "id"),
        Index(None, "expires_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    asked_by: Mapped[UUID]
    formats: Mapped[list[str]] = mapped_column(JSON)
    sealed_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason = Sealed("sealed_reason")
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    taken: Mapped[int]
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
