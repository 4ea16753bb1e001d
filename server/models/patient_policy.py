"""One patient's own thresholds."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKeyConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Instant


class PatientPolicy(Base):
    """One version of what is otherwise for one patient; without values: as for everybody. Never changed."""

    __tablename__ = "patient_policies"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, float]] = mapped_column("overrides", JSON)
    sealed_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason = Sealed("sealed_reason")
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[UUID | None]
