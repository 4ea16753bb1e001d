"""The keys of a clinic's digests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class ClinicDigestKey(Base):
    """One key that only makes digests, wrapped by the master key; it stays when data keys change.

    `use`: "content" tells a repeated request from a changed one, "lookup" finds who has an address.
    """

    __tablename__ = "clinic_digest_keys"

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    use: Mapped[str] = mapped_column(String(16), primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
