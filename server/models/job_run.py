"""The run ledger: every run of every job leaves a row."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.models.base import Base
from server.models.types import Instant


class JobRun(Base):
    """`(job, slot)` is unique: ten clocks make one run. `done` counts what the run did."""

    __tablename__ = "job_runs"
    __table_args__ = (Index(None, "job", "finished_at"),)

    job: Mapped[str] = mapped_column(String(64), primary_key=True)
    slot: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    done: Mapped[int | None]
    failure: Mapped[str | None] = mapped_column(String(200))
