"""One approved suggestion as the clinic's scheduling system sees it: without a word about why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from server.clinical.visit import MAINTENANCE_VISIT, Slot
from server.clinical.vocabulary import PatientAnswer, Role, SuggestionState
from server.models import BookingSuggestion


@dataclass(frozen=True, slots=True)
class InboxItem:
    """``earliest``, ``latest``: days, both included. ``minutes``: how long the visit takes.

    ``proposed_starts_at``, ``proposed_ends_at``: the time the clinic asks the patient about.
    ``patient_answer``: what they said to it, or to the offer; ``preferred_times``: when they would rather.
    """

    id: UUID
    patient_id: UUID
    earliest: date
    latest: date
    urgency: str
    minutes: int
    state: SuggestionState
    version: int
    external_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    proposed_starts_at: datetime | None
    proposed_ends_at: datetime | None
    patient_answer: PatientAnswer | None
    patient_answered_at: datetime | None
    preferred_times: Sequence[dict[str, str]]
    slots: Sequence[Slot]
    visit: str = MAINTENANCE_VISIT


@dataclass(frozen=True, slots=True)
class InboxMove:
    """One move since the approval. ``by``: the role of whoever made it, None for the system itself."""

    number: int
    action: str
    state: SuggestionState
    at: datetime
    by: Role | None


def item_of(suggestion: BookingSuggestion, slots: Sequence[Slot]) -> InboxItem:
    """Return what may be seen of ``suggestion``, which must be opened. ``slots``: free times beside it."""
    return InboxItem(
        id=suggestion.id,
        patient_id=suggestion.patient_id,
        earliest=suggestion.earliest,
        latest=suggestion.latest,
        urgency=suggestion.urgency,
        minutes=suggestion.minutes,
        state=suggestion.state,
        version=suggestion.version,
        external_id=suggestion.external_id,
        starts_at=suggestion.starts_at,
        ends_at=suggestion.ends_at,
        proposed_starts_at=suggestion.proposed_starts_at,
        proposed_ends_at=suggestion.proposed_ends_at,
        patient_answer=suggestion.patient_answer,
        patient_answered_at=suggestion.patient_answered_at,
        preferred_times=suggestion.preferred_times,
        slots=slots,
    )
