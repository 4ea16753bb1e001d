"""What a clinic asks its patients to agree to, word for word; a version never changes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Purpose
from server.models.base import Base
from server.models.types import Coded, Instant


class ConsentText(Base):
    """One version of one purpose's text. `texts`: language -> {title, text}.

    `material`: it says something that matters, so whoever agreed to an earlier one is asked again.
    """

    __tablename__ = "consent_texts"

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    purpose: Mapped[Purpose] = mapped_column(Coded(Purpose), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    texts: Mapped[dict[str, dict[str, str]]] = mapped_column(JSON)
    material: Mapped[bool]
    published_at: Mapped[datetime] = mapped_column(Instant)
    published_by: Mapped[UUID | None]
