"""What runs when. Jobs look for due work in the database, so a missed time heals itself at the next one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger


@dataclass(frozen=True, slots=True)
class Job:
    """``every``: how often it looks for work. ``late_after``: unfinished for so long, it counts as stopped.

    ``slot``: the length of a slot of the run ledger, where it is not ``every``. A job runs once a
    slot, however many workers there are; one that ``always_looks`` runs at every tick all the same.
    """

    name: str
    every: timedelta
    late_after: timedelta
    what: str
    slot: timedelta | None = None
    always_looks: bool = False

    def slot_of(self, now: datetime) -> datetime:
        """Return the start (UTC) of the slot that ``now`` lies in."""
        length = self.slot or self.every
        return now - (now - datetime(1970, 1, 1, tzinfo=UTC)) % length


def _seconds(n: int) -> timedelta:
    return timedelta(seconds=n)


def _minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


HEARTBEAT = "heartbeat"
_A_DAY = _minutes(24 * 60)

TIMETABLE = (
    #   job                looks for work every    counts as stopped after       and what it does
    Job("day_close",       every=_minutes(5),      late_after=_minutes(20),      what="judges ended days"),
    Job("maintenance_due", every=_minutes(60),     late_after=_minutes(180),     what="proposes due visits"),
    Job("escalate",        every=_minutes(1),      late_after=_minutes(5),       what="tells further people"),
    Job("remind",          every=_minutes(1),      late_after=_minutes(15),      what="reminds patients"),
    Job("deliver",         every=_seconds(10),     late_after=_minutes(5),       what="sends what waits",
        slot=_minutes(1), always_looks=True),
    Job("policy_replay",   every=_seconds(10),     late_after=_minutes(30),      what="tries draft policies",
        slot=_minutes(1), always_looks=True),
    Job("tidy",            every=_A_DAY,           late_after=3 * _A_DAY,        what="forgets old runs"),
    Job(HEARTBEAT,         every=_minutes(1),      late_after=_minutes(5),       what="says all are on time"),
)  # fmt: skip


def scheduler(tick: Callable[[Job], None]) -> BackgroundScheduler:
    """Return a clock, not yet started, that calls ``tick`` at once and then whenever a job is to look.

    The heartbeat waits a while at first: before the others have run it could only say that they did not.
    A tick missed during sleep or overload is made up once, however late; a job never overlaps itself.
    """
    clock = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    start = datetime.now(UTC)
    for job in TIMETABLE:
        trigger = IntervalTrigger(seconds=int(job.every.total_seconds()), timezone=UTC)
        first = start + job.every if job.name == HEARTBEAT else start
        clock.add_job(tick, trigger, args=(job,), id=job.name, next_run_time=first)
    return clock
