"""Is the watch alive: the figures that show it, and what of them is wrong. No ids, no names.

A few aggregates along indexes, so that it may be asked every few seconds however long the history is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from server.clinical.vocabulary import LOST, WAITING, AlertClass, AlertState, Channel, DeliveryState
from server.models import Alert, Clinic, Delivery
from server.models.schema import WORKS_FROM
from server.services import backup_state
from server.services import job_run as job_runs
from server.services.alerts import left_over
from server.services.messages import probe as probes
from server.services.messages.delivery import could_leave, keeps_waiting
from server.services.messages.delivery_loss import SILENT
from server.services.messages.probe import Probed, Verdict
from server.services.people import patient as patients
from server.services.people.clinic import OPERATIONS

Limits = Sequence[tuple[str, timedelta]]
"""Each job's name, and after how long without a success it counts as stopped."""

# After so long a message that can't wait shows that people are not reached, whatever the reason.
URGENT_LIMITS: Mapping[AlertClass, timedelta] = {
    AlertClass.P0: timedelta(minutes=5),
    AlertClass.P1: timedelta(minutes=10),
}
LOOKS_BACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class JobHealth:
    """One job: how long ago it last succeeded (None: never), and whether that is too long."""

    name: str
    last_success: datetime | None
    age: timedelta | None
    late: bool


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many messages wait in one state, of one urgency."""

    state: DeliveryState
    urgency: AlertClass
    count: int


@dataclass(frozen=True, slots=True)
class Lost:
    """How many messages of the last hour reached nobody over one channel, for one reason (a code)."""

    channel: Channel
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Unresolved:
    """How many of the clinics' alerts are not closed; of those nobody who was told answered ``exhausted``."""

    urgency: AlertClass
    state: AlertState
    count: int
    exhausted: int


