"""Every state is tried with every action; what no table names is refused."""

import re
from itertools import product
from pathlib import Path

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
PAGE = (Path(__file__).parents[2] / "docs" / "clinical.md").read_text(encoding="utf-8")


def written_moves() -> dict[tuple[str, str], str]:
    """Return (state, action) -> state as docs/clinical.md, "Moves", says it; every state has its row."""
    section = PAGE.partition("\n## Moves\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_`, ]+) \| (.+) \|$", section, re.MULTILINE)
    named = [(state, cell) for states, cell in rows for state in re.findall(r"`([a-z_]+)`", states)]
    assert sorted(state for state, _ in named) == sorted(S)
    return {
        (state, action): after
        for state, cell in named
        for action, after in re.findall(r"([a-z]+) → ([a-z_]+)", cell)
    }


MOVES = written_moves()
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
def test_a_suggestion_does_what_the_page_says_and_nothing_else(state: S) -> None:
    for action in A:
        if (state, action) in MOVES:
            assert move(SUGGESTION_MOVES, state, action) == MOVES[state, action], action
            continue
        with pytest.raises(IllegalMove) as caught:
            move(SUGGESTION_MOVES, state, action)
        assert (caught.value.state, caught.value.action) == (state, action)


def test_every_open_suggestion_can_be_taken_back_or_ends_by_itself_but_a_booked_one_is_the_clinics() -> None:
    taken_back = {A.DISMISS: S.WITHDRAWN, A.SUPERSEDE: S.SUPERSEDED}
    for state in OPEN_SUGGESTIONS:
        assert move(SUGGESTION_MOVES, state, A.EXPIRE) is S.EXPIRED
        for action, after in taken_back.items():
            booked = state in (S.BOOKED, S.ARRIVED)
            assert SUGGESTION_MOVES.get((state, action)) is (None if booked else after), (state, action)


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
