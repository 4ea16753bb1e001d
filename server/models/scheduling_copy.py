"""A suggestion in the clinic's scheduling system: what is there, and what still has to get there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import CopyState, PeerStatus
from server.models.base import Base
from server.models.types import Coded, Instant


class SchedulingCopy(Base):
    """`sent_version` is the version of ours that the system has. `etag`, `peer_status`, `peer_changed_at`:
    what we have seen of its own. `due_at`: when it is to be pushed or asked next. `attempt` is the fencing
    number; `failures` counts in a row.
    """

    __tablename__ = "scheduling_copies"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "suggestion_id"], ["booking_suggestions.clinic_id", "booking_suggestions.id"]
        ),
        ForeignKeyConstraint(
            ["clinic_id", "connection_id"], ["scheduling_connections.clinic_id", "scheduling_connections.id"]
        ),
        Index(None, "state", "due_at"),
        Index(None, "clinic_id", "connection_id", "external_id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    suggestion_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID]
    state: Mapped[CopyState] = mapped_column(Coded(CopyState))
    external_id: Mapped[str | None] = mapped_column(String(200))
    etag: Mapped[str | None] = mapped_column(String(200))
    sent_version: Mapped[int]
    peer_status: Mapped[PeerStatus | None] = mapped_column(Coded(PeerStatus))
    peer_changed_at: Mapped[datetime | None] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    attempt: Mapped[int]
    failures: Mapped[int]
    failure: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
