"""Every move of an arm's stage: what the watch found, what a clinician said."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import Arm, MovedBy, Stage
from server.models.base import Base
from server.models.sealed import Sealed, SealedJson
from server.models.types import Coded, Instant


class WatchMove(Base):
    """Append-only. The rows of a day lead on from each other; one that `corrects` says that late data
    made those before it wrong.

    `after` equal to `before` says that on this day nothing moves any more. `begun` is the stage the day
    began with, as far as this row knew: with `after` it is what the day comes to. The key is made from what
    was judged (`data_version` is the patient's change counter), so that judging again adds nothing. By
    `made_at` each row of a day is later than those before it, whatever the clock said.
    """

    __tablename__ = "watch_moves"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
        ForeignKeyConstraint(["clinic_id", "alert_id"], ["alerts.clinic_id", "alerts.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    arm: Mapped[Arm] = mapped_column(Coded(Arm), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    by: Mapped[MovedBy] = mapped_column(Coded(MovedBy), primary_key=True)
    before: Mapped[Stage] = mapped_column(Coded(Stage), primary_key=True)
    after: Mapped[Stage] = mapped_column(Coded(Stage), primary_key=True)
    data_version: Mapped[int] = mapped_column(primary_key=True)
    policy_version: Mapped[int] = mapped_column(primary_key=True)
    patient_policy_version: Mapped[int] = mapped_column(primary_key=True)
    begun: Mapped[Stage] = mapped_column(Coded(Stage))
    corrects: Mapped[bool]
    alert_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    sealed_evidence: Mapped[bytes] = mapped_column(LargeBinary)
    evidence = SealedJson("sealed_evidence")
    sealed_text: Mapped[bytes] = mapped_column(LargeBinary)
    text = Sealed("sealed_text")
    sealed_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason = Sealed("sealed_reason")
    made_at: Mapped[datetime] = mapped_column(Instant)
