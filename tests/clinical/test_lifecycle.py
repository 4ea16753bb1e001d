"""Every state is tried with every action; what no table names is refused."""

from itertools import product

import pytest

from server.clinical.lifecycle import (
    ALERT_MOVES,
    DELIVERY_MOVES,
    OPEN_SUGGESTIONS,
    REPLAY_MOVES,
    SUGGESTION_MOVES,
    AlertAction,
    DeliveryAction,
    IllegalMove,
    ReplayAction,
    SuggestionAction,
    move,
)
from server.clinical.vocabulary import AlertState, DeliveryState, ReplayState, SuggestionState

S, A = SuggestionState, SuggestionAction

# One line a state, written apart from the table under test: what may follow it.
FOLLOWS = {
    S.DRAFT: {S.SUGGESTED, S.WITHDRAWN, S.EXPIRED, S.SUPERSEDED},
    S.SUGGESTED: {S.SENT, S.NEEDS_ATTENTION, S.WITHDRAWN, S.EXPIRED, S.SUPERSEDED},
    S.SENT: {
        *(S.ACKNOWLEDGED, S.BOOKED, S.DECLINED, S.NEEDS_ATTENTION),
        *(S.WITHDRAWN, S.EXPIRED, S.SUPERSEDED),
    },
    S.ACKNOWLEDGED: {S.BOOKED, S.DECLINED, S.WITHDRAWN, S.EXPIRED, S.SUPERSEDED},
    S.BOOKED: {S.BOOKED, S.ARRIVED, S.FULFILLED, S.NOSHOW, S.CANCELLED, S.EXPIRED},
    S.ARRIVED: {S.FULFILLED, S.CANCELLED},
    S.NEEDS_ATTENTION: {S.SENT, S.WITHDRAWN, S.EXPIRED, S.SUPERSEDED},
}
ALERTS = {
    (AlertState.OPEN, AlertAction.WORSEN): AlertState.OPEN,
    (AlertState.OPEN, AlertAction.ACKNOWLEDGE): AlertState.ACKNOWLEDGED,
    (AlertState.OPEN, AlertAction.RESOLVE): AlertState.RESOLVED,
    (AlertState.ACKNOWLEDGED, AlertAction.WORSEN): AlertState.OPEN,
    (AlertState.ACKNOWLEDGED, AlertAction.ACKNOWLEDGE): AlertState.ACKNOWLEDGED,
    (AlertState.ACKNOWLEDGED, AlertAction.EXPIRE): AlertState.OPEN,
    (AlertState.ACKNOWLEDGED, AlertAction.RESOLVE): AlertState.RESOLVED,
    (AlertState.RESOLVED, AlertAction.REOPEN): AlertState.ACKNOWLEDGED,
}
D, DA = DeliveryState, DeliveryAction
# What a provider reports may come at any time after the first try, and what arrived stays arrived.
REPORTS = {
    **{(state, DA.DELIVER): D.DELIVERED for state in DeliveryState},
    **{(state, DA.FAIL): D.FAILED for state in DeliveryState},
    (D.DELIVERED, DA.FAIL): D.DELIVERED,
}
DELIVERIES = {
    **REPORTS,
    (D.QUEUED, DA.CLAIM): D.CLAIMED,
    (D.QUEUED, DA.GIVE_UP): D.GIVEN_UP,
    (D.SENT, DA.CLAIM): D.CLAIMED,
    (D.SENT, DA.GIVE_UP): D.GIVEN_UP,
    (D.CLAIMED, DA.CLAIM): D.CLAIMED,
    (D.CLAIMED, DA.DOUBT): D.SENT,
    (D.CLAIMED, DA.ACCEPT): D.ACCEPTED,
    (D.CLAIMED, DA.RETRY): D.QUEUED,
    (D.CLAIMED, DA.GIVE_UP): D.GIVEN_UP,
    (D.ACCEPTED, DA.MISS): D.UNKNOWN,
    (D.QUEUED, DA.REPLAY): D.QUEUED,
    (D.SENT, DA.REPLAY): D.SENT,
    (D.CLAIMED, DA.REPLAY): D.CLAIMED,
    (D.DELIVERED, DA.REPLAY): D.QUEUED,
    (D.FAILED, DA.REPLAY): D.QUEUED,
    (D.GIVEN_UP, DA.REPLAY): D.QUEUED,
}


