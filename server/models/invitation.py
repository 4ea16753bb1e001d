"""An invitation to enrol: single use, short-lived, bound to a clinic, a role and perhaps a patient."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import InvitationProof, Role
from server.models.base import Base
from server.models.types import Coded, Instant


class Invitation(Base):
    """The code itself is never stored, only its SHA-256; address and proof only as keyed digests.

    `tries` counts who had the code and not the rest.
    """

    __tablename__ = "invitations"
    __table_args__ = (Index("ix_invitations_patient", "clinic_id", "patient_id", "id"),)

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[Role] = mapped_column(Coded(Role))
    name: Mapped[str] = mapped_column(String(200))
    patient_id: Mapped[UUID | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    email_digest: Mapped[str | None] = mapped_column(String(64))
    proof: Mapped[InvitationProof | None] = mapped_column(Coded(InvitationProof))
    proof_digest: Mapped[str | None] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
