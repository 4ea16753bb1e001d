"""The words a clinic is licensed to hold for a scale that is shipped without any."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class ScaleText(Base):
    """One revision of a clinic's words for a slot in one locale; append-only, the newest is shown.

    Earlier revisions stay: they say what patients were asked at the time.
    """

    __tablename__ = "scale_texts"

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    instrument: Mapped[str] = mapped_column(String(64), primary_key=True)
    instrument_version: Mapped[int] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(String(35), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    texts: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[UUID | None]
