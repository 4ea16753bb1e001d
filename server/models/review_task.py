"""A visit, or something between us and a scheduling system, that a person has to look at."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import ReviewCode
from server.models.base import Base
from server.models.sealed import Sealed, SealedJson
from server.models.types import Coded, Instant


class ReviewTask(Base):
    """`key` makes the same finding one task. `detail` holds ids, states and times, never health data."""

    __tablename__ = "review_tasks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "suggestion_id"], ["booking_suggestions.clinic_id", "booking_suggestions.id"]
        ),
        Index("uq_review_tasks_clinic_id_key", "clinic_id", "key", unique=True),
        Index(None, "clinic_id", "settled_at", "id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(250))
    code: Mapped[ReviewCode] = mapped_column(Coded(ReviewCode))
    suggestion_id: Mapped[UUID | None]
    connection_id: Mapped[UUID | None]
    sealed_detail: Mapped[bytes] = mapped_column(LargeBinary)
    detail = SealedJson("sealed_detail")
    created_at: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_by: Mapped[UUID | None]
    sealed_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Sealed("sealed_note")
