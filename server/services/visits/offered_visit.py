"""The patient's side of a suggested visit: what is offered, asked or booked, and what they say to it.

Never why it is suggested, who approved it, or how urgent it is; and what they say moves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, bindparam, or_, select

from server.clinical import visit_words
from server.clinical.lifecycle import OPEN_SUGGESTIONS, SUGGESTION_MOVES, SuggestionAction, move
from server.clinical.visit import Slot
from server.clinical.visit_window import FARTHEST
from server.clinical.visit_words import Offer
from server.clinical.vocabulary import Language, OfferedVisitState, PatientAnswer, SuggestionState
from server.models import BookingSuggestion, Patient
from server.services import vault
from server.services.asking import of_patient
from server.services.errors import Invalid, NotFound, Stale
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.visits import candidate_slot as candidate_slots
from server.services.visits.suggestion_move import locked, make_move
from server.services.work import Work

# How long one that has ended is still shown, so that nobody wonders where it went.
SHOWN_AFTER = timedelta(days=30)
MOST_SHOWN = 20
_NEXT = (
    select(BookingSuggestion)
    .where(*of_patient(BookingSuggestion), BookingSuggestion.offered_at.is_not(None))
    .where(BookingSuggestion.state == SuggestionState.BOOKED)
    .where(BookingSuggestion.starts_at > bindparam("now"))
    .order_by(BookingSuggestion.starts_at)
    .limit(1)
)
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Said:
    """What a patient says to a visit, and when they would rather come."""

    answer: PatientAnswer
    preferred: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose visit it is, in which language they read, and by which clock their clinic goes."""

    patient: Patient
    language: Language
    clinic_zone: str


@dataclass(frozen=True, slots=True)
class OfferedVisit:
    """One visit as its patient sees it. ``earliest``, ``latest``: their local days, both included."""

    id: UUID
    state: OfferedVisitState
    text: str
    earliest: date
    latest: date
    minutes: int
    proposed_starts_at: datetime | None
    proposed_ends_at: datetime | None
    starts_at: datetime | None
    ends_at: datetime | None
    slots: Sequence[Slot]
    answer: PatientAnswer | None
    answered_at: datetime | None
    preferred_times: Sequence[dict[str, str]]
    version: int


def listed(work: Work, patient_id: UUID, language: Language) -> Sequence[OfferedVisit]:
    """Return the patient's visits, those that ended lately among them, newest first."""
    reader = _reader(work, patient_id, language)
    open_or_fresh = or_(
        BookingSuggestion.state.in_(sorted(OPEN_SUGGESTIONS)),
        BookingSuggestion.changed_at > work.now - SHOWN_AFTER,
    )
    query = _offered(work, patient_id).where(open_or_fresh).order_by(BookingSuggestion.id.desc())
    found = vault.opened(work, list(work.session.scalars(query.limit(MOST_SHOWN))))
    slots = candidate_slots.shown_of(work, found)
    return [_visit(work, one, reader, slots.get(one.id, [])) for one in found]


def get(work: Work, patient_id: UUID, visit_id: UUID, language: Language) -> OfferedVisit:
    """Return one visit of the patient, or raise NotFound: a draft is none."""
    reader = _reader(work, patient_id, language)
    suggestion = work.session.scalar(_offered(work, patient_id).where(BookingSuggestion.id == visit_id))
    if suggestion is None:
        raise NotFound("visit")
    return _shown(work, suggestion, reader)


def answer(work: Work, visit_id: UUID, version: int, said: Said, language: Language) -> OfferedVisit:
    """Note what the patient says to what is offered, asked or booked, and when they would rather come.

    It moves nothing: the clinic reads it and decides. The same again is a no-op. Raises NotFound, Stale,
    IllegalMove where it has ended, Invalid for times that can't be.
    """
    assert work.actor.patient_id is not None, "a patient's account names its patient"
    reader = _reader(work, work.actor.patient_id, language)
    get(work, reader.patient.id, visit_id, language)
    suggestion = locked(work, visit_id)
    times = [{"starts_at": _iso(starts), "ends_at": _iso(ends)} for starts, ends in sorted(said.preferred)]
    if (suggestion.patient_answer, suggestion.preferred_times) == (said.answer, times):
        return _shown(work, suggestion, reader)
    if suggestion.version != version:
        raise Stale(_shown(work, suggestion, reader))
    move(SUGGESTION_MOVES, suggestion.state, SuggestionAction.ANSWER)
    _check(work, said.preferred)
    suggestion.patient_answer, suggestion.patient_answered_at = said.answer, work.now
    vault.put(work, suggestion, "preferred_times", times)
    make_move(work, suggestion, SuggestionAction.ANSWER, {"answer": said.answer, "preferred_times": times})
    return _shown(work, suggestion, reader)


def next_booked(work: Work, patient_id: UUID) -> BookingSuggestion | None:
    """Return the booked visit that comes next, None without one."""
    return next(iter(work.objects(_NEXT, patient=patient_id, now=work.now)), None)


def _reader(work: Work, patient_id: UUID, language: Language) -> Reader:
    return Reader(patients.get(work, patient_id), language, clinics.get(work).zone)


def _offered(work: Work, patient_id: UUID) -> Select[BookingSuggestion]:
    return select(BookingSuggestion).where(
        BookingSuggestion.clinic_id == work.clinic_id,
        BookingSuggestion.patient_id == patient_id,
        BookingSuggestion.offered_at.is_not(None),
    )


def _check(work: Work, preferred: Sequence[Span]) -> None:
    for number, (starts, ends) in enumerate(preferred):
        if ends <= starts:
            raise Invalid(f"/preferred_times/{number}/ends_at", "Must lie after the start.")
        if ends <= work.now or ends > work.now + FARTHEST:
            raise Invalid(f"/preferred_times/{number}/ends_at", "Lies in the past or too far ahead.")


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _shown(work: Work, suggestion: BookingSuggestion, reader: Reader) -> OfferedVisit:
    vault.opened(work, [suggestion])
    return _visit(work, suggestion, reader, candidate_slots.shown(work, suggestion))


def _visit(work: Work, suggestion: BookingSuggestion, reader: Reader, slots: Sequence[Slot]) -> OfferedVisit:
    offer = Offer(
        suggestion.earliest,
        suggestion.latest,
        suggestion.proposed_starts_at,
        suggestion.starts_at,
        suggestion.ends_at,
        reader.patient.zone,
        reader.clinic_zone,
    )
    state = visit_words.state_of(suggestion.state, offer, work.now)
    is_open = state in (OfferedVisitState.OFFERED, OfferedVisitState.TIME_PROPOSED)
    return OfferedVisit(
        id=suggestion.id,
        state=state,
        text=visit_words.tell(state, offer, reader.language),
        earliest=suggestion.earliest,
        latest=suggestion.latest,
        minutes=suggestion.minutes,
        proposed_starts_at=suggestion.proposed_starts_at,
        proposed_ends_at=suggestion.proposed_ends_at,
        starts_at=suggestion.starts_at,
        ends_at=suggestion.ends_at,
        slots=slots if is_open else (),
        answer=suggestion.patient_answer,
        answered_at=suggestion.patient_answered_at,
        preferred_times=suggestion.preferred_times,
        version=suggestion.version,
    )
