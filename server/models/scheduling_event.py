"""A message that a scheduling system sent us: kept once, looked at by a job."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import EventState
from server.models.base import Base
from server.models.sealed import SealedJson
from server.models.types import Coded, Instant


class SchedulingEvent(Base):
    """`event_id` is the sender's: the same again is the same row. `raw` is what was signed, and is
    forgotten once it has been looked at. `verdict` is a code.
    """

    __tablename__ = "scheduling_events"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "connection_id"], ["scheduling_connections.clinic_id", "scheduling_connections.id"]
        ),
        Index(None, "state", "due_at"),
        Index(None, "received_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    sealed_raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    raw = SealedJson("sealed_raw")
    state: Mapped[EventState] = mapped_column(Coded(EventState))
    verdict: Mapped[str | None] = mapped_column(String(64))
    suggestion_id: Mapped[UUID | None]
    received_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    attempt: Mapped[int]
