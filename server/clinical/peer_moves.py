"""What follows from what a clinic's scheduling system says of a visit: moves, nothing, or a person's look.

Our own table of moves is the only judge of what may happen: what a system claims is carried out step by
step along it, or not at all. Source: docs/scheduling.md, "What a system may say".
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from server.clinical.lifecycle import OPEN_SUGGESTIONS, SUGGESTION_MOVES, SuggestionAction
from server.clinical.vocabulary import PeerStatus, ReviewCode, SuggestionState

_S, _A, _P = SuggestionState, SuggestionAction, PeerStatus

# Only what a scheduling system can cause: it never approves, withdraws or expires.
_THEIRS = (
    *(_A.SEND, _A.RETRY, _A.ACKNOWLEDGE, _A.BOOK, _A.DECLINE),
    *(_A.ARRIVE, _A.FULFIL, _A.NOSHOW, _A.CANCEL, _A.FAIL),
)
_ENDED_HERE = frozenset({_S.DECLINED, _S.EXPIRED, _S.WITHDRAWN, _S.SUPERSEDED, _S.CANCELLED, _S.NOSHOW})
# The states of ours that say the same as a status there. The first ones are where a report leads to.
_SAME: Mapping[PeerStatus, tuple[SuggestionState, ...]] = MappingProxyType(
    {
        # A system without a state in between stays at proposed although somebody has looked.
        _P.PROPOSED: (_S.SENT, _S.ACKNOWLEDGED),
        _P.PENDING: (_S.ACKNOWLEDGED,),
        _P.BOOKED: (_S.BOOKED,),
        _P.ARRIVED: (_S.ARRIVED,),
        _P.FULFILLED: (_S.FULFILLED,),
        _P.NOSHOW: (_S.NOSHOW,),
        _P.CANCELLED: (_S.DECLINED, _S.CANCELLED, _S.EXPIRED, _S.WITHDRAWN, _S.SUPERSEDED),
        _P.DECLINED: (_S.DECLINED, _S.CANCELLED, _S.EXPIRED, _S.WITHDRAWN, _S.SUPERSEDED),
        _P.FAILED: (_S.NEEDS_ATTENTION,),
    }
)
# What a system says before anybody there has decided anything.
_UNDECIDED = (_P.PROPOSED, _P.PENDING, _P.FAILED)
# How far along a visit is. Behind ours is only late; behind what the system said before is a step back.
_ALONG = (_P.PROPOSED, _P.PENDING, _P.BOOKED, _P.ARRIVED, _P.FULFILLED)
_REACHED: Mapping[SuggestionState, PeerStatus] = MappingProxyType(
    {
        _S.ACKNOWLEDGED: _P.PENDING,
        _S.BOOKED: _P.BOOKED,
        _S.ARRIVED: _P.ARRIVED,
        _S.FULFILLED: _P.FULFILLED,
        # That a visit did not take place is known after the day it was booked for.
        _S.NOSHOW: _P.FULFILLED,
    }
)
_HAD_ITS_DAY = frozenset({_S.FULFILLED, _S.NOSHOW})


@dataclass(frozen=True, slots=True)
class Heard:
    """One report: the status, what the same system said before (None: nothing yet), whether it gives a
    time at which a visit can be, and whether it gives another time (or end) than the booked one.

    ``ahead``: the time is still to come. ``repeated``: it is what was said before the visit was given
    another time here.
    """

    status: PeerStatus
    before: PeerStatus | None = None
    has_time: bool = False
    moved: bool = False
    ahead: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Consequence:
    """The moves to make, in order; or why a person has to look. Neither: nothing is to be done."""

    moves: tuple[SuggestionAction, ...] = ()
    review: ReviewCode | None = None


_NOTHING = Consequence()


def consequence(state: SuggestionState, heard: Heard) -> Consequence:
    """Return what follows for a suggestion in ``state`` from what its scheduling system says."""
    if state is _S.BOOKED and heard.status is _P.BOOKED and heard.moved:
        follows = heard.has_time and not heard.repeated
        return Consequence((_A.RESCHEDULE,)) if follows else Consequence(review=ReviewCode.ILLEGAL_MOVE)
    if state in _SAME[heard.status] or _is_late(state, heard):
        return _NOTHING
    # Also where it was said before: it may have ended here since.
    if state in _ENDED_HERE:
        return _after_the_end(heard.status)
    if _is_step_back(state, heard):
        return Consequence(review=ReviewCode.ILLEGAL_MOVE)
    if not _is_said_again(heard):
        return _along_the_table(state, heard)
    # It came to nothing when it was new, or the visit was moved here since: neither is theirs to undo.
    return _NOTHING if heard.status in _UNDECIDED else Consequence(review=ReviewCode.ILLEGAL_MOVE)


def lags(state: SuggestionState, status: PeerStatus) -> bool:
    """Say whether the system should have followed: it still only proposes what is booked, or over, here.

    What took place here may stay booked there for ever: many systems are never told.
    """
    return (state is _S.BOOKED or state in _ENDED_HERE) and status in (_P.PROPOSED, _P.PENDING)


def _is_said_again(heard: Heard) -> bool:
    """Say whether nothing has changed there: it moves nothing a second time."""
    return heard.status is heard.before and not heard.moved


def _is_step_back(state: SuggestionState, heard: Heard) -> bool:
    """Say whether the system takes back what it said itself (booked, then only proposed)."""
    is_past = state in _HAD_ITS_DAY
    before = _P.FULFILLED if is_past and heard.before is _P.NOSHOW else heard.before
    if before not in _ALONG or heard.status not in _ALONG or not (is_past or state in OPEN_SUGGESTIONS):
        return False
    return _ALONG.index(heard.status) < _ALONG.index(before)


def _is_booked_anew(state: SuggestionState, heard: Heard) -> bool:
    """Say whether a visit that had its day here has been given another one there."""
    return state in _HAD_ITS_DAY and heard.status is _P.BOOKED and heard.moved and heard.ahead


def _is_late(state: SuggestionState, heard: Heard) -> bool:
    """Say whether the system only has not heard yet how far the visit is, or that it is over."""
    if state in _REACHED and heard.status in _ALONG:
        behind = _ALONG.index(heard.status) < _ALONG.index(_REACHED[state])
        return behind and not (_is_step_back(state, heard) or _is_booked_anew(state, heard))
    return state in _ENDED_HERE and heard.status in _UNDECIDED


def _after_the_end(status: PeerStatus) -> Consequence:
    """What is booked there although it is over here, a person at the clinic has to put right."""
    if status in (_P.BOOKED, _P.ARRIVED, _P.FULFILLED):
        return Consequence(review=ReviewCode.BOOKED_OTHERWISE)
    return Consequence(review=ReviewCode.ILLEGAL_MOVE)


def _along_the_table(state: SuggestionState, heard: Heard) -> Consequence:
    path = _shortest(state, _SAME[heard.status])
    # A visit without a time is no booked visit, whatever it is called.
    if path is None or (_A.BOOK in path and not heard.has_time):
        return Consequence(review=ReviewCode.ILLEGAL_MOVE)
    return Consequence(path)


def _shortest(
    start: SuggestionState, goals: tuple[SuggestionState, ...]
) -> tuple[SuggestionAction, ...] | None:
    """Return the fewest moves of theirs that lead from ``start`` to one of ``goals``; None: none do."""
    waiting: deque[tuple[SuggestionState, tuple[SuggestionAction, ...]]] = deque([(start, ())])
    seen = {start}
    while waiting:
        state, path = waiting.popleft()
        if state in goals:
            return path
        steps = ((SUGGESTION_MOVES.get((state, action)), action) for action in _THEIRS)
        fresh = [(after, action) for after, action in steps if after is not None and after not in seen]
        seen.update(after for after, _ in fresh)
        waiting.extend((after, (*path, action)) for after, action in fresh)
    return None
