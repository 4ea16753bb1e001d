"""An administrator opened a patient's record in an emergency: why, and until when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Instant


class BreakGlass(Base):
    """Never changed: `expires_at` ends it by itself, and early where a restore has brought it back."""

    __tablename__ = "break_glass"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "account_id", "patient_id", "expires_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    patient_id: Mapped[UUID]
    sealed_reason: Mapped[bytes] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)

    reason = Sealed("sealed_reason")
