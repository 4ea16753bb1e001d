"""Did it work: what the session of a fulfilled visit did, back on the suggestion.

It is read from the response curve, whose figures may still change while the patient logs: looked at daily
until they can't any more. It moves nothing and raises no version.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update

from server.clinical.durability import SessionCurve
from server.clinical.lifecycle import SuggestionAction
from server.clinical.visit_outcome import FOLLOWED, VisitOutcome, outcome_of
from server.clinical.vocabulary import SuggestionState
from server.models import BookingSuggestion, Patient, TreatmentSession
from server.services import local_day as local_days
from server.services.visits.suggestion_move import events, locked, note
from server.services.watch import policy as policies
from server.services.watch import response_curve as response_curves
from server.services.work import Work

# Looked at once a day, also where the job runs a little early.
_AGAIN = timedelta(hours=20)
# Its name in the suggestion's log, and what there says which session stands behind the visit.
LOGGED_AS = "outcome"
_SAYS_WHAT_CAME = frozenset({LOGGED_AS, "link", "unlink", SuggestionAction.FULFIL.value})


def due(work: Work) -> Sequence[UUID]:
    """Return the fulfilled visits whose outcome is not final, and was not looked at today."""
    suggestion = BookingSuggestion
    query = select(suggestion.id).where(
        suggestion.clinic_id == work.clinic_id,
        suggestion.state == SuggestionState.FULFILLED,
        suggestion.treatment_session_id.is_not(None),
        suggestion.outcome_final.is_(False),
        or_(suggestion.outcome_at.is_(None), suggestion.outcome_at < work.now - _AGAIN),
    )
    return list(work.session.scalars(query.order_by(suggestion.id)))


def learn(work: Work, suggestion_id: UUID) -> bool:
    """Bring the outcome of one visit up to date; return whether anything is known that was not."""
    suggestion = locked(work, suggestion_id)
    if suggestion.treatment_session_id is None:
        return False  # taken off in the meantime
    patient = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id))
    session = work.session.get_one(
        TreatmentSession, (work.clinic_id, suggestion.patient_id, suggestion.treatment_session_id)
    )
    today = local_days.of(work, work.now, patient.zone)
    curve = _curve(work, patient, suggestion, session)
    found = None if curve is None else outcome_of(curve, policies.of_patient(work, patient), today)
    before = (suggestion.responded, suggestion.days_gained, suggestion.gained_at_least)
    if found is None:
        # Longer ago than any curve reaches, its course's too: nothing more will be known.
        is_beyond = curve is None and session.local_day <= today
        suggestion.outcome_final = is_beyond or today > session.local_day + FOLLOWED
        return False
    _keep(work, suggestion, found)
    return before != (found.responded, found.days_gained, found.at_least)


def look_again(work: Work, patient_id: UUID) -> None:
    """Let what a patient's visits did be learned anew: it was settled by sessions that were other ones.

    Of what lies longer ago than any curve reaches nothing changes.
    """
    settled = update(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == patient_id,
        BookingSuggestion.outcome_final.is_(True),
    )
    work.session.execute(settled.values(outcome_final=False))


def _curve(
    work: Work, patient: Patient, suggestion: BookingSuggestion, session: TreatmentSession
) -> SessionCurve | None:
    curves = response_curves.sessions(work, patient, suggestion.programme)
    return next((one for one in curves if one.session == session.local_day), None)


def _keep(work: Work, suggestion: BookingSuggestion, found: VisitOutcome) -> None:
    was_final = suggestion.outcome_final
    suggestion.responded, suggestion.days_gained = found.responded, found.days_gained
    suggestion.gained_at_least, suggestion.outcome_final = found.at_least, found.final
    suggestion.outcome_at = work.now
    detail = {"responded": found.responded, "days_gained": found.days_gained, "at_least": found.at_least}
    if found.final and not was_final and _is_news(work, suggestion, detail):
        note(work, suggestion, LOGGED_AS, detail)
        work.audit("booking-suggestion.outcome", suggestion.patient_id, suggestion.id)


def _is_news(work: Work, suggestion: BookingSuggestion, detail: Mapping[str, Any]) -> bool:
    """Say whether the log has it otherwise: what is looked at again mostly comes out as it was."""
    log = reversed(events(work, suggestion.id))
    last = next((event for event in log if event.action in _SAYS_WHAT_CAME), None)
    return last is None or last.action != LOGGED_AS or last.detail != detail
