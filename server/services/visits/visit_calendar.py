"""The patient's own appointment, for a file that their calendar takes."""

from uuid import UUID

from sqlalchemy import and_, select

from server.clinical.visit import Proposed
from server.clinical.vocabulary import SuggestionState
from server.models import BookingSuggestion, Patient
from server.services.errors import NotFound
from server.services.visits.proposed import proposed
from server.services.work import Work

_APPOINTED = (SuggestionState.BOOKED, SuggestionState.ARRIVED)


def read(work: Work, patient_id: UUID, visit_id: UUID) -> Proposed:
    """Return the patient's booked visit; NotFound for any other's, and while (or once) it has no time."""
    of_patient = and_(
        Patient.clinic_id == BookingSuggestion.clinic_id, Patient.id == BookingSuggestion.patient_id
    )
    query = (
        select(BookingSuggestion, Patient.zone)
        .join(Patient, of_patient)
        .where(
            BookingSuggestion.clinic_id == work.clinic_id,
            BookingSuggestion.id == visit_id,
            BookingSuggestion.patient_id == patient_id,
            BookingSuggestion.state.in_(_APPOINTED),
            BookingSuggestion.starts_at.is_not(None),
        )
    )
    found = work.session.execute(query).first()
    if found is None:
        raise NotFound("visit")
    return proposed(found[0], found[1])
