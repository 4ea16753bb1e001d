"""A free time of the clinic's calendar, shown beside a suggestion for as long as it can be relied on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Instant


class CandidateSlot(Base):
    """Not shown after `expires_at`, unless it was looked up again. `link`: where the clinic books it."""

    __tablename__ = "candidate_slots"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "suggestion_id"], ["booking_suggestions.clinic_id", "booking_suggestions.id"]
        ),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    suggestion_id: Mapped[UUID] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    external_id: Mapped[str | None] = mapped_column(String(200))
    sealed_link: Mapped[bytes | None] = mapped_column(LargeBinary)
    link = Sealed("sealed_link")
