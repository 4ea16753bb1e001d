"""What the clinic's scheduling system says of a visit, carried out along our table of moves or put by.

A report of an older state never overwrites a newer one, the same report twice changes nothing, and what the
table forbids moves nothing: a person is asked to look.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from server.clinical.lifecycle import SuggestionAction
from server.clinical.peer_moves import Consequence, Heard, consequence, lags
from server.clinical.visit import Seen, is_plausible
from server.clinical.vocabulary import DeclineCode, ReviewCode
from server.models import BookingSuggestion, SchedulingCopy
from server.services.visits import appointment as appointments
from server.services.visits import review_task as review_tasks
from server.services.visits import suggestion_end as suggestion_ends
from server.services.visits.review_task import Finding
from server.services.visits.suggestion_move import events, locked, make_move, note
from server.services.work import Work

# Its name in the suggestion's log.
PUT_BY = "ignored_older"
# Proposal: what their system still does not say a day later, it will not say by itself.
LATE = timedelta(days=1)
_THEIR_SYSTEM = "scheduling_system"
_SETS_TIME = frozenset({SuggestionAction.BOOK.value, SuggestionAction.RESCHEDULE.value})
# A visit that was moved and took place between two questions took place at the later time.
_TELLS_TIME = frozenset(
    {
        *(SuggestionAction.BOOK, SuggestionAction.RESCHEDULE),
        *(SuggestionAction.ARRIVE, SuggestionAction.FULFIL, SuggestionAction.NOSHOW),
    }
)
LONGEST_VERSION = 200  # characters, as the copy keeps it


@dataclass(frozen=True, slots=True)
class Effect:
    """What a report did. ``stale``: it was older than what is known. ``review``: why a person has to look."""

    moved: bool = False
    stale: bool = False
    review: ReviewCode | None = None


def take(work: Work, copy: SchedulingCopy, seen: Seen) -> Effect:
    """Let ``seen`` have its effect on the suggestion of ``copy``, and remember it there."""
    seen = _usable(seen)
    suggestion = locked(work, copy.suggestion_id)
    if _is_stale(copy, seen):
        return _put_by(work, suggestion, copy, seen)
    was_behind = copy.sent_version < suggestion.version
    found = _consequence(work, suggestion, copy, seen)
    for action in found.moves:
        _move(work, suggestion, copy, action, seen)
    if found.moves:
        suggestion_ends.fulfil_if_recorded(work, suggestion)
    review = found.review
    if review is None and not was_behind and _should_have_followed(work, suggestion, seen):
        review = ReviewCode.NOT_FOLLOWED
    if review is not None:
        review_tasks.raise_(work, _finding(suggestion, copy, seen, review))
    _remember(work, copy, seen)
    if not was_behind:
        copy.sent_version = suggestion.version  # it is they who told us
    work.session.flush()
    return Effect(bool(found.moves), review=review)


def _usable(seen: Seen) -> Seen:
    """Leave out what can be no name of a version and no moment of a change, as programs write for "none"."""
    changed_at, version = seen.changed_at, seen.version
    is_dated = changed_at is not None and 1970 < changed_at.year < 2200
    is_named = version is not None and len(version) <= LONGEST_VERSION and version.isprintable()
    return replace(seen, changed_at=changed_at if is_dated else None, version=version if is_named else None)


def _is_stale(copy: SchedulingCopy, seen: Seen) -> bool:
    if seen.external_id != copy.external_id:
        return False  # another record of theirs: how long ago each was changed says nothing of the two
    known, said = copy.peer_changed_at, seen.changed_at
    return known is not None and said is not None and said < known


def _put_by(work: Work, suggestion: BookingSuggestion, copy: SchedulingCopy, seen: Seen) -> Effect:
    """Leave an older report without effect. Said again, it is how things stand there: a person looks."""
    source = _source(copy, seen)
    said = [event for event in events(work, suggestion.id) if event.action == PUT_BY]
    if not any(event.detail["changed_at"] == source["changed_at"] for event in said):
        note(work, suggestion, PUT_BY, source)
        return Effect(stale=True)
    if _consequence(work, suggestion, copy, seen) == Consequence():
        return Effect(stale=True)
    review_tasks.raise_(work, _finding(suggestion, copy, seen, ReviewCode.OUT_OF_ORDER))
    return Effect(stale=True, review=ReviewCode.OUT_OF_ORDER)


def _should_have_followed(work: Work, suggestion: BookingSuggestion, seen: Seen) -> bool:
    """Say whether their system is behind for longer than being late explains."""
    return lags(suggestion.state, seen.status) and suggestion.changed_at <= work.now - LATE


def _consequence(work: Work, suggestion: BookingSuggestion, copy: SchedulingCopy, seen: Seen) -> Consequence:
    moved = seen.starts_at is not None and not _is_kept(suggestion, seen)
    has_time = _has_time(work, suggestion, seen)
    ahead = has_time and seen.starts_at is not None and seen.starts_at > work.now
    repeated = moved and _is_said_again(work, suggestion, copy, seen)
    heard = Heard(seen.status, copy.peer_status, has_time, moved, ahead, repeated)
    return consequence(suggestion.state, heard)


def _is_said_again(work: Work, suggestion: BookingSuggestion, copy: SchedulingCopy, seen: Seen) -> bool:
    """Say whether nothing has changed there, and the visit's time was reported another way since.

    Read otherwise than before, because the settings were put right, it is news all the same.
    """
    if seen.version is None or (seen.version, seen.status) != (copy.etag, copy.peer_status):
        return False
    set_by = [event for event in events(work, suggestion.id) if event.action in _SETS_TIME]
    return bool(set_by) and set_by[-1].detail.get("source") != _THEIR_SYSTEM


def _has_time(work: Work, suggestion: BookingSuggestion, seen: Seen) -> bool:
    return seen.starts_at is not None and is_plausible(
        seen.starts_at, seen.ends_at, suggestion.created_at, work.now
    )


def _is_kept(suggestion: BookingSuggestion, seen: Seen) -> bool:
    """Say whether the booked time is the one that their system tells. It may leave the end out."""
    ends_at = seen.ends_at or suggestion.ends_at
    return (suggestion.starts_at, suggestion.ends_at) == (seen.starts_at, ends_at)


def _move(
    work: Work, suggestion: BookingSuggestion, copy: SchedulingCopy, action: SuggestionAction, seen: Seen
) -> None:
    detail = _source(copy, seen)
    told = _has_time(work, suggestion, seen) and not _is_kept(suggestion, seen)
    if action in _TELLS_TIME and told and seen.starts_at is not None:
        ends_at = seen.ends_at or appointments.usual_end(suggestion, seen.starts_at)
        appointments.make(suggestion, seen.external_id, seen.starts_at, ends_at)
        detail |= {"external_id": seen.external_id, "starts_at": str(seen.starts_at)}
    if action is SuggestionAction.DECLINE:
        detail["code"] = seen.decline or DeclineCode.OTHER
    make_move(work, suggestion, action, detail)


def _source(copy: SchedulingCopy, seen: Seen) -> dict[str, Any]:
    """Return who said it, and which state of theirs it was."""
    changed_at = None if seen.changed_at is None else seen.changed_at.isoformat()
    return {
        "source": _THEIR_SYSTEM,
        "connection_id": str(copy.connection_id),
        "status": seen.status,
        "source_version": seen.version,
        "changed_at": changed_at,
    }


def _finding(suggestion: BookingSuggestion, copy: SchedulingCopy, seen: Seen, code: ReviewCode) -> Finding:
    starts_at = None if seen.starts_at is None else seen.starts_at.isoformat()
    return Finding(
        code,
        f"{suggestion.id}:{suggestion.state}:{seen.status}:{starts_at}",
        suggestion.id,
        copy.connection_id,
        {"state": suggestion.state, "external_id": seen.external_id, "starts_at": starts_at}
        | _source(copy, seen),
    )


def _remember(work: Work, copy: SchedulingCopy, seen: Seen) -> None:
    copy.external_id, copy.peer_status = seen.external_id, seen.status
    copy.etag = seen.version
    # A clock there that was once ahead must not make all that follows look old.
    if seen.changed_at is not None and seen.changed_at <= work.now:
        copy.peer_changed_at = seen.changed_at
