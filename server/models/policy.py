"""A clinic's thresholds: every version there was, and when each was switched on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import Sealed
from server.models.types import Instant


class PolicyVersion(Base):
    """One version of a clinic's thresholds; only what differs from the defaults is stored. Never changed."""

    __tablename__ = "policy_versions"

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, float]] = mapped_column("overrides", JSON)
    sealed_reason: Mapped[bytes] = mapped_column(LargeBinary)
    reason = Sealed("sealed_reason")
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[UUID | None]


class PolicyActivation(Base):
    """A version was switched on, at most once each. Without a reason of its own the version's holds."""

    __tablename__ = "policy_activations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["clinic_id", "version"], ["policy_versions.clinic_id", "policy_versions.version"]
        ),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    activated_at: Mapped[datetime] = mapped_column(Instant)
    activated_by: Mapped[UUID | None]
    sealed_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason = Sealed("sealed_reason")
