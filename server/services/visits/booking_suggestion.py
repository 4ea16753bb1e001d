"""Booking suggestions: read, and decided by a clinician.

They are drafted in `suggestion_draft`, changed in `suggestion_change`, and end in `suggestion_end`; what the
clinic's scheduling system does with them is in `inbox`. No move ever touches the alert behind a suggestion:
withdrawing or expiring a visit does not make symptoms go away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from server.clinical.lifecycle import SUGGESTION_MOVES, SuggestionAction, move
from server.clinical.visit import Slot
from server.clinical.vocabulary import SuggestionState
from server.models import BookingSuggestion, BookingSuggestionEvent
from server.services import vault
from server.services.errors import NotFound
from server.services.people import account as accounts
from server.services.people import patient as patients
from server.services.visits import candidate_slot as candidate_slots
from server.services.visits import suggestion_guard as suggestion_guards
from server.services.visits.suggestion_move import check_version, events, for_staff, make_move
from server.services.work import Work


def get(work: Work, suggestion_id: UUID) -> BookingSuggestion:
    """Return one suggestion of the actor's clinic, or raise NotFound, also where its patient leaves."""
    mine = (BookingSuggestion.clinic_id == work.clinic_id, BookingSuggestion.id == suggestion_id)
    query = select(BookingSuggestion).where(*mine, patients.is_here(BookingSuggestion))
    suggestion = work.session.scalar(query)
    if suggestion is None:
        raise NotFound("booking suggestion")
    vault.opened(work, [suggestion])
    return suggestion


@dataclass(frozen=True, slots=True)
class Record:
    """A suggestion with its log, the names of the people in it, and free times beside it."""

    suggestion: BookingSuggestion
    events: Sequence[BookingSuggestionEvent]
    names: Mapping[UUID | None, str]
    slots: Sequence[Slot]


def record(work: Work, suggestion_id: UUID) -> Record:
    """Return everything about one suggestion. Audited."""
    suggestion = get(work, suggestion_id)
    work.audit("booking-suggestion.read", suggestion.patient_id, suggestion.id)
    moves = events(work, suggestion_id)
    names = accounts.names(work, (row.account_id for row in moves))
    return Record(suggestion, moves, names, candidate_slots.shown(work, suggestion))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which suggestions: all where everything is None. ``blocked``: drafts with or without guards."""

    state: SuggestionState | None = None
    patient_id: UUID | None = None
    blocked: bool | None = None


def page(work: Work, wanted: Wanted, after: UUID | None, size: int) -> Sequence[BookingSuggestion]:
    """Return suggestions in the order they were made."""
    here = (BookingSuggestion.clinic_id == work.clinic_id, patients.is_here(BookingSuggestion))
    query = select(BookingSuggestion).where(*here)
    if wanted.state is not None:
        query = query.where(BookingSuggestion.state == wanted.state)
    if wanted.patient_id is not None:
        query = query.where(BookingSuggestion.patient_id == wanted.patient_id)
    if wanted.blocked is not None:
        has = func.json_array_length(BookingSuggestion.blocks) > 0
        is_draft = BookingSuggestion.state == SuggestionState.DRAFT
        query = query.where(is_draft, has if wanted.blocked else ~has)
    if after is not None:
        query = query.where(BookingSuggestion.id > after)
    return vault.opened(work, list(work.session.scalars(query.order_by(BookingSuggestion.id).limit(size))))


def approve(work: Work, suggestion_id: UUID, version: int, override_reason: str | None) -> BookingSuggestion:
    """Let a draft go to the clinic's scheduling system, and the patient see that a visit is offered.

    The guards are asked again: a draft of last week must not pass what was reported since. With any
    block it needs a reason (not blank), else raises Blocked; with one that no reason overrides, raises
    SafetyFirst; Stale when it changed since ``version``.
    """
    suggestion = for_staff(work, suggestion_id)
    check_version(suggestion, version)
    move(SUGGESTION_MOVES, suggestion.state, SuggestionAction.APPROVE)
    facts = suggestion_guards.facts_of(work, suggestion)
    blocks = suggestion_guards.blocks_now(work, suggestion, facts)
    reason = suggestion_guards.passed(suggestion, blocks, override_reason)
    _decide(work, suggestion, reason)
    suggestion.offered_at, suggestion.unseen_told_at = work.now, None
    overridden = [block.code for block in blocks]
    make_move(work, suggestion, SuggestionAction.APPROVE, {"reason": reason, "overridden": overridden})
    return suggestion


def dismiss(work: Work, suggestion_id: UUID, version: int, reason: str) -> BookingSuggestion:
    """Withdraw a suggestion that has no booked visit. The alert behind it stays as it is."""
    suggestion = for_staff(work, suggestion_id)
    check_version(suggestion, version)
    make_move(work, suggestion, SuggestionAction.DISMISS, {"reason": reason})
    _decide(work, suggestion, reason)
    return suggestion


def _decide(work: Work, suggestion: BookingSuggestion, reason: str | None) -> None:
    suggestion.decided_by = work.actor.account_id
    vault.put(work, suggestion, "decision_reason", reason)
