"""What a patient can do on a day, and what of it is done."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from server.clinical import checkins
from server.clinical.checkins import DIARY, Occurrence, SessionDays
from server.models import Entry, Patient, QuestionnaireResponse
from server.services import planning
from server.services import scale_request as scale_requests
from server.services import treatment_session as treatment_sessions
from server.services.incoming import has_its_day
from server.services.work import Work

# Sessions longer ago start no questionnaires any more.
_SESSIONS_COUNT_FOR = timedelta(days=400)


def open_on(work: Work, patient: Patient, day: date) -> Sequence[Occurrence]:
    """Return what the patient can do on their local ``day``, by the plan, sessions and the watch of now."""
    scales = planning.scales_of(planning.plan_of(work, patient))
    sessions = _sessions(work, patient, day) if scales else SessionDays()
    return checkins.still_open(scales, sessions, day, scale_requests.open_on(work, patient.id, day))


def done(work: Work, patient_id: UUID, keys: Iterable[str]) -> set[str]:
    """Return which occurrences are done: a diary day with an entry, a scale with a response to it."""
    wanted = set(keys)
    return _logged(work, patient_id, wanted) | _answered(work, patient_id, wanted)


def _logged(work: Work, patient_id: UUID, keys: set[str]) -> set[str]:
    days = {key: date.fromisoformat(key.removeprefix(f"{DIARY}:")) for key in keys if key.startswith(DIARY)}
    query = select(Entry.local_day).where(
        Entry.clinic_id == work.clinic_id,
        Entry.patient_id == patient_id,
        Entry.deleted_at.is_(None),
        has_its_day(),
        Entry.local_day.in_(days.values()),
    )
    logged = set(work.session.scalars(query.distinct()))
    return {key for key, day in days.items() if day in logged}


def _answered(work: Work, patient_id: UUID, keys: set[str]) -> set[str]:
    query = select(QuestionnaireResponse.occurrence, QuestionnaireResponse.instrument).where(
        QuestionnaireResponse.clinic_id == work.clinic_id,
        QuestionnaireResponse.patient_id == patient_id,
        QuestionnaireResponse.deleted_at.is_(None),
        QuestionnaireResponse.occurrence.in_(keys),
    )
    # Only the scale that was asked answers its occurrence: a PHQ-2 must not put off a PHQ-9.
    return {
        key for key, instrument in work.session.execute(query) if key and key.startswith(f"{instrument}:")
    }


def _sessions(work: Work, patient: Patient, day: date) -> SessionDays:
    before = day - timedelta(days=checkins.LONGEST_OPEN)
    return SessionDays(
        delivered=treatment_sessions.delivered_days(work, patient.id, before - _SESSIONS_COUNT_FOR),
        planned=treatment_sessions.planned_days(work, patient.id, before),
    )
