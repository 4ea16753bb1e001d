"""Somebody is on call for a while, once or every week."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class Shift(Base):
    """`starts` and `ends` are civil times of the clinic's zone, without an offset.

    `weekly_until`: it comes again every seven days, last on this day at the latest; None: only once.
    """

    __tablename__ = "shifts"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        Index(None, "clinic_id", "starts"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    starts: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    ends: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    weekly_until: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
