"""What the care team knows of a patient that speaks against a visit, until when."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import PrecautionCode
from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Coded, Instant


class Precaution(Base):
    """Recorded by a clinician. `until`: the last local day it holds; None: until it is ended."""

    __tablename__ = "precautions"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id", "ended_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    code: Mapped[PrecautionCode] = mapped_column(Coded(PrecautionCode))
    since: Mapped[date]
    until: Mapped[date | None]
    sealed_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Sealed("sealed_note")
    recorded_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[UUID | None]
    version: Mapped[int]
