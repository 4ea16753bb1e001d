"""What was answered to a request that made something, so that the same request again makes nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.sealed import SealedJson
from server.models.types import Instant


class KeptAnswer(Base):
    """`digest` names the key that a client gave its request, `request` all that it asked for; both are keyed.

    `patient_id` is whom it is about: with them the answer goes. `said` is empty only while the request's own
    transaction runs.
    """

    __tablename__ = "kept_answers"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "account_id"], ["accounts.clinic_id", "accounts.id"]),
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        Index(None, "clinic_id", "patient_id"),
        Index(None, "clinic_id", "created_at"),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    sealed_said: Mapped[bytes | None] = mapped_column(LargeBinary)
    said = SealedJson("sealed_said")
    patient_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
