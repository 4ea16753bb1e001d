"""The clock that ticks by the timetable: the one place that knows the ticking library."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from jobs.timetable import HEARTBEAT, TIMETABLE, Job


def scheduler(tick: Callable[[Job], None], jobs: Iterable[Job] = TIMETABLE) -> BackgroundScheduler:
    """Return a clock, not yet started, that calls ``tick`` for each of ``jobs`` at once and then whenever.

    The heartbeat waits a while at first: before the others have run it could only say that they did not.
    A tick missed during sleep or overload is made up once, however late; a job never overlaps itself.
    """
    clock = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    start = datetime.now(UTC)
    for job in jobs:
        trigger = IntervalTrigger(seconds=int(job.every.total_seconds()), timezone=UTC)
        first = start + job.every if job.name == HEARTBEAT else start
        clock.add_job(tick, trigger, args=(job,), id=job.name, next_run_time=first)
    return clock
