"""What the response curve is drawn from: the patient's newest courses with the entries around them.

Bounded by windows around the newest courses, not by years of history.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, and_, func, or_, select

from server.clinical.baseline import Treatment
from server.clinical.durability import CourseDiary, TimedEntry
from server.clinical.policy import Policy
from server.clinical.readings import History, fold
from server.clinical.vocabulary import Condition, SessionStatus
from server.models import Course, Entry, Patient, TreatmentSession
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import policy as policies
from server.services.work import Work

# The newest courses, the days up to the last session of each, and how long that one is followed.
COURSES, SESSIONS, FOLLOWED = 5, timedelta(days=180), timedelta(days=365)
_HOUR = timedelta(hours=1)

# Course, condition, days of its first and of its last delivered session.
_Run = Row[UUID, Condition, date, date]
_Given = Row[UUID, date, datetime]
_Logged = Row[date, datetime, bool, dict[str, float]]


@dataclass(frozen=True, slots=True)
class FollowedCourse:
    """A course, its diary, and the day it is seen from: at most ``FOLLOWED`` after its last session."""

    id: UUID
    condition: Condition
    diary: CourseDiary
    day: date


def load(work: Work, patient: Patient, today: date) -> Sequence[FollowedCourse]:
    """Return the newest courses with delivered sessions up to ``today``, that of the newest session last."""
    runs = _runs(work, patient.id, today)
    if not runs:
        return []
    given = _given(work, patient.id, runs, today)
    logged = _logged(work, patient.id, list(_windows(runs, policies.of_patient(work, patient), today)))
    history = fold((row.local_day, row.items) for row in logged)
    timed = tuple(_timed(logged, given))
    # Of all sessions: one that is not followed any more has ended the days of the one before it all the same.
    days = tuple(treatment_sessions.delivered_days(work, patient.id, date.min))
    return [
        FollowedCourse(
            run.course_id,
            run.condition,
            CourseDiary(history, _treatments(given, run.course_id), timed, run.began, days),
            _seen_from(run, today),
        )
        for run in runs
    ]


def history_of(courses: Sequence[FollowedCourse]) -> History:
    """Return what was logged around the courses: the same for all of them."""
    return courses[0].diary.history if courses else History()


def _runs(work: Work, patient_id: UUID, today: date) -> Sequence[_Run]:
    began, last = func.min(TreatmentSession.local_day), func.max(TreatmentSession.local_day)
    query = (
        select(Course.id.label("course_id"), Course.condition, began.label("began"), last.label("last"))
        .join(
            TreatmentSession,
            and_(
                TreatmentSession.clinic_id == Course.clinic_id,
                TreatmentSession.patient_id == Course.patient_id,
                TreatmentSession.course_id == Course.id,
            ),
        )
        .where(Course.clinic_id == work.clinic_id, Course.patient_id == patient_id)
        .where(TreatmentSession.status == SessionStatus.DELIVERED, TreatmentSession.local_day <= today)
        .group_by(Course.id, Course.condition)
        .order_by(last.desc(), Course.id.desc())
        .limit(COURSES)
    )
    return list(reversed(work.session.execute(query).all()))


def _given(work: Work, patient_id: UUID, runs: Sequence[_Run], today: date) -> Sequence[_Given]:
    """Return the newest sessions of each course, oldest first."""
    wanted = (
        and_(TreatmentSession.course_id == run.course_id, TreatmentSession.local_day > run.last - SESSIONS)
        for run in runs
    )
    query = select(TreatmentSession.course_id, TreatmentSession.local_day, TreatmentSession.at).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id == patient_id,
        TreatmentSession.status == SessionStatus.DELIVERED,
        TreatmentSession.local_day <= today,
        or_(*wanted),
    )
    return work.session.execute(query.order_by(TreatmentSession.at, TreatmentSession.id)).all()


def _treatments(given: Sequence[_Given], course_id: UUID) -> tuple[Treatment, ...]:
    return tuple(Treatment(row.local_day) for row in given if row.course_id == course_id)


def _windows(runs: Sequence[_Run], policy: Policy, today: date) -> Iterator[tuple[date, date]]:
    for run in runs:
        yield run.began - timedelta(days=policy.whole("baseline.pre_days")), run.began
        yield max(run.began, run.last - SESSIONS), _seen_from(run, today)


def _seen_from(run: _Run, today: date) -> date:
    followed: date = run.last + FOLLOWED
    return min(today, followed)


def _logged(work: Work, patient_id: UUID, windows: Sequence[tuple[date, date]]) -> Sequence[_Logged]:
    query = select(Entry.local_day, Entry.occurred_at, Entry.clock_suspect, Entry.items).where(
        Entry.clinic_id == work.clinic_id,
        Entry.patient_id == patient_id,
        Entry.deleted_at.is_(None),
        Entry.day_reliable,
        or_(*(Entry.local_day.between(first, last) for first, last in windows)),
    )
    return work.session.execute(query.order_by(Entry.occurred_at, Entry.id)).all()


def _timed(logged: Sequence[_Logged], given: Sequence[_Given]) -> Iterator[TimedEntry]:
    """Yield each entry with the hours since the session before it; both come oldest first."""
    sessions = list(given)
    last: _Given | None = None
    for row in logged:
        while sessions and sessions[0].at < row.occurred_at:
            last = sessions.pop(0)
        if last is not None and not row.clock_suspect:
            yield TimedEntry(last.local_day, (row.occurred_at - last.at) / _HOUR, row.items)
