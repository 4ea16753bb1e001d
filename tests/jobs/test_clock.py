"""The clock of the timetable, where the machine's own clock is put back."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from jobs.clock import catch_up, scheduler
from jobs.timetable import TIMETABLE, Job

HOUR = timedelta(hours=1)


def comes_true(what: Callable[[], bool], seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not what() and time.monotonic() < until:
        time.sleep(0.01)
    return what()


def test_after_the_clock_was_put_back_every_job_ticks_at_once_and_not_an_hour_later() -> None:
    ticked: Counter[str] = Counter()
    jobs = [job for job in TIMETABLE if job.name in ("deliver", "escalate")]
    clock = scheduler(lambda job: ticked.update([job.name]), jobs)
    clock.start()
    try:
        assert comes_true(lambda: ticked == {"deliver": 1, "escalate": 1})
        for job in clock.get_jobs():
            # What an hour back makes of the time of the next tick.
            job.modify(next_run_time=job.next_run_time + HOUR)
        assert catch_up(clock, datetime.now(UTC))
        assert comes_true(lambda: ticked == {"deliver": 2, "escalate": 2})
        assert not catch_up(clock, datetime.now(UTC))
    finally:
        clock.shutdown(wait=True)


def test_a_job_that_waits_as_long_as_it_should_is_left_alone() -> None:
    daily = Job("daily", timedelta(days=1), timedelta(days=3), "")
    clock = scheduler(lambda job: None, [daily])
    clock.start(paused=True)
    try:
        (job,) = clock.get_jobs()
        job.modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
        assert not catch_up(clock, datetime.now(UTC))
    finally:
        clock.shutdown(wait=True)


def test_however_many_jobs_take_long_what_lies_on_an_alerts_way_goes_on_ticking() -> None:
    ticked: Counter[str] = Counter()
    ended = threading.Event()

    def tick(job: Job) -> None:
        ticked[job.name] += 1
        if job.name not in ("escalate", "deliver", "heartbeat"):
            ended.wait(30)

    clock = scheduler(tick, [replace(job, every=timedelta(seconds=1)) for job in TIMETABLE])
    clock.start()
    try:
        assert comes_true(
            lambda: ticked["heartbeat"] > 1 and ticked["escalate"] > 2 and ticked["deliver"] > 2
        )
    finally:
        ended.set()
        clock.shutdown(wait=True)
