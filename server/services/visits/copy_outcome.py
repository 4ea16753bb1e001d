"""What came of asking or telling the clinic's scheduling system, recorded under the copy's lease."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.clinical.lifecycle import SUGGESTION_MOVES, SuggestionAction
from server.clinical.visit import Seen, Slot
from server.clinical.vocabulary import CopyState, ReviewCode, SuggestionState
from server.models import BookingSuggestion, SchedulingCopy
from server.services.errors import NotFound
from server.services.messages import retry
from server.services.visits import candidate_slot as candidate_slots
from server.services.visits import peer_report
from server.services.visits import review_task as review_tasks
from server.services.visits import scheduling_connection as connections
from server.services.visits import scheduling_copy as scheduling_copies
from server.services.visits.review_task import Finding
from server.services.visits.scheduling_copy import ClaimedCopy
from server.services.visits.suggestion_move import locked, make_move
from server.services.work import Work, system

# How often their system is asked: while somebody may book at any moment, and for a visit that is booked.
ASK_UNBOOKED, ASK_BOOKED = timedelta(minutes=5), timedelta(minutes=30)
# Nothing to ask there: only what changes here goes out, at once; this is for what was missed.
LOOK_AGAIN = timedelta(days=1)
# Free times are looked up with every question, and not shown when one was missed.
SLOTS_LAST = 2 * ASK_UNBOOKED
_VISITING = (SuggestionState.BOOKED, SuggestionState.ARRIVED)
_OVER = frozenset(
    {
        *(SuggestionState.DECLINED, SuggestionState.EXPIRED, SuggestionState.WITHDRAWN),
        *(SuggestionState.SUPERSEDED, SuggestionState.CANCELLED, SuggestionState.NOSHOW),
        SuggestionState.FULFILLED,
    }
)


@dataclass(frozen=True, slots=True)
class Heard:
    """Their system answered. ``seen``: how the visit stands there; None: it does not know it.

    ``told``: it has our newest version now, or needs none. ``was_asked``: this was a question, so that no
    visit means no visit. ``asks``: it can be asked at all. ``follows``: a booked visit is written there, too.
    ``slots``: free times there; None: not looked up,
    or not to be had, and ``no_slots`` is a short code of why.
    """

    seen: Seen | None = None
    told: bool = False
    was_asked: bool = False
    asks: bool = True
    follows: bool = False
    slots: tuple[Slot, ...] | None = None
    no_slots: str | None = None


@dataclass(frozen=True, slots=True)
class Unheard:
    """It gave no answer, or a refusal. ``reason`` is a short code; ``permanent``: again can't help."""

    reason: str
    permanent: bool = False
    retry_after: timedelta | None = None


def finish(session: Session, now: datetime, claimed: ClaimedCopy, outcome: Heard | Unheard) -> bool:
    """Record what came of ``claimed``; False, and nothing changed, where the lease was lost meanwhile."""
    work = Work(session, now, system(claimed.clinic_id))
    with suppress(NotFound):  # erased meanwhile, and its copy with it
        # Before the copy, as whoever moves it does: else each would wait for the other.
        locked(work, claimed.suggestion_id)
    connections.hold(work, claimed.connection_id)
    query = select(SchedulingCopy).where(
        SchedulingCopy.clinic_id == claimed.clinic_id, SchedulingCopy.suggestion_id == claimed.suggestion_id
    )
    copy = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if copy is None or copy.state is not CopyState.CLAIMED or not _is_of(copy, claimed):
        return False
    copy.lease_until = None
    if isinstance(outcome, Heard):
        _heard(work, copy, claimed, outcome)
    else:
        _unheard(work, copy, claimed, outcome)
    session.flush()
    return True


def _is_of(copy: SchedulingCopy, claimed: ClaimedCopy) -> bool:
    """Say whether a copy is still the one that was claimed: another system may have it now, as its own first.

    What the one before calls the visit may be somebody else's there.
    """
    return (copy.connection_id, copy.attempt) == (claimed.connection_id, claimed.attempt)


def _is_asked_again(copy: SchedulingCopy, claimed: ClaimedCopy) -> bool:
    """Say whether anything has changed, here or of how its system is reached, since it was claimed."""
    return copy.due_at > claimed.due_at


def _heard(work: Work, copy: SchedulingCopy, claimed: ClaimedCopy, outcome: Heard) -> None:
    connections.answered(work, copy.connection_id)
    asked_again = _is_asked_again(copy, claimed)
    copy.failures, copy.failure, copy.state = 0, None, CopyState.WAITING
    if outcome.told:
        copy.sent_version = max(copy.sent_version, claimed.proposed.version)
    if outcome.slots is not None:
        suggestion = work.session.get_one(BookingSuggestion, (copy.clinic_id, copy.suggestion_id))
        candidate_slots.attach(work, suggestion, outcome.slots, work.now + SLOTS_LAST)
    if outcome.seen is not None and not _is_outdated(work, copy, claimed, outcome):
        peer_report.take(work, copy, outcome.seen)
        _let_follow(work, copy, claimed, outcome)
    elif outcome.was_asked and claimed.known:
        _is_gone(work, copy)
    copy.failure = outcome.no_slots
    _plan(work, copy, outcome)
    if asked_again:
        scheduling_copies.ask(copy, work.now)


