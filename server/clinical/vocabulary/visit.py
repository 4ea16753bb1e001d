"""The life of a suggested visit."""

from enum import StrEnum


class SuggestionState(StrEnum):
    """Life of a booking suggestion (docs/scheduling.md)."""

    DRAFT = "draft"
    SUGGESTED = "suggested"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    NOSHOW = "noshow"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    NEEDS_ATTENTION = "needs_attention"


class DeclineCode(StrEnum):
    """Why the clinic does not book a suggested visit. A code, so that no diagnosis needs to be written."""

    NO_CAPACITY = "no_capacity"
    PATIENT_REFUSED = "patient_refused"
    PATIENT_UNREACHABLE = "patient_unreachable"
    ALREADY_BOOKED = "already_booked"
    NOT_INDICATED = "not_indicated"
    OTHER = "other"