@dataclass(frozen=True, slots=True)
class Health:
    """All of it at one moment. ``oldest`` is the age of the oldest urgent message that could have left.

    ``unsaved``: how old what no backup holds may be: the newest backup's age, or where none was made that of
    the first clinic (None: there is none either). ``left``: how many alerts the last look had no time for.
    ``apart``: how far the clock of whoever asks is ahead of the database's.
    Where the tables are those of an older version (``migrated`` is False), nothing else is known.
    """

    at: datetime
    migrated: bool
    jobs: Sequence[JobHealth] = ()
    backlog: Sequence[Backlog] = ()
    oldest: Mapping[AlertClass, timedelta | None] | None = None
    lost: Sequence[Lost] = ()
    alerts: Sequence[Unresolved] = ()
    probes: Sequence[Probed] = ()
    unsaved: timedelta | None = None
    left: Mapping[AlertClass, int] | None = None
    apart: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong: a stable code, and a sentence for whoever runs this."""

    code: str
    detail: str


def health(session: Session, now: datetime, limits: Limits) -> Health:
    """Return the figures at ``now``; ``limits`` names the jobs that are asked about."""
    if not _is_migrated(session):
        return Health(now, migrated=False)
    return Health(
        at=now,
        migrated=True,
        jobs=[_job(session, now, name, late_after) for name, late_after in limits],
        backlog=_backlog(session),
        oldest=_oldest(session, now),
        lost=_lost(session, now),
        alerts=_unresolved(session),
        probes=probes.newest(session, now),
        unsaved=_unsaved(session, now),
        left=left_over.newest(session, now),
        apart=_apart(session, now),
    )


def troubles(found: Health) -> Sequence[Trouble]:
    """Return what is wrong, nothing where the watch is alive and people are reached."""
    return list(_troubles(found))


def plain(found: Health) -> dict[str, Any]:
    """Return the figures as JSON values, times in seconds."""
    return {
        "at": found.at.isoformat(),
        "migrated": found.migrated,
        "jobs": [
            {"job": job.name, "seconds_since_success": _seconds(job.age), "late": job.late}
            for job in found.jobs
        ],
        "backlog": [asdict(one) for one in found.backlog],
        "oldest_undelivered_seconds": {
            urgency: _seconds(age) for urgency, age in (found.oldest or {}).items()
        },
        "lost_last_hour": [asdict(one) for one in found.lost],
        "alerts": [asdict(one) for one in found.alerts],
        "alerts_left": dict(found.left or {}),
        "backup_age_seconds": _seconds(found.unsaved),
        "clock_apart_seconds": _seconds(found.apart),
        "probes": [{**asdict(one), "sent_at": one.sent_at.isoformat()} for one in found.probes],
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else round(length.total_seconds(), 3)


def _troubles(found: Health) -> Iterator[Trouble]:
    if not found.migrated:
        yield Trouble("not-migrated", "The database is behind the code.")
    for job in found.jobs:
        if job.late:
            yield Trouble("job-late", f"The job {job.name} has not finished in time.")
    for urgency, age in (found.oldest or {}).items():
        if age is not None and age > URGENT_LIMITS[urgency]:
            yield Trouble("undelivered", f"A message of urgency {urgency} waits too long.")
    for probe in found.probes:
        if probe.verdict not in (None, Verdict.OK):
            yield Trouble("probe-failed", f"The probe over {probe.channel}: {probe.verdict}.")


def _is_migrated(session: Session) -> bool:
    if not inspect(session.connection()).has_table("alembic_version"):
        return False
    version: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    # Ahead is well: migrations are safe beside the version of the code before.
    return version is not None and version >= WORKS_FROM


def _job(session: Session, now: datetime, name: str, late_after: timedelta) -> JobHealth:
    last = job_runs.last_success(session, name, now)
    age = None if last is None else now - last
    return JobHealth(name, last, age, late=age is None or age > late_after)


def _unsaved(session: Session, now: datetime) -> timedelta | None:
    since = job_runs.last_success(session, backup_state.RUN, now) or backup_state.first_moment(session)
    return None if since is None else now - since


def _apart(session: Session, now: datetime) -> timedelta:
    if session.get_bind().dialect.name == "sqlite":
        return timedelta()  # it is the same machine's
    theirs: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now - theirs


def _backlog(session: Session) -> Sequence[Backlog]:
    query = (
        select(Delivery.state, Delivery.urgency, func.count())
        .where(Delivery.state.in_(WAITING))
        .group_by(Delivery.state, Delivery.urgency)
        .order_by(Delivery.state, Delivery.urgency)
    )
    return [Backlog(*row) for row in session.execute(query)]


def _oldest(session: Session, now: datetime) -> Mapping[AlertClass, timedelta | None]:
    query = (
        select(Delivery.urgency, func.min(could_leave()))
        .where(Delivery.state.in_(WAITING), Delivery.urgency.in_(URGENT_LIMITS))
        .where(could_leave() <= now, keeps_waiting())
        .group_by(Delivery.urgency)
    )
    found = {urgency: now - moment for urgency, moment in session.execute(query)}
    return {urgency: found.get(urgency) for urgency in URGENT_LIMITS}


def _lost(session: Session, now: datetime) -> Sequence[Lost]:
    query = (
        select(Delivery.channel, Delivery.failure, func.count())
        .where(Delivery.state.in_(LOST), Delivery.finished_at > now - LOOKS_BACK)
        .where(Delivery.failure.not_in(SILENT))
        .group_by(Delivery.channel, Delivery.failure)
        .order_by(Delivery.channel, Delivery.failure)
    )
    return [Lost(channel, reason or "", count) for channel, reason, count in session.execute(query)]


def _unresolved(session: Session) -> Sequence[Unresolved]:
    query = (
        select(Alert.urgency, Alert.state, func.count(), func.count(Alert.exhausted_at))
        .where(Alert.state.in_((AlertState.OPEN, AlertState.ACKNOWLEDGED)))
        .join(Clinic, Clinic.id == Alert.clinic_id)
        # At a closed clinic nobody is left to answer: its alarm would ring for ever, and hide the next one's.
        .where(Clinic.slug != OPERATIONS, Clinic.erased_at.is_(None), patients.is_here(Alert))
        .group_by(Alert.urgency, Alert.state)
        .order_by(Alert.urgency, Alert.state)
    )
    return [Unresolved(*row) for row in session.execute(query)]
