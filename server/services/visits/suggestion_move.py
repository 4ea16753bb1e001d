"""The moves of a suggestion and its log: the one place that changes its state."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, func, insert, select

from server.clinical.lifecycle import SUGGESTION_MOVES, SuggestionAction, move
from server.clinical.vocabulary import SuggestionState
from server.models import BookingSuggestion, BookingSuggestionEvent
from server.services import vault
from server.services.errors import NotFound, Stale
from server.services.messages import webhook_event as webhook_events
from server.services.people import patient as patients
from server.services.visits import safety_first
from server.services.visits import scheduling_copy as scheduling_copies
from server.services.visits import visit_message as visit_messages
from server.services.work import Work
from server.services.writing import write_rows

_INSERT_LINE = insert(cast(Table, BookingSuggestionEvent.__table__))
_LAST_LINE = select(func.max(BookingSuggestionEvent.number)).where(
    BookingSuggestionEvent.clinic_id == bindparam("clinic"),
    BookingSuggestionEvent.suggestion_id == bindparam("suggestion"),
)


def locked(work: Work, suggestion_id: UUID) -> BookingSuggestion:
    """Return one suggestion under its row's lock, so that of two moves the second sees the first."""
    suggestion = work.session.get(
        BookingSuggestion, (work.clinic_id, suggestion_id), with_for_update={"key_share": True}
    )
    if suggestion is None:
        raise NotFound("booking suggestion")
    vault.opened(work, [suggestion])
    return suggestion


def of_somebody_here(work: Work, suggestion_id: UUID) -> BookingSuggestion | None:
    """Return one suggestion as `locked` does, for what is done by itself; None where its patient leaves.

    Whoever erases a patient begins with the patient's row, so it is asked for first here too.
    """
    whose = select(BookingSuggestion.patient_id).where(
        BookingSuggestion.clinic_id == work.clinic_id, BookingSuggestion.id == suggestion_id
    )
    patient_id = work.session.scalar(whose)
    here = patient_id is not None and patients.stays(work, patient_id)
    return locked(work, suggestion_id) if here else None


def for_staff(work: Work, suggestion_id: UUID) -> BookingSuggestion:
    """Return the same for what staff decides; raises NotFound also where its patient leaves.

    What the clinic's system reports goes on until the rows go.
    """
    found = of_somebody_here(work, suggestion_id)
    if found is None:
        raise NotFound("booking suggestion")
    return found


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
    """Make one allowed move and log it; raises IllegalMove for any other.

    Once it is approved, every move gets to the clinic's system, to the webhooks that listen, and to
    the patient where that is ours to do.
    """
    before = suggestion.state
    suggestion.state = move(SUGGESTION_MOVES, before, action)
    # No move leads back to a draft: whatever is none was approved at some time.
    was_approved = before is not SuggestionState.DRAFT or action is SuggestionAction.APPROVE
    _changed(work, suggestion, action, detail, was_approved)
    visit_messages.after(work, suggestion, action)
    if action is SuggestionAction.BOOK:
        safety_first.look(work, suggestion)
    work.audit(f"booking-suggestion.{action}", suggestion.patient_id, suggestion.id)


def make_change(
    work: Work, suggestion: BookingSuggestion, what: str, detail: dict[str, Any] | None = None
) -> None:
    """Log a change of an approved suggestion that leaves its state: a new version, told like a move."""
    _changed(work, suggestion, what, detail, suggestion.state is not SuggestionState.DRAFT)


def _changed(
    work: Work, suggestion: BookingSuggestion, what: str, detail: dict[str, Any] | None, was_approved: bool
) -> None:
    suggestion.version += 1
    suggestion.changed_at = work.now
    note(work, suggestion, what, detail or {})
    if was_approved:
        webhook_events.tell_visit(work, suggestion)
        scheduling_copies.follow(work, suggestion, is_new=what == SuggestionAction.APPROVE)


def events(work: Work, suggestion_id: UUID) -> Sequence[BookingSuggestionEvent]:
    """Return the log of a suggestion, oldest first."""
    query = select(BookingSuggestionEvent).where(
        BookingSuggestionEvent.clinic_id == work.clinic_id,
        BookingSuggestionEvent.suggestion_id == suggestion_id,
    )
    return vault.opened(work, list(work.session.scalars(query.order_by(BookingSuggestionEvent.number))))


def note(work: Work, suggestion: BookingSuggestion, action: str, detail: dict[str, Any]) -> None:
    """Add a line to the log of a suggestion: who, when, what, why."""
    last = work.value(_LAST_LINE, suggestion=suggestion.id)
    key = (suggestion.clinic_id, suggestion.id, (last or 0) + 1)
    line = {
        **dict(zip(("clinic_id", "suggestion_id", "number"), key, strict=True)),
        "action": str(action),
        "state": suggestion.state,
        "at": work.now,
        "account_id": work.actor.account_id,
        "sealed_detail": vault.seal(work, BookingSuggestionEvent, key, "detail", detail),
    }
    write_rows(work.session, _INSERT_LINE, [line])
