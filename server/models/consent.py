"""What a patient agreed to and what they withdrew: one row for each word, append-only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import ConsentWay, Language, Purpose
from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Coded, Instant


class Consent(Base):
    """One word of a patient. The last one of a purpose counts.

    `version`, `language` and `text_hash` name the text it was about; 0 and None where there was none.
    `account_id`: who recorded it; None for an SMS. `witness`: who saw what the clinic recorded.
    """

    __tablename__ = "consents"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id", "purpose", "at"),
        Index(None, "at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID]
    purpose: Mapped[Purpose] = mapped_column(Coded(Purpose))
    given: Mapped[bool]
    version: Mapped[int]
    language: Mapped[Language | None] = mapped_column(Coded(Language, 2))
    text_hash: Mapped[str | None] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)
    way: Mapped[ConsentWay] = mapped_column(Coded(ConsentWay))
    account_id: Mapped[UUID | None]
    sealed_witness: Mapped[bytes | None] = mapped_column(LargeBinary)
    witness = Sealed("sealed_witness")
