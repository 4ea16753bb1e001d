"""The clock that ticks by the timetable: the one place that knows the ticking library."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from jobs.timetable import HEARTBEAT, TIMETABLE, Job

# Less is what a busy machine makes of a tick.
AHEAD = timedelta(seconds=5)


def scheduler(tick: Callable[[Job], None], jobs: Sequence[Job] = TIMETABLE) -> BackgroundScheduler:
    """Return a clock, not yet started, that calls ``tick`` for each of ``jobs`` at once and then whenever.

    The heartbeat waits a while at first: before the others have run it could only say that they did not.
    A tick missed during sleep or overload is made up once, however late; a job never overlaps itself.
    """
    clock = BackgroundScheduler(
        timezone=UTC,
        # A thread for each: of the library's ten, as many long jobs would leave none to escalate and deliver.
        executors={"default": ThreadPoolExecutor(max(len(jobs), 1))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    start = datetime.now(UTC)
    for job in jobs:
        trigger = IntervalTrigger(seconds=int(job.every.total_seconds()), timezone=UTC)
        first = start + job.every if job.name == HEARTBEAT else start
        clock.add_job(tick, trigger, args=(job,), id=job.name, next_run_time=first)
    return clock


def catch_up(clock: BackgroundScheduler, now: datetime) -> bool:
    """Let every job whose next tick is further away than it may be tick at once; return whether one was.

    Ticks wait for the machine's clock. Where that is put back, they would wait for as long as it was.
    """
    far = [job for job in clock.get_jobs() if job.next_run_time - now > job.trigger.interval + AHEAD]
    for job in far:
        job.modify(next_run_time=now)
    return bool(far)
