"""Filled validated scales and every version they had."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Sensitivity, Source
from server.models.base import Base
from server.models.sealed import SealedJson
from server.models.types import Coded, Instant


class QuestionnaireResponse(Base):
    """The current version. The phone makes the id, so the same response sent twice is the same row.

    `instrument`, `instrument_version` and `locale` name what was asked; the answers and everything
    made from them stay tied to that, whatever version comes later. `answers` maps item ids to whole
    numbers or null; `entered_total` is a total typed in instead of answers. `total`, `subscores`,
    `band`, `prorated` and `missing` are the score as it was made then; `safety` lists what could not
    wait, `safety_missing` the safety items nobody answered: their absence is no "no". `occurrence`
    names the check-in it answers; `superseded`: another answer to it was filled later and counts instead.
    `sequence` is the patient's change counter at the last write. `clock_skew_seconds` is how far the
    phone's clock was behind ours when it sent this version. `content_hash` is keyed: a plain one would
    let the answers be guessed.
    """

    __tablename__ = "questionnaire_responses"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id", "instrument", "occurred_at"),
        Index(None, "clinic_id", "patient_id", "sequence"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    instrument: Mapped[str] = mapped_column(String(64))
    instrument_version: Mapped[int]
    locale: Mapped[str] = mapped_column(String(35))
    sensitivity: Mapped[Sensitivity] = mapped_column(Coded(Sensitivity))
    occurrence: Mapped[str | None] = mapped_column(String(80))
    superseded: Mapped[bool]
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    zone: Mapped[str] = mapped_column(String(64))
    local_day: Mapped[date]
    recorded_at: Mapped[datetime | None] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    source: Mapped[Source] = mapped_column(Coded(Source))
    clock_skew_seconds: Mapped[int | None] = mapped_column(BigInteger)
    clock_suspect: Mapped[bool]
    sealed_answers: Mapped[bytes | None] = mapped_column(LargeBinary)
    answers = SealedJson("sealed_answers", empty=dict)
    entered_total: Mapped[float | None]
    total: Mapped[float | None]
    subscores: Mapped[dict[str, float | None]] = mapped_column(JSON)
    band: Mapped[str | None] = mapped_column(String(64))
    prorated: Mapped[bool]
    missing: Mapped[list[str]] = mapped_column(JSON)
    sealed_safety: Mapped[bytes | None] = mapped_column(LargeBinary)
    safety = SealedJson("sealed_safety", empty=list)
    safety_missing: Mapped[list[str]] = mapped_column(JSON)
    content_hash: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int]
    deleted_at: Mapped[datetime | None] = mapped_column(Instant)


class QuestionnaireResponseRevision(Base):
    """One version of a response as it was received; append-only. A deletion is one without content."""

    __tablename__ = "questionnaire_response_revisions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "patient_id", "response_id"],
            [
                "questionnaire_responses.clinic_id",
                "questionnaire_responses.patient_id",
                "questionnaire_responses.id",
            ],
        ),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    response_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sealed_content: Mapped[bytes | None] = mapped_column(LargeBinary)
    content = SealedJson("sealed_content")
    received_at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[UUID | None]
