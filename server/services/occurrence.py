"""What a patient can do on a day, and what of it is done."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from server.clinical import checkins
from server.clinical.checkins import DIARY, Occurrence, SessionDays
from server.models import Entry, Patient
from server.services import planning
from server.services import treatment_session as treatment_sessions
from server.services.work import Work

# Sessions longer ago start no questionnaires any more.
_SESSIONS_COUNT_FOR = timedelta(days=400)


def open_on(work: Work, patient: Patient, day: date) -> Sequence[Occurrence]:
    """Return what the patient can do on their local ``day``, by the plan and sessions of now."""
    scales = planning.scales_of(planning.plan_of(work, patient))
    return checkins.still_open(scales, _sessions(work, patient, day) if scales else SessionDays(), day)


def done(work: Work, patient_id: UUID, keys: Iterable[str]) -> set[str]:
    """Return which occurrences are done: the diary of a day, once an entry belongs to that day."""
    days = {key: date.fromisoformat(key.removeprefix(f"{DIARY}:")) for key in keys if key.startswith(DIARY)}
    query = select(Entry.local_day).where(
        Entry.clinic_id == work.clinic_id,
        Entry.patient_id == patient_id,
        Entry.deleted_at.is_(None),
        Entry.local_day.in_(days.values()),
    )
    logged = set(work.session.scalars(query.distinct()))
    return {key for key, day in days.items() if day in logged}


def _sessions(work: Work, patient: Patient, day: date) -> SessionDays:
    before = day - timedelta(days=checkins.LONGEST_OPEN)
    return SessionDays(
        delivered=treatment_sessions.delivered_days(work, patient.id, before - _SESSIONS_COUNT_FOR),
        planned=treatment_sessions.planned_days(work, patient.id, before),
    )
