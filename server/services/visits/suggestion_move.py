"""The moves of a suggestion and its log: the one place that changes its state."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from server.clinical.lifecycle import SUGGESTION_MOVES, SuggestionAction, move
from server.models import BookingSuggestion, BookingSuggestionEvent
from server.services import vault
from server.services.errors import NotFound, Stale
from server.services.visits import visit_message as visit_messages
from server.services.work import Work


def locked(work: Work, suggestion_id: UUID) -> BookingSuggestion:
    """Return one suggestion under its row's lock, so that of two moves the second sees the first."""
    suggestion = work.session.get(
        BookingSuggestion, (work.clinic_id, suggestion_id), with_for_update={"key_share": True}
    )
    if suggestion is None:
        raise NotFound("booking suggestion")
    vault.opened(work, [suggestion])
    return suggestion


def check_version(suggestion: BookingSuggestion, version: int) -> None:
    """Raise Stale where ``version`` is not the current one."""
    if suggestion.version != version:
        raise Stale(suggestion)


def make_move(
    work: Work,
    suggestion: BookingSuggestion,
    action: SuggestionAction,
    detail: dict[str, Any] | None = None,
) -> None:
    """Make one allowed move, log it, and tell the patient of it where that is ours to do.

    Raises IllegalMove for any other.
    """
    suggestion.state = move(SUGGESTION_MOVES, suggestion.state, action)
    suggestion.version += 1
    suggestion.changed_at = work.now
    note(work, suggestion, action, detail or {})
    visit_messages.after(work, suggestion, action)
    work.audit(f"booking-suggestion.{action}", suggestion.patient_id, suggestion.id)


def events(work: Work, suggestion_id: UUID) -> Sequence[BookingSuggestionEvent]:
    """Return the log of a suggestion, oldest first."""
    query = select(BookingSuggestionEvent).where(
        BookingSuggestionEvent.clinic_id == work.clinic_id,
        BookingSuggestionEvent.suggestion_id == suggestion_id,
    )
    return vault.opened(work, list(work.session.scalars(query.order_by(BookingSuggestionEvent.number))))


def note(work: Work, suggestion: BookingSuggestion, action: str, detail: dict[str, Any]) -> None:
    """Add a line to the log of a suggestion: who, when, what, why."""
    work.session.flush()
    last = work.session.scalar(
        select(func.max(BookingSuggestionEvent.number)).where(
            BookingSuggestionEvent.clinic_id == suggestion.clinic_id,
            BookingSuggestionEvent.suggestion_id == suggestion.id,
        )
    )
    event = BookingSuggestionEvent(
        clinic_id=suggestion.clinic_id,
        suggestion_id=suggestion.id,
        number=(last or 0) + 1,
        action=str(action),
        state=suggestion.state,
        at=work.now,
        account_id=work.actor.account_id,
    )
    vault.put(work, event, "detail", detail)
    work.session.add(event)
    work.session.flush()
