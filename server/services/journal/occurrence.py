"""What a patient can do on a day, and what of it is done."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select

from server.clinical import checkins
from server.clinical.checkins import DIARY, Occurrence, SessionDays
from server.models import CheckInPlan, Entry, Patient, QuestionnaireResponse
from server.services.asking import of_patient
from server.services.journal import planning
from server.services.scales import scale as scales
from server.services.scales import scale_request as scale_requests
from server.services.visits import treatment_session as treatment_sessions
from server.services.work import Work

_LONGEST_OPEN = timedelta(days=checkins.LONGEST_OPEN)
# Sessions longer ago start no questionnaires any more.
_SESSIONS_COUNT_FOR = timedelta(days=400) + _LONGEST_OPEN
_LOGGED = (
    select(Entry.local_day)
    .where(*of_patient(Entry), Entry.deleted_at.is_(None), Entry.day_reliable)
    .where(Entry.local_day.in_(bindparam("days", expanding=True)))
    .distinct()
)
_ANSWERED = select(QuestionnaireResponse.occurrence, QuestionnaireResponse.instrument).where(
    *of_patient(QuestionnaireResponse),
    QuestionnaireResponse.deleted_at.is_(None),
    QuestionnaireResponse.occurrence.in_(bindparam("keys", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be done on some local days, by day, and which of it (`Occurrence.key`) is done."""

    open: Mapping[date, Sequence[Occurrence]]
    done: set[str]


def outlook(work: Work, patient: Patient, days: Collection[date], plan: CheckInPlan) -> Outlook:
    """Return the outlook on ``days`` by the ``plan``, sessions and the watch of now.

    However many days they are, the database is asked as often.
    """
    found = _open(work, patient, days, plan)
    return Outlook(found, done(work, patient.id, {one.key for each in found.values() for one in each}))


def _open(
    work: Work, patient: Patient, days: Collection[date], plan: CheckInPlan
) -> Mapping[date, Sequence[Occurrence]]:
    """Return what the patient can do on each of ``days``.

    A scale that the clinic offers no words for is left out: nobody could fill it.
    """
    if not days:
        return {}
    planned = planning.scales_of(plan)
    asked = scale_requests.open_between(work, patient.id, min(days), max(days))
    unknown = scales.not_offered(work, {scale.instrument for scale in planned} | {o.what for o in asked})
    asked = [o for o in asked if o.what not in unknown]
    planned = [scale for scale in planned if scale.instrument not in unknown]
    sessions = _sessions(work, patient, min(days)) if planned else SessionDays()
    return {day: checkins.still_open(planned, _counted(sessions, day), day, asked) for day in days}


def done(work: Work, patient_id: UUID, keys: Iterable[str]) -> set[str]:
    """Return which occurrences are done: a diary day with an entry, a scale with a response to it."""
    wanted = set(keys)
    return _logged(work, patient_id, wanted) | _answered(work, patient_id, wanted)


def _logged(work: Work, patient_id: UUID, keys: set[str]) -> set[str]:
    days = {key: date.fromisoformat(key.removeprefix(f"{DIARY}:")) for key in keys if key.startswith(DIARY)}
    logged = {row.local_day for row in work.rows(_LOGGED, patient=patient_id, days=tuple(days.values()))}
    return {key for key, day in days.items() if day in logged}


def _answered(work: Work, patient_id: UUID, keys: set[str]) -> set[str]:
    found = work.rows(_ANSWERED, patient=patient_id, keys=tuple(sorted(keys)))
    # Only the scale that was asked answers its occurrence: a PHQ-2 must not put off a PHQ-9.
    return {row.occurrence for row in found if row.occurrence.startswith(f"{row.instrument}:")}


def _sessions(work: Work, patient: Patient, day: date) -> SessionDays:
    """Return the sessions that count for ``day`` or a later one."""
    return SessionDays(
        delivered=treatment_sessions.delivered_days(work, patient.id, day - _SESSIONS_COUNT_FOR),
        planned=treatment_sessions.planned_days(work, patient.id, day - _LONGEST_OPEN),
    )


def _counted(sessions: SessionDays, day: date) -> SessionDays:
    """Return those that count for ``day``, so that a day is the same whatever days it is asked with."""
    since = day - _SESSIONS_COUNT_FOR
    return replace(sessions, delivered=[d for d in sessions.delivered if d >= since])
