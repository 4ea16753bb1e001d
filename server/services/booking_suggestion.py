"""Booking suggestions."""

from server.clinical.vocabulary import Arm
from server.models import Alert, BookingSuggestion, Patient
from server.services.work import Work


def suggest_after_alert(work: Work, patient: Patient, alert: Alert, programme: Arm) -> None:
    """Draft a suggestion for the visit that a relapse alert calls for."""


def suggest_maintenance(work: Work, patient: Patient) -> BookingSuggestion | None:
    """Draft a suggestion where the patient's planned interval is running out."""
    return None


def expire_overdue(work: Work) -> int:
    """End suggestions whose window has passed; return how many."""
    return 0
