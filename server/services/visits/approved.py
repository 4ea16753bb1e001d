"""Approved suggestions in the words both sides share (`Proposed`), for whoever asks us for them.

As in the inbox: a draft, and one that was dismissed before anybody approved it, is never seen. Of a patient
who is about to be erased only the clinic's system sees any: that they are withdrawn.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import ColumnElement, and_

from server.clinical.visit import Mapped, Proposed, Slot
from server.clinical.vocabulary import Role, SuggestionState
from server.models import BookingSuggestion, Patient
from server.services.errors import NotFound
from server.services.journal.reported import Spans, within
from server.services.people import patient as patients
from server.services.visits import candidate_slot as candidate_slots
from server.services.visits.inbox import approved
from server.services.visits.proposed import proposed
from server.services.work import Work

# One that goes back to a clinician is theirs again.
SHOWN = frozenset(SuggestionState) - {SuggestionState.DRAFT}
_OF_PATIENT = and_(
    Patient.clinic_id == BookingSuggestion.clinic_id, Patient.id == BookingSuggestion.patient_id
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which suggestions, and how many. ``states``: any of these. ``after``: where the page before ended.

    ``starts``: when a booked visit begins; one without a time begins in no span.
    """

    states: Collection[SuggestionState] = SHOWN
    patient_id: UUID | None = None
    ids: Collection[UUID] | None = None
    changed: Spans = ()
    starts: Spans = ()
    made: Spans = ()
    after: UUID | None = None
    size: int = 1


def page(work: Work, asked: Asked) -> Sequence[Proposed]:
    """Return suggestions in the order they were made."""
    query = approved(work).where(*_asked(asked), *_open_to(work.actor.role))
    # With the zone, in one question: a patient may be erased between two.
    whole = query.join(Patient, _OF_PATIENT).add_columns(Patient.zone)
    found = work.session.execute(whole.order_by(BookingSuggestion.id).limit(asked.size)).all()
    slots = candidate_slots.shown_of(work, [one for one, _ in found])
    return [_one(one, zone, slots.get(one.id, [])) for one, zone in found]


def get(work: Work, suggestion_id: UUID) -> Proposed:
    """Return one suggestion that was approved at some time, or raise NotFound."""
    found = page(work, Asked(ids=[suggestion_id]))
    if not found:
        raise NotFound("booking suggestion")
    return found[0]


def _asked(asked: Asked) -> Iterator[ColumnElement[bool]]:
    yield BookingSuggestion.state.in_(asked.states)
    if asked.patient_id is not None:
        yield BookingSuggestion.patient_id == asked.patient_id
    if asked.ids is not None:
        yield BookingSuggestion.id.in_(asked.ids)
    if asked.after is not None:
        yield BookingSuggestion.id > asked.after
    for since, before in asked.changed:
        yield from within(BookingSuggestion.changed_at, since, before)
    for since, before in asked.made:
        yield from within(BookingSuggestion.created_at, since, before)
    for since, before in asked.starts:
        yield from within(BookingSuggestion.starts_at, since, before)


def _open_to(role: Role | None) -> Iterator[ColumnElement[bool]]:
    """Yield what hides a patient who is about to be erased, but for the system that is to take it up."""
    if role is not Role.INTEGRATION:
        yield patients.is_here(BookingSuggestion)


def _one(suggestion: BookingSuggestion, zone: str, slots: Sequence[Slot]) -> Proposed:
    # Whoever asks us speaks in our ids.
    mapped = Mapped(patient=str(suggestion.patient_id))
    return replace(proposed(suggestion, zone), mapped=mapped, slots=tuple(slots))
