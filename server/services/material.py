"""What a judgement is made from: a bounded part of the patient's history, read once for many days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import or_, select, union

from server.clinical.baseline import Treatment
from server.clinical.policy import Policy
from server.clinical.reach import needed
from server.clinical.readings import History, fold
from server.clinical.vocabulary import Arm
from server.models import Activation, Assessment, Entry, Patient
from server.services import local_day as local_days
from server.services import policy as policies
from server.services import scored_day as scored_days
from server.services import treatment_session as treatment_sessions
from server.services import watch_move as watch_moves
from server.services.incoming import OLDEST
from server.services.scored_day import ScoredDays
from server.services.work import Work

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Material:
    """What the days ``first`` .. ``last`` are judged from. ``spans``: the days that were read."""

    history: History
    treatments: tuple[Treatment, ...]
    sessions: tuple[date, ...]
    scales: ScoredDays
    policy: Policy
    first: date
    last: date
    spans: tuple[Span, ...]


def load(work: Work, patient: Patient, first: date, last: date) -> Material:
    """Read what judging ``first`` .. ``last`` needs: bounded by windows, not by years of history."""
    policy = policies.of_patient(work, patient)
    sessions = treatment_sessions.delivered_days(work, patient.id, date.min)
    wanted = needed(sessions, policy, first, last)
    done = tuple(day for day in sessions if day <= last)
    return Material(
        history=_history(work, patient.id, wanted.ranges),
        treatments=wanted.treatments,
        sessions=done,
        scales=scored_days.load(work, patient.id, (first - watch_moves.LEAD, last), done, policy),
        policy=policy,
        first=first,
        last=last,
        spans=wanted.ranges,
    )


def latest_day(work: Work, patient: Patient) -> date:
    """Return the last day that may be judged: a phone's clock may run ahead, and patients travel."""
    return local_days.of(work, work.now, patient.zone) + timedelta(days=1)


def days_to_judge(work: Work, patient: Patient, first: date) -> Sequence[date]:
    """Return ``first`` and the days after it that have an entry or a judgement, oldest first.

    No day is judged before it comes. A clock that was off by years would have all of the past judged
    again; it has no day to judge.
    """
    latest = latest_day(work, patient)
    start = max(min(first, latest), latest - OLDEST)
    tables = ((Entry, Entry.local_day), (Assessment, Assessment.day), (Activation, Activation.day))
    known = [
        select(day).where(table.clinic_id == work.clinic_id, table.patient_id == patient.id, day > start)
        for table, day in tables
    ]
    # Its key has the arm before the day: without it every judgement there ever was would be looked at.
    known[1] = known[1].where(Assessment.arm.in_(Arm))
    return sorted(day for day in {start, *work.session.scalars(union(*known))} if day <= latest)


def _history(work: Work, patient_id: UUID, spans: Sequence[Span]) -> History:
    rows = work.session.execute(
        select(Entry.local_day, Entry.items).where(
            Entry.clinic_id == work.clinic_id,
            Entry.patient_id == patient_id,
            Entry.deleted_at.is_(None),
            Entry.day_reliable,
            or_(*(Entry.local_day.between(*span) for span in spans)),
        )
    )
    return fold((row.local_day, row.items) for row in rows)
