"""Tells an outside monitor that the watch is alive, but only where every job has really done its work."""

import logging
from datetime import datetime

from jobs.around import Around
from jobs.timetable import HEARTBEAT, TIMETABLE, Job
from server.gateways import monitor
from server.services import job_run as job_runs

log = logging.getLogger(__name__)


class JobsLate(Exception):
    """Some jobs have not finished in time: the monitor must hear nothing, and so it alarms."""


def run(around: Around, now: datetime) -> int:
    """Call the monitor; raise `JobsLate` (and call nobody) where a job has not finished in time."""
    late = [job.name for job in TIMETABLE if job.name != HEARTBEAT and _is_late(around, now, job)]
    if late:
        log.error("late: %s", ", ".join(late))
        raise JobsLate
    if around.settings.heartbeat_url:
        monitor.call(around.settings.heartbeat_url)
    return 1


def _is_late(around: Around, now: datetime, job: Job) -> bool:
    with around.database.read() as session:
        last = job_runs.last_success(session, job.name)
    return last is None or now - last > job.late_after
