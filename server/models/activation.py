"""Every judgement of the activation watch."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import AlertClass
from server.models.base import Base
from server.models.types import Coded, Instant


class Activation(Base):
    """One judgement for a patient and local day. A later one with newer data is a new row.

    `urgency` is null where no rule held. `data_version` is the patient's change counter it was made from,
    as for an assessment: writing the same judgement again is a no-op.
    """

    __tablename__ = "activations"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    data_version: Mapped[int] = mapped_column(primary_key=True)
    policy_version: Mapped[int] = mapped_column(primary_key=True)
    patient_policy_version: Mapped[int] = mapped_column(primary_key=True)
    urgency: Mapped[AlertClass | None] = mapped_column(Coded(AlertClass))
    rules: Mapped[list[str]] = mapped_column(JSON)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant)
