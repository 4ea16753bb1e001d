"""A private address under which a calendar program reads the clinic's visits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class CalendarFeed(Base):
    """`digest` stands for the token in the address; nobody can read that back. `name`: for whom it is."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (UniqueConstraint("digest"),)

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64))
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
