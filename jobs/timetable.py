"""What runs when. Jobs look for due work in the database, so a missed time heals itself at the next one.

Only data: the API reads from it, too, which jobs there are and when they count as stopped.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


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

# What lies on an alert's way counts as stopped so soon that an outside monitor, which waits for two
# minutes, alarms within five. A probe is judged by the next one: two good ones may be half an hour apart.
TIMETABLE = (
    #   job                looks for work every    counts as stopped after       and what it does
    Job("day_close",       every=_minutes(5),      late_after=_minutes(20),      what="judges ended days"),
    Job("maintenance_due", every=_minutes(60),     late_after=_minutes(180),     what="proposes due visits"),
    Job("visit_early",     every=_minutes(60),     late_after=_minutes(180),     what="proposes early ones"),
    Job("escalate",        every=_minutes(1),      late_after=_seconds(150),     what="tells further people"),
    Job("remind",          every=_minutes(1),      late_after=_minutes(15),      what="reminds patients"),
    Job("probe",           every=_minutes(15),     late_after=_minutes(40),      what="tests every channel"),
    Job("deliver",         every=_seconds(10),     late_after=_seconds(150),     what="sends what waits",
        slot=_minutes(1), always_looks=True),
    Job("recover",         every=_seconds(10),     late_after=_minutes(5),       what="writes who wants in",
        slot=_minutes(1), always_looks=True),
    Job("booking_sync",    every=_seconds(10),     late_after=_minutes(5),       what="asks clinics' systems",
        slot=_minutes(1), always_looks=True),
    Job("policy_replay",   every=_seconds(10),     late_after=_minutes(30),      what="tries draft policies",
        slot=_minutes(1), always_looks=True),
    Job("coverage",        every=_minutes(60),     late_after=_minutes(180),     what="finds gaps in rotas"),
    # In a clinic's hours alone, of which some have half an hour a day.
    Job("digest",          every=_minutes(10),     late_after=_minutes(180),     what="tells of the week"),
    Job("visit_unseen",    every=_minutes(10),     late_after=_minutes(180),     what="tells what waits"),
    Job("visit_outcome",   every=_A_DAY,           late_after=3 * _A_DAY,        what="asks what it did"),
    Job("audit_seal",      every=_seconds(10),     late_after=_minutes(15),      what="chains audit logs",
        slot=_minutes(1), always_looks=True),
    Job("audit_anchor",    every=_minutes(5),      late_after=_minutes(30),      what="notes their ends"),
    Job("audit_verify",    every=_A_DAY,           late_after=3 * _A_DAY,        what="verifies audit logs"),
    Job("erase",           every=_minutes(1),      late_after=_minutes(30),      what="erases patients"),
    Job("reseal",          every=_A_DAY,           late_after=3 * _A_DAY,        what="seals with new keys"),
    Job("retention",       every=_A_DAY,           late_after=3 * _A_DAY,        what="forgets what ran out"),
    Job("tidy",            every=_A_DAY,           late_after=3 * _A_DAY,        what="forgets old runs"),
    Job(HEARTBEAT,         every=_minutes(1),      late_after=_seconds(150),     what="says all are on time"),
)  # fmt: skip

LIMITS = tuple((job.name, job.late_after) for job in TIMETABLE)
"""Each job's name and after how long without a success it counts as stopped."""
