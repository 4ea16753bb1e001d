"""A suggestion as it leaves the house: what a calendar or a scheduling system may know of it."""

from server.clinical.visit import Proposed
from server.clinical.vocabulary import AlertClass
from server.models import BookingSuggestion


def proposed(suggestion: BookingSuggestion, zone: str) -> Proposed:
    """Return what may leave. ``zone``: where the patient lives; the days of the window are days there."""
    return Proposed(
        id=suggestion.id,
        clinic_id=suggestion.clinic_id,
        patient_id=suggestion.patient_id,
        version=suggestion.version,
        state=suggestion.state,
        urgency=AlertClass(suggestion.urgency),
        earliest=suggestion.earliest,
        latest=suggestion.latest,
        zone=zone,
        minutes=suggestion.minutes,
        created_at=suggestion.created_at,
        changed_at=suggestion.changed_at,
        external_id=suggestion.external_id,
        starts_at=suggestion.starts_at,
        ends_at=suggestion.ends_at,
        patient_answer=suggestion.patient_answer,
    )