@pytest.mark.parametrize("state", [*SuggestionState])
def test_a_suggestion_goes_only_where_it_may(state: SuggestionState) -> None:
    reached = {SUGGESTION_MOVES[state, action] for action in A if (state, action) in SUGGESTION_MOVES}
    assert reached == FOLLOWS.get(state, set())


@pytest.mark.parametrize("state", [*SuggestionState])
def test_an_action_on_a_suggestion_leads_to_one_state_or_is_refused(state: S) -> None:
    may = {action for action in A if (state, action) in SUGGESTION_MOVES}
    for action in may:
        assert move(SUGGESTION_MOVES, state, action) in FOLLOWS[state], action
    for action in set(A) - may:
        with pytest.raises(IllegalMove) as caught:
            move(SUGGESTION_MOVES, state, action)
        assert (caught.value.state, caught.value.action) == (state, action)


def test_the_usual_way_of_a_suggestion() -> None:
    state = S.DRAFT
    for action in (A.APPROVE, A.SEND, A.ACKNOWLEDGE, A.BOOK, A.RESCHEDULE, A.ARRIVE, A.FULFIL):
        state = move(SUGGESTION_MOVES, state, action)
    assert state is S.FULFILLED


@pytest.mark.parametrize(
    ("state", "action", "after"),
    [
        (S.SENT, A.DECLINE, S.DECLINED),
        (S.SENT, A.FAIL, S.NEEDS_ATTENTION),
        (S.NEEDS_ATTENTION, A.RETRY, S.SENT),
        (S.BOOKED, A.NOSHOW, S.NOSHOW),
        (S.BOOKED, A.CANCEL, S.CANCELLED),
        (S.DRAFT, A.DISMISS, S.WITHDRAWN),
        (S.SUGGESTED, A.SUPERSEDE, S.SUPERSEDED),
        (S.ACKNOWLEDGED, A.EXPIRE, S.EXPIRED),
    ],
)
def test_an_action_on_a_suggestion_means_what_it_says(state: S, action: A, after: S) -> None:
    assert move(SUGGESTION_MOVES, state, action) is after


def test_nothing_leaves_the_clinic_unapproved() -> None:
    with pytest.raises(IllegalMove, match="send is not allowed in draft"):
        move(SUGGESTION_MOVES, S.DRAFT, A.SEND)


def test_open_suggestions_are_those_that_can_still_move() -> None:
    assert {state for state, _ in SUGGESTION_MOVES} == OPEN_SUGGESTIONS


@pytest.mark.parametrize(("state", "action"), [*product(AlertState, AlertAction)])
def test_an_alert_goes_only_where_it_may(state: AlertState, action: AlertAction) -> None:
    assert ALERT_MOVES.get((state, action)) == ALERTS.get((state, action))


@pytest.mark.parametrize(("state", "action"), [*product(DeliveryState, DeliveryAction)])
def test_a_delivery_goes_only_where_it_may(state: DeliveryState, action: DeliveryAction) -> None:
    assert DELIVERY_MOVES.get((state, action)) == DELIVERIES.get((state, action))


def test_a_replay_that_has_ended_never_moves_again_and_a_second_cancelling_is_harmless() -> None:
    ended = {ReplayState.DONE, ReplayState.FAILED, ReplayState.CANCELLED}
    moves = {(state, action): after for (state, action), after in REPLAY_MOVES.items() if state in ended}
    assert moves == {(ReplayState.CANCELLED, ReplayAction.CANCEL): ReplayState.CANCELLED}
    assert move(REPLAY_MOVES, ReplayState.RUNNING, ReplayAction.TAKE) is ReplayState.RUNNING
    with pytest.raises(IllegalMove):
        move(REPLAY_MOVES, ReplayState.QUEUED, ReplayAction.FINISH)
