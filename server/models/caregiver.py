"""Somebody whom a patient lets look after their diary."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKeyConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import CareScope, Relation
from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Coded, Instant


class Caregiver(Base):
    """Made when the patient invites; `account_id` once the invited person has come in.

    `scopes` are codes of `CareScope`. `email` is the address that the invitation is bound to.
    `seen_at`: when they last did something with the diary. `ended_by`: who ended it; the patient, as a
    rule, or the caregiver.
    """

    __tablename__ = "caregivers"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        ForeignKeyConstraint(["clinic_id", "invitation_id"], ["invitations.clinic_id", "invitations.id"]),
        Index(None, "clinic_id", "patient_id"),
        Index(None, "clinic_id", "account_id"),
        Index(None, "clinic_id", "invitation_id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    account_id: Mapped[UUID | None]
    invitation_id: Mapped[UUID]
    sealed_name: Mapped[bytes] = mapped_column(LargeBinary)
    name = Sealed("sealed_name")
    sealed_email: Mapped[bytes] = mapped_column(LargeBinary)
    email = Sealed("sealed_email")
    relation: Mapped[Relation] = mapped_column(Coded(Relation))
    scopes: Mapped[list[CareScope]] = mapped_column(JSON)
    invited_at: Mapped[datetime] = mapped_column(Instant)
    accepted_at: Mapped[datetime | None] = mapped_column(Instant)
    seen_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[UUID | None]
