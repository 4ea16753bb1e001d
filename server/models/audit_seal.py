"""Where each audit event stands in the chain of its clinic, append-only."""

from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base


class AuditSeal(Base):
    """One link: the event at ``position`` (from 1, without a gap) and the SHA-256 over it and all before.

    ``proof``: an HMAC over position and digest under the clinic's key, on the last link of each run.
    """

    __tablename__ = "audit_seals"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "event_id"], ["audit_events.clinic_id", "audit_events.id"]),
        UniqueConstraint("clinic_id", "event_id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    proof: Mapped[str | None] = mapped_column(String(64))