def _let_follow(work: Work, copy: SchedulingCopy, claimed: ClaimedCopy, outcome: Heard) -> None:
    """See that a time which staff gave a visit there is shown there as booked, and no longer as free."""
    suggestion = work.session.get_one(BookingSuggestion, (copy.clinic_id, copy.suggestion_id))
    if outcome.follows and suggestion.state in _VISITING:
        copy.sent_version = min(copy.sent_version, claimed.proposed.version)


def _is_outdated(work: Work, copy: SchedulingCopy, claimed: ClaimedCopy, outcome: Heard) -> bool:
    """Say whether it is only what we said ourselves, and the clinic has reported otherwise since.

    A mailbox can't be asked. Taken for its word, a time of before would move the visit back.
    """
    suggestion = work.session.get_one(BookingSuggestion, (copy.clinic_id, copy.suggestion_id))
    return not outcome.asks and suggestion.version != claimed.proposed.version


def _is_gone(work: Work, copy: SchedulingCopy) -> None:
    """Ask a person about a visit that their system does not know any more, unless it is over anyway."""
    suggestion = locked(work, copy.suggestion_id)
    if suggestion.state in _OVER:
        return
    key = f"{suggestion.id}:{suggestion.version}"
    detail = {"external_id": copy.external_id, "state": suggestion.state}
    finding = Finding(ReviewCode.GONE_THERE, key, suggestion.id, copy.connection_id, detail)
    review_tasks.raise_(work, finding)


def _plan(work: Work, copy: SchedulingCopy, outcome: Heard) -> None:
    """Say when the copy is looked at next."""
    suggestion = work.session.get_one(BookingSuggestion, (copy.clinic_id, copy.suggestion_id))
    behind = copy.sent_version < suggestion.version
    if suggestion.state in _OVER and not behind:
        copy.state, copy.due_at = CopyState.SETTLED, work.now
    elif behind:
        copy.due_at = work.now
    elif not outcome.asks:
        copy.due_at = work.now + LOOK_AGAIN
    else:
        copy.due_at = work.now + (ASK_BOOKED if suggestion.state in _VISITING else ASK_UNBOOKED)


def _unheard(work: Work, copy: SchedulingCopy, claimed: ClaimedCopy, outcome: Unheard) -> None:
    asked_again = _is_asked_again(copy, claimed)
    copy.failures, copy.failure = copy.failures + 1, outcome.reason[:64]
    _note_silence(work, copy, outcome)
    pauses = retry.WEBHOOK_PAUSES
    if outcome.permanent and asked_again:
        # What was refused is what it was told before; what it is to be told now it has not seen.
        copy.state, copy.failures, copy.failure = CopyState.WAITING, 0, None
        scheduling_copies.ask(copy, work.now)
        return
    if outcome.permanent or copy.failures > len(pauses):
        _set_aside(work, copy)
        return
    wait = max(pauses[copy.failures - 1], outcome.retry_after or timedelta())
    copy.state, copy.due_at = CopyState.WAITING, work.now + wait


def _note_silence(work: Work, copy: SchedulingCopy, outcome: Unheard) -> None:
    """Ask a person about a system that has not given a good answer for long: nothing goes there meanwhile."""
    connection = connections.failed(work, copy.connection_id, outcome.reason)
    since = connection.failing_since
    if since is None or work.now - since < connections.SILENT_FOR:
        return
    detail = {"failing_since": since.isoformat(), "failure": outcome.reason}
    key = f"{copy.connection_id}:{since.isoformat()}"
    review_tasks.raise_(work, Finding(ReviewCode.NO_ANSWER, key, None, copy.connection_id, detail))


def _set_aside(work: Work, copy: SchedulingCopy) -> None:
    """Stop trying: a person has to look. What is booked stays booked."""
    why, failures, suggestion = copy.failure, copy.failures, locked(work, copy.suggestion_id)
    if (suggestion.state, SuggestionAction.FAIL) in SUGGESTION_MOVES:
        make_move(work, suggestion, SuggestionAction.FAIL, {"failure": why})
    # After the move, which made it due, as a change that was never tried yet.
    copy.state, copy.failure, copy.failures = CopyState.HELD, why, failures
    key = f"{suggestion.id}:{suggestion.version}"
    detail = {"failure": copy.failure, "state": suggestion.state}
    review_tasks.raise_(work, Finding(ReviewCode.NOT_TAKEN, key, suggestion.id, copy.connection_id, detail))
