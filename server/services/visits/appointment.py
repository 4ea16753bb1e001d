"""The clinic's appointment, written into the suggestion it was made for, whichever way we heard of it."""

from datetime import UTC, datetime, timedelta

from server.clinical.vocabulary import PatientAnswer
from server.models import BookingSuggestion


def make(suggestion: BookingSuggestion, external_id: str, starts_at: datetime, ends_at: datetime) -> None:
    """Write the appointment down; what the patient was asked about is settled by it.

    What they said of another time, or of the days alone, is no answer to this one.
    """
    if starts_at != (suggestion.proposed_starts_at or suggestion.starts_at):
        suggestion.patient_answer = suggestion.patient_answered_at = None
    suggestion.external_id = external_id
    suggestion.starts_at, suggestion.ends_at = starts_at.astimezone(UTC), ends_at.astimezone(UTC)
    suggestion.proposed_starts_at = suggestion.proposed_ends_at = None


def usual_end(suggestion: BookingSuggestion, starts_at: datetime) -> datetime:
    """Return when a visit from ``starts_at`` on ends, where nobody says."""
    return starts_at.astimezone(UTC) + timedelta(minutes=suggestion.minutes)


def is_agreed(suggestion: BookingSuggestion, now: datetime) -> bool:
    """Say whether clinic and patient spoke of a time that is still to come: who agreed on it may book it."""
    proposed = suggestion.proposed_starts_at
    declined = suggestion.patient_answer is PatientAnswer.DECLINED
    return proposed is not None and proposed >= now and not declined
