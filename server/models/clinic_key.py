"""The keys that seal a clinic's texts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class ClinicKey(Base):
    """One data key, wrapped by the master key; the highest `key_id` seals, all of them open.

    Without these rows nothing the clinic has sealed can be read again, backups of the rest included.
    """

    __tablename__ = "clinic_keys"

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    key_id: Mapped[int] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
