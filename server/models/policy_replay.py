"""A draft policy tried on the clinic's past, and what came out for each patient."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.clinical.vocabulary import ReplayState
from server.models.base import Base
from server.models.partial import partial_index
from server.models.sealed import SealedJson
from server.models.types import Coded, Instant

_RUNNING = text("state = 'running'")


class PolicyReplay(Base):
    """One replay. At most one of a clinic runs: the partial index sees to it.

    `values` are those of the draft, `draft_version` its version where it is one; `base_version` is the
    policy it is compared with. `cursor` is the last patient done with. A worker holds it until
    `lease_until`; `attempt` rises with every worker that takes it, so that one who lost it can tell.
    `tries` counts the takings since it last got on.
    """

    __tablename__ = "policy_replays"
    __table_args__ = (
        partial_index(
            "uq_policy_replays_one_running",
            "clinic_id",
            unique=True,
            where=_RUNNING,
        ),
        Index(None, "state", "lease_until"),
    )

    clinic_id: Mapped[UUID] = mapped_column(ForeignKey("clinics.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[ReplayState] = mapped_column(Coded(ReplayState))
    draft_version: Mapped[int | None]
    base_version: Mapped[int]
    values: Mapped[dict[str, float]] = mapped_column("overrides", JSON)
    first: Mapped[date]
    last: Mapped[date]
    done: Mapped[int]
    total: Mapped[int]
    cursor: Mapped[UUID | None]
    attempt: Mapped[int]
    tries: Mapped[int]
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    failure: Mapped[str | None] = mapped_column(String(64))
    sealed_result: Mapped[bytes | None] = mapped_column(LargeBinary)
    result = SealedJson("sealed_result")
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[UUID | None]
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class PolicyReplayPatient(Base):
    """What the two policies would have said of one patient."""

    __tablename__ = "policy_replay_patients"
    __table_args__ = (
        ForeignKeyConstraint(["clinic_id", "replay_id"], ["policy_replays.clinic_id", "policy_replays.id"]),
        ForeignKeyConstraint(["clinic_id", "patient_id"], ["patients.clinic_id", "patients.id"]),
    )

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    replay_id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(primary_key=True)
    differs: Mapped[bool]
    sealed_found: Mapped[bytes] = mapped_column(LargeBinary)
    found = SealedJson("sealed_found")
