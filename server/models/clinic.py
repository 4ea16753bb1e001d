"""The tenant."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Language, MessagesBy
from server.models.base import Base
from server.models.types import Coded, Instant


class Clinic(Base):
    """One clinic. `slug` is typed to sign in; `zone` is for office hours, never for patients' days.

    `language` (ISO 639-1) is that of outgoing messages.
    `day_start` is the hour (0-6) at which a day of its patients starts where they are. `policy_version`
    is the version of its thresholds that is in force. `patient_messages_by`: who writes to patients about
    their visits, so that nobody is told twice. `visit_minutes`: how long a maintenance visit takes.
    `contacts_sealed`: addresses of e-mail lie here only sealed; false while processes of a version that
    reads them plain may run. `erased_at`: its keys were destroyed; nobody works here any more.
    """

    __tablename__ = "clinics"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    zone: Mapped[str] = mapped_column(String(64))
    country: Mapped[str] = mapped_column(String(2))
    language: Mapped[Language] = mapped_column(Coded(Language, 2), default=Language.EN)
    day_start: Mapped[int]
    asks_safety_question: Mapped[bool]
    patient_messages_by: Mapped[MessagesBy] = mapped_column(Coded(MessagesBy), default=MessagesBy.CLINIC)
    visit_minutes: Mapped[int] = mapped_column(default=90)
    policy_version: Mapped[int]
    contacts_sealed: Mapped[bool] = mapped_column(default=True)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
