"""A reason in law to keep what there is of a patient."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Instant


class LegalHold(Base):
    """Nothing of the patient is erased or runs out, up to `until` (included); None: until released."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    sealed_reason: Mapped[bytes] = mapped_column(LargeBinary)
    reason = Sealed("sealed_reason")
    until: Mapped[date | None]
    placed_by: Mapped[UUID]
    placed_at: Mapped[datetime] = mapped_column(Instant)
    released_at: Mapped[datetime | None] = mapped_column(Instant)
    released_by: Mapped[UUID | None]
    version: Mapped[int]
