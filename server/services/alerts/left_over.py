"""How many alerts the last look at them had no time for: a backlog that lasts must show in a figure."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.clinical.vocabulary import AlertClass
from server.models import JobRun
from server.services import job_run as job_runs
from server.services.job_run import AHEAD, Slot

_JOB = "escalate"
# Under which names the run ledger has them, by the moment at which the run began.
_RUNS = {f"{_JOB}_left_{urgency}": urgency for urgency in AlertClass}


def note(session: Session, now: datetime, left: Mapping[AlertClass, int]) -> None:
    """Put on record what the run that began at ``now`` leaves to the next one, where it leaves anything."""
    for name, urgency in _RUNS.items():
        if number := left.get(urgency, 0):
            slot = Slot(name, now)
            job_runs.begin(session, slot, now)
            job_runs.end(session, slot, now, number)


def newest(session: Session, now: datetime) -> Mapping[AlertClass, int]:
    """Return what the newest run that is over left, of each urgency."""
    ended = select(JobRun.started_at).where(JobRun.job == _JOB, JobRun.finished_at <= now + AHEAD)
    began = session.scalar(ended.order_by(JobRun.finished_at.desc()).limit(1))
    query = select(JobRun.job, JobRun.done).where(JobRun.job.in_(_RUNS), JobRun.slot == began)
    found = {_RUNS[name]: done or 0 for name, done in session.execute(query)}
    return {urgency: found.get(urgency, 0) for urgency in AlertClass}
