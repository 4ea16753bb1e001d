"""Allowed moves of an alert, a booking suggestion, a delivery and a replay, as tables.

What is not in a table is not allowed. A clinic's or a worker's claim about the world (booked,
arrived, delivered) is a move like any other, so an illegal one is refused here and nowhere else.
Source: docs/clinical.md, "Moves".
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from server.clinical.vocabulary import AlertState, DeliveryState, ReplayState, SuggestionState

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class IllegalMove(ValueError):
    """``action`` is not allowed in ``state``."""

    def __init__(self, state: StrEnum, action: StrEnum) -> None:
        super().__init__(f"{action} is not allowed in {state}")
        self.state = state
        self.action = action


class AlertAction(StrEnum):
    """What may happen to an alert episode."""

    WORSEN = "worsen"
    ACKNOWLEDGE = "acknowledge"
    EXPIRE = "expire"
    RESOLVE = "resolve"
    REOPEN = "reopen"


class SuggestionAction(StrEnum):
    """What may happen to a booking suggestion."""

    APPROVE = "approve"
    CHANGE = "change"
    DISMISS = "dismiss"
    SEND = "send"
    ACKNOWLEDGE = "acknowledge"
    PROPOSE = "propose"
    ANSWER = "answer"
    BOOK = "book"
    RESCHEDULE = "reschedule"
    DECLINE = "decline"
    ARRIVE = "arrive"
    FULFIL = "fulfil"
    NOSHOW = "noshow"
    CANCEL = "cancel"
    EXPIRE = "expire"
    SUPERSEDE = "supersede"
    FAIL = "fail"
    RETRY = "retry"


class DeliveryAction(StrEnum):
    """What may happen to one message to one destination."""

    CLAIM = "claim"
    DOUBT = "doubt"
    ACCEPT = "accept"
    DELIVER = "deliver"
    MISS = "miss"
    FAIL = "fail"
    RETRY = "retry"
    GIVE_UP = "give_up"
    REPLAY = "replay"


class ReplayAction(StrEnum):
    """What may happen to the replay of a draft policy."""

    TAKE = "take"
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"


def _table(rows: Iterable[tuple[S, A, S]]) -> Mapping[tuple[S, A], S]:
    return MappingProxyType({(state, action): after for state, action, after in rows})


_A, _AA = AlertState, AlertAction
ALERT_MOVES: Mapping[tuple[AlertState, AlertAction], AlertState] = _table(
    (
        (_A.OPEN, _AA.WORSEN, _A.OPEN),
        (_A.OPEN, _AA.ACKNOWLEDGE, _A.ACKNOWLEDGED),
        (_A.OPEN, _AA.RESOLVE, _A.RESOLVED),
        # Worsening always gets through: an acknowledgement of P2 is not one of P0.
        (_A.ACKNOWLEDGED, _AA.WORSEN, _A.OPEN),
        # A second person pressing the same button must not see an error.
        (_A.ACKNOWLEDGED, _AA.ACKNOWLEDGE, _A.ACKNOWLEDGED),
        # "I have it" holds for as long as the contact clock: acknowledged must never mean forgotten.
        (_A.ACKNOWLEDGED, _AA.EXPIRE, _A.OPEN),
        (_A.ACKNOWLEDGED, _AA.RESOLVE, _A.RESOLVED),
        # Whoever reopens it has it.
        (_A.RESOLVED, _AA.REOPEN, _A.ACKNOWLEDGED),
    )
)

_S, _SA = SuggestionState, SuggestionAction
OPEN_SUGGESTIONS = frozenset(
    {_S.DRAFT, _S.SUGGESTED, _S.SENT, _S.ACKNOWLEDGED, _S.BOOKED, _S.ARRIVED, _S.NEEDS_ATTENTION}
)
_UNBOOKED = (_S.DRAFT, _S.SUGGESTED, _S.SENT, _S.ACKNOWLEDGED, _S.NEEDS_ATTENTION)
# A pulled suggestion may be booked or declined at once: not every peer reports that it was seen.
_WITH_CLINIC = (_S.SENT, _S.ACKNOWLEDGED)
_OFFERED = (_S.SUGGESTED, _S.SENT, _S.ACKNOWLEDGED, _S.NEEDS_ATTENTION, _S.BOOKED)

SUGGESTION_MOVES: Mapping[tuple[SuggestionState, SuggestionAction], SuggestionState] = _table(
    (
        (_S.DRAFT, _SA.APPROVE, _S.SUGGESTED),
        (_S.SUGGESTED, _SA.SEND, _S.SENT),
        (_S.SUGGESTED, _SA.FAIL, _S.NEEDS_ATTENTION),
        (_S.SENT, _SA.FAIL, _S.NEEDS_ATTENTION),
        (_S.NEEDS_ATTENTION, _SA.RETRY, _S.SENT),
        (_S.SENT, _SA.ACKNOWLEDGE, _S.ACKNOWLEDGED),
        # Whoever asks about a time has seen it.
        *((state, _SA.PROPOSE, _S.ACKNOWLEDGED) for state in _WITH_CLINIC),
        # What the patient says moves nothing: the clinic decides.
        *((state, _SA.ANSWER, state) for state in _OFFERED),
        *((state, _SA.BOOK, _S.BOOKED) for state in _WITH_CLINIC),
        *((state, _SA.DECLINE, _S.DECLINED) for state in _WITH_CLINIC),
        (_S.BOOKED, _SA.RESCHEDULE, _S.BOOKED),
        (_S.BOOKED, _SA.ARRIVE, _S.ARRIVED),
        (_S.BOOKED, _SA.FULFIL, _S.FULFILLED),
        (_S.BOOKED, _SA.NOSHOW, _S.NOSHOW),
        (_S.BOOKED, _SA.CANCEL, _S.CANCELLED),
        (_S.ARRIVED, _SA.FULFIL, _S.FULFILLED),
        (_S.ARRIVED, _SA.CANCEL, _S.CANCELLED),
        # A booked visit is the clinic's: we cannot withdraw it, only the clinic cancels. One that is
        # never reported on must end all the same, or it would block every later suggestion.
        (_S.BOOKED, _SA.EXPIRE, _S.EXPIRED),
        (_S.ARRIVED, _SA.EXPIRE, _S.EXPIRED),
        *((state, _SA.CHANGE, state) for state in _UNBOOKED),
        *((state, _SA.DISMISS, _S.WITHDRAWN) for state in _UNBOOKED),
        *((state, _SA.EXPIRE, _S.EXPIRED) for state in _UNBOOKED),
        *((state, _SA.SUPERSEDE, _S.SUPERSEDED) for state in _UNBOOKED),
    )
)

_D, _DA = DeliveryState, DeliveryAction
# Sent means handed over and the answer lost: it may have arrived, so it is tried again with the same id.
_WAITING = (_D.QUEUED, _D.SENT)
# A report may come late, twice, or for a message that we gave up while it was under way.
_REPORTED = (_D.SENT, _D.ACCEPTED, _D.UNKNOWN, _D.GIVEN_UP, _D.QUEUED, _D.CLAIMED)
DELIVERY_MOVES: Mapping[tuple[DeliveryState, DeliveryAction], DeliveryState] = _table(
    (
        *((state, _DA.CLAIM, _D.CLAIMED) for state in _WAITING),
        *((state, _DA.GIVE_UP, _D.GIVEN_UP) for state in _WAITING),
        # A claim whose lease ran out is taken over by the next worker.
        (_D.CLAIMED, _DA.CLAIM, _D.CLAIMED),
        (_D.CLAIMED, _DA.DOUBT, _D.SENT),
        (_D.CLAIMED, _DA.ACCEPT, _D.ACCEPTED),
        (_D.CLAIMED, _DA.RETRY, _D.QUEUED),
        (_D.CLAIMED, _DA.GIVE_UP, _D.GIVEN_UP),
        # The provider took it and promised to report, and said nothing more.
        (_D.ACCEPTED, _DA.MISS, _D.UNKNOWN),
        *((state, _DA.DELIVER, _D.DELIVERED) for state in _REPORTED),
        (_D.DELIVERED, _DA.DELIVER, _D.DELIVERED),
        (_D.FAILED, _DA.DELIVER, _D.DELIVERED),
        *((state, _DA.FAIL, _D.FAILED) for state in (*_REPORTED, _D.FAILED)),
        # What arrived stays arrived.
        (_D.DELIVERED, _DA.FAIL, _D.DELIVERED),
        # An admin has an event sent once more, whatever became of it. One that is under way is only hurried.
        *((state, _DA.REPLAY, _D.QUEUED) for state in (_D.DELIVERED, _D.GIVEN_UP, _D.FAILED)),
        *((state, _DA.REPLAY, state) for state in (*_WAITING, _D.CLAIMED)),
    )
)

_R, _RA = ReplayState, ReplayAction
REPLAY_MOVES: Mapping[tuple[ReplayState, ReplayAction], ReplayState] = _table(
    (
        (_R.QUEUED, _RA.TAKE, _R.RUNNING),
        (_R.QUEUED, _RA.CANCEL, _R.CANCELLED),
        # Its worker died: the next one goes on where it stopped.
        (_R.RUNNING, _RA.TAKE, _R.RUNNING),
        (_R.RUNNING, _RA.FINISH, _R.DONE),
        (_R.RUNNING, _RA.FAIL, _R.FAILED),
        (_R.RUNNING, _RA.CANCEL, _R.CANCELLED),
        (_R.CANCELLED, _RA.CANCEL, _R.CANCELLED),
    )
)


def move(table: Mapping[tuple[S, A], S], state: S, action: A) -> S:
    """Return the state after ``action``; raise `IllegalMove` where the table has no such move."""
    try:
        return table[state, action]
    except KeyError:
        raise IllegalMove(state, action) from None
