"""The erasure of a patient: asked for, confirmed, done. What is left is the tombstone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import ErasureReason, ErasureState
from server.models.base import Base
from server.models.partial import partial_index
from server.models.types import Coded, Instant

_UNDER_WAY = text("state IN ('asked', 'confirmed')")


class Erasure(Base):
    """Ids, moments and counts alone, and no key to the patient's row, which it outlives.

    `counts` (rows by table) is the receipt once it is done, `receipt_hash` its SHA-256. A worker holds it
    until `lease_until`. Peers are told first: rows go from `due_at` on. `listed_at`: it stands in the list
    outside the database.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        partial_index(
            "uq_erasures_one_under_way",
            "clinic_id",
            "patient_id",
            unique=True,
            where=_UNDER_WAY,
        ),
        Index(None, "state", "due_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    state: Mapped[ErasureState] = mapped_column(Coded(ErasureState))
    reason: Mapped[ErasureReason] = mapped_column(Coded(ErasureReason))
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_by: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    receipt_hash: Mapped[str | None] = mapped_column(String(64))
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    listed_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int]
