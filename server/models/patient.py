"""A patient of one clinic."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.partial import partial_index
from server.models.types import Instant

_ASIDE = text("set_aside_at IS NOT NULL")


class Patient(Base):
    """`change_counter` rises with every write to the journal, under this row's lock: it orders the changes.

    `next_close_at` is when the current local day ends; the day-close job looks for patients past it.
    `bipolar_risk` lists codes of `clinical.vocabulary.BipolarRisk`, as known at enrolment.
    `set_aside_at` is set while it could not judge the patient. `policy_version` is the version of the
    patient's own thresholds, 0 while there never were any. `leaving_at` is set once an erasure was
    confirmed: from then on nobody finds the patient. `team_withdrawn_at`: since when the care team may
    not read the diary, because the patient withdrew their consent; None while it may.
    """

    __tablename__ = "patients"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "clinician_id"], ["accounts.clinic_id", "accounts.id"]),
        Index(None, "clinic_id", "next_close_at", "id"),
        partial_index("ix_patients_set_aside", "clinic_id", where=_ASIDE),
        Index(None, "enrolled_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    birth_year: Mapped[int | None]
    zone: Mapped[str] = mapped_column(String(64))
    country: Mapped[str] = mapped_column(String(2))
    bipolar_risk: Mapped[list[str]] = mapped_column(JSON, default=list)
    clinician_id: Mapped[UUID | None]
    paused_until: Mapped[datetime | None] = mapped_column(Instant)
    change_counter: Mapped[int]
    next_close_at: Mapped[datetime] = mapped_column(Instant)
    set_aside_at: Mapped[datetime | None] = mapped_column(Instant)
    enrolled_at: Mapped[datetime | None] = mapped_column(Instant)
    team_withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    policy_version: Mapped[int]
    leaving_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
