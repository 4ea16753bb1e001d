"""Who hears of an alert at a clinic, and when the clinic is at work."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class Rota(Base):
    """A clinic has one. Times are civil times of the clinic's zone, which is the clinic's and not repeated.

    `hours`: for each weekday from Monday on its spans `["08:00", "18:00"]`; closing at "00:00" is the
    day's end.
    `holidays`: `{"day": "2026-12-25", "name": "Christmas Day"}`. `steps`: whom each level tells, as
    targets. `armed_at`: since when monitoring is armed; None: it is not.
    """

    __tablename__ = "rotas"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "fallback_account_id"], ["accounts.clinic_id", "accounts.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    hours: Mapped[list[list[list[str]]]] = mapped_column(JSON)
    holidays: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    steps: Mapped[list[list[str]]] = mapped_column(JSON)
    fallback_account_id: Mapped[UUID | None]
    armed_at: Mapped[datetime | None] = mapped_column(Instant)
    armed_by: Mapped[UUID | None]
    version: Mapped[int]
