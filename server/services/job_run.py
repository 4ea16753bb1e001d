"""The run ledger: who runs a slot, how it ended, and which jobs are late."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Select, delete, select
from sqlalchemy.orm import Session

from server.models import JobRun
from server.services.asking import insert_once

# So far two machines' clocks may be apart; more is a clock that was put back.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Slot:
    """One due time of one job: only one worker gets to run it."""

    job: str
    at: datetime


def begin(session: Session, slot: Slot, now: datetime) -> bool:
    """Write the slot's row. False where it is there already: another clock, or an earlier run, was first.

    Where runs are on record that are still to come, the clock was put back: they make room for their time.
    """
    if _write(session, slot, now):
        return True
    if not _take_away_ahead(session, slot, now):
        return False
    session.execute(delete(JobRun).where(JobRun.job == slot.job, JobRun.slot >= slot.at))
    return _write(session, slot, now)


def _write(session: Session, slot: Slot, now: datetime) -> bool:
    # In one step: an error for each that comes second would fill the database's own log.
    once = insert_once(JobRun, session.get_bind().dialect.name).returning(JobRun.slot)
    return session.scalar(once.values(job=slot.job, slot=slot.at, started_at=now)) is not None


def _take_away_ahead(session: Session, slot: Slot, now: datetime) -> bool:
    """Delete later runs that a clock still to come began; return whether there were any.

    Only one worker finds them: who comes next would delete the run that the first has begun meanwhile.
    """
    later = delete(JobRun).where(JobRun.job == slot.job, JobRun.slot > slot.at)
    ahead = session.execute(later.where(JobRun.started_at > now + AHEAD))
    return cast("CursorResult[Any]", ahead).rowcount > 0


def end(session: Session, slot: Slot, now: datetime, done: int, failure: str | None = None) -> None:
    """Record that a run of ``slot`` ended: ``done`` adds up over its runs, ``failure`` is a class name."""
    row = session.get(JobRun, (slot.job, slot.at), with_for_update=True)
    if row is None:
        return  # the clock was put back meanwhile, and the time of this run is still to come
    row.finished_at, row.done, row.failure = now, (row.done or 0) + done, failure


def last_success(session: Session, job: str, now: datetime) -> datetime | None:
    """Return when ``job`` last finished without a failure, up to ``now``: a clock may be put back."""
    return session.scalar(_ends(job, now).where(JobRun.failure.is_(None)))


def last_end(session: Session, job: str, now: datetime) -> datetime | None:
    """Return when ``job`` last finished, well or not, up to ``now``."""
    return session.scalar(_ends(job, now))


def _ends(job: str, now: datetime) -> Select[datetime | None]:
    ended = select(JobRun.finished_at).where(JobRun.job == job, JobRun.finished_at <= now + AHEAD)
    # Backwards along the index: as a rule the first row is it, a maximum would look at all.
    return ended.order_by(JobRun.finished_at.desc()).limit(1)


def forget(session: Session, before: datetime) -> int:
    """Remove rows of slots older than ``before``; return how many."""
    gone = session.execute(delete(JobRun).where(JobRun.slot < before))
    return cast("CursorResult[Any]", gone).rowcount
