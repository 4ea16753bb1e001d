"""The tenant and its policy versions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class Clinic(Base):
    """One clinic. `slug` is typed to sign in; `zone` is for office hours, never for patients' days.

    `day_start` is the hour (0-6) at which a day of its patients starts where they are.
    """

    __tablename__ = "clinics"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    zone: Mapped[str] = mapped_column(String(64))
    country: Mapped[str] = mapped_column(String(2))
    day_start: Mapped[int]
    asks_safety_question: Mapped[bool]
    policy_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)


class PolicyVersion(Base):
    """One version of a clinic's thresholds; only what differs from the defaults is stored. Never changed."""

    __tablename__ = "policy_versions"

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, float]] = mapped_column("overrides", JSON)
    reason: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(Instant)
