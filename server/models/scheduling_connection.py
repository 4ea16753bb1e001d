"""A clinic's connection to its scheduling system, and what that system calls our things."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import ConnectionKind, MappingKind
from server.models.base import Base
from server.models.partial import partial_index
from server.models.sealed import Sealed, SealedJson
from server.models.types import Coded, Instant

_IN_USE = text("retired_at IS NULL")


class SchedulingConnection(Base):
    """`config` is the adapter's own; `secrets` (the newest first) sign what the system sends us,
    as `proof` (scheme and names of headers) says.

    `checked_at`: when all of it was last compared. `answered_at`: its last good answer; `failing_since` and
    `failure` (a code) are set while it does not give any. A clinic has one in use.
    """

    __tablename__ = "scheduling_connections"
    __table_args__ = (
        Index(None, "retired_at", "checked_at"),
        partial_index(
            "uq_scheduling_connections_one_in_use",
            "clinic_id",
            unique=True,
            where=_IN_USE,
        ),
        Index(None, "id"),
    )

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[ConnectionKind] = mapped_column(Coded(ConnectionKind))
    name: Mapped[str] = mapped_column(String(100))
    sealed_config: Mapped[bytes] = mapped_column(LargeBinary)
    config = SealedJson("sealed_config")
    sealed_secrets: Mapped[bytes | None] = mapped_column(LargeBinary)
    secrets = SealedJson("sealed_secrets", list)
    proof: Mapped[dict[str, str]] = mapped_column(JSON)
    rotated_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
    checked_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    failing_since: Mapped[datetime | None] = mapped_column(Instant)
    failure: Mapped[str | None] = mapped_column(String(64))
    retired_at: Mapped[datetime | None] = mapped_column(Instant)


class SchedulingMapping(Base):
    """What the system behind a connection calls one thing of ours. `ours`: an id, or a word of ours."""

    __tablename__ = "scheduling_mappings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "connection_id"], ["scheduling_connections.clinic_id", "scheduling_connections.id"]
        ),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[MappingKind] = mapped_column(Coded(MappingKind), primary_key=True)
    ours: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed_theirs: Mapped[bytes] = mapped_column(LargeBinary)
    theirs = Sealed("sealed_theirs")
