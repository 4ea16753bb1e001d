"""What follows from a treatment session: the visit it fulfils and the days it makes judged anew."""

from datetime import date
from typing import Any
from uuid import UUID

from server.clinical.vocabulary import SessionStatus
from server.models import Patient, TreatmentSession
from server.services import assessment as assessments
from server.services import booking_suggestion as booking_suggestions
from server.services import treatment_session as treatment_sessions
from server.services.work import Work


def record(work: Work, patient_id: UUID, values: dict[str, Any]) -> TreatmentSession:
    """Record a session; a delivered one fulfils the booked visit and starts the next baseline."""
    session = treatment_sessions.create(work, patient_id, values)
    if session.status is SessionStatus.DELIVERED:
        booking_suggestions.fulfil_with(work, session)
        _judge_again(work, patient_id, {session.local_day})
    return session


def change(
    work: Work, patient_id: UUID, session_id: UUID, changes: dict[str, Any], version: int
) -> TreatmentSession:
    """Deliver, move or cancel a session and judge again every day that it counted or counts for."""
    before = treatment_sessions.get(work, patient_id, session_id)
    was_delivered, day = before.status is SessionStatus.DELIVERED, before.local_day
    session = treatment_sessions.change(work, patient_id, session_id, changes, version)
    is_delivered = session.status is SessionStatus.DELIVERED
    if is_delivered and not was_delivered:
        booking_suggestions.fulfil_with(work, session)
    touched = ((day, was_delivered), (session.local_day, is_delivered))
    _judge_again(work, patient_id, {day for day, counts in touched if counts})
    return session


def _judge_again(work: Work, patient_id: UUID, days: set[date]) -> None:
    if not days:
        return
    # The session's own write has moved the change counter, which the judgement is filed under.
    patient = work.session.get_one(Patient, (work.clinic_id, patient_id), populate_existing=True)
    assessments.reassess(work, patient, days)
