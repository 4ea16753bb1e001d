"""The frozen baseline of an arm and every judgement of the watch."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Arm, WatchState
from server.models.base import Base
from server.models.types import Coded, Instant


class Assessment(Base):
    """One judgement for a patient, arm and local day. A later one with newer data is a new row.

    `data_version` is the patient's change counter it was made from, `policy_version` the clinic's policy,
    `patient_policy_version` what was otherwise for this patient (0: nothing): the same three give the
    same judgement, so writing it again is a no-op. Each of them only rises.
    """

    __tablename__ = "assessments"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    arm: Mapped[Arm] = mapped_column(Coded(Arm), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    data_version: Mapped[int] = mapped_column(primary_key=True)
    policy_version: Mapped[int] = mapped_column(primary_key=True)
    patient_policy_version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[WatchState] = mapped_column(Coded(WatchState))
    signal: Mapped[bool]
    rules: Mapped[list[str]] = mapped_column(JSON)
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant)
