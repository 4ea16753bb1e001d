"""Somebody asked for a way back in: for which address, and the link that was sent, if any."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Instant


class Recovery(Base):
    """Written alike for every address; a job looks later whether there is such an account (`looked_at`).

    Where there is, `code_hash` is the SHA-256 of the link's code, and `code` holds it until it is sent.
    """

    __tablename__ = "recoveries"
    __table_args__ = (Index(None, "looked_at", "requested_at"),)

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed_email: Mapped[bytes] = mapped_column(LargeBinary)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    looked_at: Mapped[datetime | None] = mapped_column(Instant)
    account_id: Mapped[UUID | None]
    code_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    sealed_code: Mapped[bytes | None] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)

    email = Sealed("sealed_email")
    code = Sealed("sealed_code")
