"""What the clinic's scheduling system may see of suggestions, and what it reports back.

Everything leaves this service as `InboxItem`: why a visit is suggested never reaches that system,
not even inside an error. A report sent twice changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, select

from server.clinical.lifecycle import OPEN_SUGGESTIONS, SuggestionAction
from server.clinical.visit import FURTHEST_AHEAD, LONGEST_VISIT
from server.clinical.vocabulary import DeclineCode, SuggestionState
from server.models import BookingSuggestion, BookingSuggestionEvent
from server.services import vault
from server.services.errors import Conflict, Invalid, NotFound, Stale
from server.services.people import account as accounts
from server.services.visits import appointment as appointments
from server.services.visits import candidate_slot as candidate_slots
from server.services.visits import suggestion_end as suggestion_ends
from server.services.visits.inbox_item import InboxItem, InboxMove, item_of
from server.services.visits.suggestion_move import events, locked, make_move
from server.services.work import Work

# The state a report leads to: reporting what is so already is a no-op, whatever the version.
_LEADS_TO = {
    SuggestionAction.ACKNOWLEDGE: SuggestionState.ACKNOWLEDGED,
    SuggestionAction.DECLINE: SuggestionState.DECLINED,
    SuggestionAction.CANCEL: SuggestionState.CANCELLED,
    SuggestionAction.ARRIVE: SuggestionState.ARRIVED,
    SuggestionAction.NOSHOW: SuggestionState.NOSHOW,
    SuggestionAction.FULFIL: SuggestionState.FULFILLED,
}
# That the peer acts on a suggestion proves that it has it.
_ARRIVES = {
    SuggestionState.SUGGESTED: SuggestionAction.SEND,
    SuggestionState.NEEDS_ATTENTION: SuggestionAction.RETRY,
}

# Said again of these, an appointment is what led there.
_HAS_TIME = frozenset({SuggestionState.BOOKED, SuggestionState.ARRIVED, SuggestionState.FULFILLED})


@dataclass(frozen=True, slots=True)
class Appointment:
    """The clinic's appointment: its own id there, when it starts, and whether it replaces another.

    ``ends_at`` None: as long after the start as such a visit takes.
    """

    external_id: str
    starts_at: datetime
    reschedule: bool = False
    ends_at: datetime | None = None


def pull(work: Work, state: SuggestionState | None, after: UUID | None, size: int) -> Sequence[InboxItem]:
    """Return approved suggestions in the order they were made: the open ones, or those in ``state``."""
    states = OPEN_SUGGESTIONS if state is None else {state}
    query = approved(work).where(BookingSuggestion.state.in_(states))
    if after is not None:
        query = query.where(BookingSuggestion.id > after)
    found = list(work.session.scalars(query.order_by(BookingSuggestion.id).limit(size)))
    vault.opened(work, found)
    work.audit("booking-suggestion.pull")
    slots = candidate_slots.shown_of(work, found)
    return [item_of(suggestion, slots.get(suggestion.id, [])) for suggestion in found]


def get(work: Work, suggestion_id: UUID) -> InboxItem:
    """Return one suggestion that was approved at some time; a draft is not found."""
    suggestion = work.session.scalar(approved(work).where(BookingSuggestion.id == suggestion_id))
    if suggestion is None:
        raise NotFound("booking suggestion")
    vault.opened(work, [suggestion])
    return _read(work, suggestion)


def history(work: Work, suggestion_id: UUID) -> Sequence[InboxMove]:
    """Return its moves since a clinician approved it, oldest first: what happened, never why."""
    get(work, suggestion_id)
    known = [row for row in events(work, suggestion_id) if row.action in set(SuggestionAction)]
    approved = next((n for n, row in enumerate(known) if row.action == SuggestionAction.APPROVE), None)
    if approved is None:  # erased since
        raise NotFound("booking suggestion")
    roles = accounts.roles(work, (row.account_id for row in known))
    return [
        InboxMove(row.number, row.action, row.state, row.at, roles.get(row.account_id))
        for row in known[approved:]
    ]


def acknowledge(work: Work, suggestion_id: UUID, version: int) -> InboxItem:
    """Note that a person at the clinic has seen it."""
    return _report(work, suggestion_id, version, SuggestionAction.ACKNOWLEDGE)


def decline(work: Work, suggestion_id: UUID, version: int, code: DeclineCode, note: str | None) -> InboxItem:
    """Note that the clinic will not book it, and why."""
    return _report(work, suggestion_id, version, SuggestionAction.DECLINE, {"code": code, "note": note})


def cancel(work: Work, suggestion_id: UUID, version: int) -> InboxItem:
    """Note that the booked visit was cancelled; only the clinic can do that."""
    return _report(work, suggestion_id, version, SuggestionAction.CANCEL)


def arrive(work: Work, suggestion_id: UUID, version: int) -> InboxItem:
    """Note that the patient is there."""
    return _report(work, suggestion_id, version, SuggestionAction.ARRIVE)


def noshow(work: Work, suggestion_id: UUID, version: int) -> InboxItem:
    """Note that the patient did not come."""
    return _report(work, suggestion_id, version, SuggestionAction.NOSHOW)


def fulfil(work: Work, suggestion_id: UUID, version: int) -> InboxItem:
    """Note that the visit took place. What was given there is recorded by the care team."""
    return _report(work, suggestion_id, version, SuggestionAction.FULFIL)


def propose_time(
    work: Work, suggestion_id: UUID, version: int, starts_at: datetime, ends_at: datetime | None
) -> InboxItem:
    """Ask the patient about a time; their answer shows here. It books nothing. The same again is a no-op."""
    suggestion = _locked(work, suggestion_id)
    _check_ahead(work, starts_at)
    starts_at = starts_at.astimezone(UTC)
    ends = _end(suggestion, starts_at, ends_at)
    if (suggestion.proposed_starts_at, suggestion.proposed_ends_at) == (starts_at, ends):
        return _read(work, suggestion)
    _check_version(work, suggestion, version)
    if starts_at < work.now:
        raise Invalid("/starts_at", "Lies in the past.")
    _arrive(work, suggestion)
    detail = {"starts_at": starts_at.isoformat(), "ends_at": ends.isoformat()}
    suggestion.proposed_starts_at, suggestion.proposed_ends_at = starts_at, ends
    # What was said before was said of another time.
    suggestion.patient_answer = suggestion.patient_answered_at = None
    make_move(work, suggestion, SuggestionAction.PROPOSE, detail)
    return _item(work, suggestion)


def book(work: Work, suggestion_id: UUID, version: int, appointment: Appointment) -> InboxItem:
    """Note the appointment that the clinic made.

    The same appointment again is a no-op; the same id at another time moves it. Another id raises
    Conflict unless it says that it reschedules, so that one suggestion is never booked twice.
    """
    suggestion = _locked(work, suggestion_id)
    booked = suggestion.state is SuggestionState.BOOKED
    if suggestion.state in _HAS_TIME and _is_same(suggestion, appointment):
        return _read(work, suggestion)
    _check_version(work, suggestion, version)
    _check_ahead(work, appointment.starts_at)
    if appointment.starts_at < suggestion.created_at:
        raise Invalid("/starts_at", "Lies before the suggestion was made.")
    ends_at = _end(suggestion, appointment.starts_at, appointment.ends_at)
    same_id = suggestion.external_id == appointment.external_id
    if booked and not (same_id or appointment.reschedule):
        raise Conflict("booked-otherwise", "It is booked under another id. Say that you reschedule it.")
    _arrive(work, suggestion)
    appointments.make(suggestion, appointment.external_id, appointment.starts_at, ends_at)
    action = SuggestionAction.RESCHEDULE if booked else SuggestionAction.BOOK
    detail = {"external_id": appointment.external_id, "starts_at": appointment.starts_at.isoformat()}
    make_move(work, suggestion, action, detail)
    suggestion_ends.fulfil_if_recorded(work, suggestion)
    return _item(work, suggestion)


def _check_ahead(work: Work, starts_at: datetime) -> None:
    if starts_at.year > work.now.year + 2 or starts_at > work.now + FURTHEST_AHEAD:
        raise Invalid("/starts_at", "Lies more than two years ahead.")


def _end(suggestion: BookingSuggestion, starts_at: datetime, ends_at: datetime | None) -> datetime:
    """Return when a visit from ``starts_at`` on ends; raises Invalid for one without a sensible length."""
    if ends_at is None:
        return appointments.usual_end(suggestion, starts_at)
    if not starts_at < ends_at <= starts_at + LONGEST_VISIT:
        raise Invalid("/ends_at", "Must lie after the start, at most a day.")
    return ends_at.astimezone(UTC)


def _report(
    work: Work,
    suggestion_id: UUID,
    version: int,
    action: SuggestionAction,
    detail: dict[str, str | None] | None = None,
) -> InboxItem:
    suggestion = _locked(work, suggestion_id)
    if suggestion.state is _LEADS_TO[action]:
        return _read(work, suggestion)
    _check_version(work, suggestion, version)
    _arrive(work, suggestion)
    make_move(work, suggestion, action, detail)
    suggestion_ends.fulfil_if_recorded(work, suggestion)
    return _item(work, suggestion)


def _arrive(work: Work, suggestion: BookingSuggestion) -> None:
    if suggestion.state in _ARRIVES:
        make_move(work, suggestion, _ARRIVES[suggestion.state])


def _read(work: Work, suggestion: BookingSuggestion) -> InboxItem:
    """Return one that is only read, also where what it was to become it is already. On record."""
    work.audit("booking-suggestion.read", suggestion.patient_id, suggestion.id)
    return _item(work, suggestion)


def _locked(work: Work, suggestion_id: UUID) -> BookingSuggestion:
    query = approved(work).where(BookingSuggestion.id == suggestion_id)
    if work.session.scalar(query) is None:
        raise NotFound("booking suggestion")
    return locked(work, suggestion_id)


def _check_version(work: Work, suggestion: BookingSuggestion, version: int) -> None:
    if suggestion.version != version:
        raise Stale(_item(work, suggestion))


def _is_same(suggestion: BookingSuggestion, appointment: Appointment) -> bool:
    ends_at = appointment.ends_at or suggestion.ends_at
    known = (suggestion.external_id, suggestion.starts_at, suggestion.ends_at)
    return known == (appointment.external_id, appointment.starts_at, ends_at)


def approved(work: Work) -> Select[BookingSuggestion]:
    """Select what a clinician let go out. A draft that was dismissed stays unseen for ever."""
    approval = select(BookingSuggestionEvent.number).where(
        BookingSuggestionEvent.clinic_id == BookingSuggestion.clinic_id,
        BookingSuggestionEvent.suggestion_id == BookingSuggestion.id,
        BookingSuggestionEvent.action == SuggestionAction.APPROVE.value,
    )
    return select(BookingSuggestion).where(BookingSuggestion.clinic_id == work.clinic_id, approval.exists())


def _item(work: Work, suggestion: BookingSuggestion) -> InboxItem:
    return item_of(suggestion, candidate_slots.shown(work, suggestion))
