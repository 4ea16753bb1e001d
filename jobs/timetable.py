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


_A_DAY = _minutes(24 * 60)

TIMETABLE = (
    #   job                every          counts as stopped after   what it does
    Job("day_close",       _minutes(5),   _minutes(20), "judges patients whose local day has ended, and silence"),
    Job("maintenance_due", _minutes(60),  _minutes(180), "proposes visits that fall due, ends overdue proposals"),
    Job("escalate",        _minutes(1),   _minutes(5), "tells further people of alerts nobody has answered"),
    Job("deliver",         _seconds(10),  _minutes(5), "sends what waits to be sent, most urgent first",
        slot=_minutes(1), always_looks=True),
    Job("tidy",            _A_DAY,        3 * _A_DAY, "forgets old lines of the run ledger"),
    Job("heartbeat",       _minutes(1),   _minutes(5), "tells the outside monitor, if every job above is on time"),
)  # fmt: skip


def scheduler(tick: Callable[[Job], None]) -> BackgroundScheduler:
    """Return a clock, not yet started, that calls ``tick`` at once and then whenever a job is to look.

    A tick missed during sleep or overload is made up once, however late; a job never overlaps itself.
    """
    clock = BackgroundScheduler(
        timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    for job in TIMETABLE:
        trigger = IntervalTrigger(seconds=int(job.every.total_seconds()), timezone=UTC)
        clock.add_job(tick, trigger, args=(job,), id=job.name, next_run_time=datetime.now(UTC))
    return clock
