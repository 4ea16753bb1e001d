"""What the patient reported at one moment, and every version it ever had."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import EnteredBy, SafetyAnswer, Source
from server.models.base import Base
from server.models.partial import partial_index
from server.models.sealed import Sealed, SealedJson
from server.models.types import Coded, Instant

# Of an imported entry the id alone may be known.
IMPORTED = text("source = 'import'")


class Entry(Base):
    """The current version. The phone makes the id, so the same entry sent twice is the same row.

    `occurred_at` is when it was felt (UTC), `zone` where; `local_day` is the patient's civil day,
    frozen at capture. `items` maps item keys to values in the item's own unit; `side_effects` maps
    term keys to severities 0-4; `side_effect_onset` maps some of them to when the patient says they
    began (RFC 3339, UTC); `side_effect_details` is what was worked out of both when the entry was
    last judged (`clinical.side_effects.Detail` as JSON). `sequence` is the patient's change counter at
    the last write.
    `clock_skew_seconds` is how far the phone's clock was behind ours when it sent this version.
    `day_reliable`: it was not off so far that the entry's day means nothing; only such days are judged.
    `content_hash` is keyed: a plain one would let a short note be guessed.
    """

    __tablename__ = "entries"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id", "local_day", "id"),
        partial_index("ix_entries_imported", "clinic_id", "id", where=IMPORTED),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    zone: Mapped[str] = mapped_column(String(64))
    local_day: Mapped[date]
    recorded_at: Mapped[datetime | None] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    source: Mapped[Source] = mapped_column(Coded(Source))
    entered_by: Mapped[EnteredBy] = mapped_column(Coded(EnteredBy))
    clock_skew_seconds: Mapped[int | None] = mapped_column(BigInteger)
    day_reliable: Mapped[bool]
    clock_suspect: Mapped[bool]
    items: Mapped[dict[str, float]] = mapped_column(JSON)
    side_effects: Mapped[dict[str, int]] = mapped_column(JSON)
    side_effect_onset: Mapped[dict[str, str]] = mapped_column(JSON)
    side_effect_details: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    hours_since_session: Mapped[float | None]
    safety: Mapped[SafetyAnswer | None] = mapped_column(Coded(SafetyAnswer))
    medication: Mapped[dict[str, Any]] = mapped_column(JSON)
    sealed_tags: Mapped[bytes | None] = mapped_column(LargeBinary)
    tags = SealedJson("sealed_tags", empty=list)
    sealed_circumstances: Mapped[bytes | None] = mapped_column(LargeBinary)
    circumstances = SealedJson("sealed_circumstances", empty=list)
    sealed_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    note = Sealed("sealed_note")
    content_hash: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int]
    deleted_at: Mapped[datetime | None] = mapped_column(Instant)


class EntryRevision(Base):
    """One version of an entry as it was received; append-only. A deletion is a version without content."""

    __tablename__ = "entry_revisions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "patient_id", "entry_id"],
            ["entries.clinic_id", "entries.patient_id", "entries.id"],
        ),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sealed_content: Mapped[bytes | None] = mapped_column(LargeBinary)
    content = SealedJson("sealed_content")
    received_at: Mapped[datetime] = mapped_column(Instant)
    account_id: Mapped[UUID | None]

    @property
    def deleted(self) -> bool:
        """Whether this version is a deletion."""
        return self.sealed_content is None
