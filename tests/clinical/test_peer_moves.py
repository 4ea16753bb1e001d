"""What follows from what a scheduling system says: every status in every state, said before or not."""

import itertools

import pytest

from server.clinical.lifecycle import SUGGESTION_MOVES, SuggestionAction
from server.clinical.peer_moves import Consequence, Heard, consequence, lags
from server.clinical.vocabulary import PeerStatus, ReviewCode, SuggestionState

S, P, A = SuggestionState, PeerStatus, SuggestionAction
NOTHING = Consequence()
ENDED = (S.DECLINED, S.EXPIRED, S.WITHDRAWN, S.SUPERSEDED, S.CANCELLED)
# Approval, withdrawal and expiry are never theirs.
OURS = {A.APPROVE, A.DISMISS, A.EXPIRE, A.SUPERSEDE}


def said(state: SuggestionState, status: PeerStatus, before: PeerStatus | None = None) -> Consequence:
    return consequence(state, Heard(status, before, has_time=True))


@pytest.mark.parametrize("state", S)
def test_whatever_it_says_only_moves_of_the_table_are_made_and_never_ours(state: SuggestionState) -> None:
    for status, before, has_time, moved in itertools.product(P, [None, *P], [True, False], [True, False]):
        found = consequence(state, Heard(status, before, has_time, moved))
        assert not found.moves or found.review is None
        now = state
        for action in found.moves:
            assert action not in OURS
            now = SUGGESTION_MOVES[now, action]


@pytest.mark.parametrize(
    ("state", "status", "moves"),
    [
        (S.SUGGESTED, P.PROPOSED, (A.SEND,)),
        (S.SUGGESTED, P.BOOKED, (A.SEND, A.BOOK)),
        (S.SENT, P.PENDING, (A.ACKNOWLEDGE,)),
        (S.SENT, P.BOOKED, (A.BOOK,)),
        (S.SENT, P.FULFILLED, (A.BOOK, A.FULFIL)),
        (S.SENT, P.NOSHOW, (A.BOOK, A.NOSHOW)),
        (S.SENT, P.DECLINED, (A.DECLINE,)),
        (S.SENT, P.CANCELLED, (A.DECLINE,)),
        (S.SENT, P.FAILED, (A.FAIL,)),
        (S.ACKNOWLEDGED, P.ARRIVED, (A.BOOK, A.ARRIVE)),
        (S.BOOKED, P.ARRIVED, (A.ARRIVE,)),
        (S.BOOKED, P.CANCELLED, (A.CANCEL,)),
        (S.BOOKED, P.DECLINED, (A.CANCEL,)),
        (S.ARRIVED, P.FULFILLED, (A.FULFIL,)),
        (S.NEEDS_ATTENTION, P.PROPOSED, (A.RETRY,)),
        (S.NEEDS_ATTENTION, P.BOOKED, (A.RETRY, A.BOOK)),
    ],
)
def test_a_report_goes_the_shortest_way(
    state: SuggestionState, status: PeerStatus, moves: tuple[SuggestionAction, ...]
) -> None:
    assert said(state, status) == Consequence(moves)


@pytest.mark.parametrize("state", [S.SENT, S.ACKNOWLEDGED, S.BOOKED, S.ARRIVED, S.FULFILLED])
def test_a_system_that_is_behind_us_is_only_late(state: SuggestionState) -> None:
    assert said(state, P.PROPOSED) == NOTHING


@pytest.mark.parametrize("state", ENDED)
def test_what_is_over_here_and_only_proposed_there_will_be_taken_back(state: SuggestionState) -> None:
    assert said(state, P.PROPOSED) == said(state, P.PENDING) == said(state, P.CANCELLED) == NOTHING


@pytest.mark.parametrize("state", [*ENDED, S.NOSHOW])
@pytest.mark.parametrize("status", [P.FULFILLED])
def test_what_takes_place_there_although_it_is_over_here_a_person_looks_at(
    state: SuggestionState, status: PeerStatus
) -> None:
    assert said(state, status) == Consequence(review=ReviewCode.BOOKED_OTHERWISE)


@pytest.mark.parametrize("status", [P.NOSHOW, P.CANCELLED, P.DECLINED])
def test_a_visit_that_took_place_here_does_not_become_another(status: PeerStatus) -> None:
    assert said(S.FULFILLED, status) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


def test_a_booked_visit_that_is_only_proposed_again_a_person_looks_at() -> None:
    assert said(S.BOOKED, P.PROPOSED, before=P.BOOKED) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


def test_what_was_booked_there_before_it_ended_here_a_person_looks_at() -> None:
    assert said(S.CANCELLED, P.BOOKED, before=P.BOOKED) == Consequence(review=ReviewCode.BOOKED_OTHERWISE)


@pytest.mark.parametrize("status", [P.BOOKED, P.ARRIVED, P.FULFILLED, P.NOSHOW, P.CANCELLED, P.DECLINED])
def test_what_was_decided_there_and_does_not_fit_is_no_move_but_somebodys_look(status: PeerStatus) -> None:
    assert said(S.SENT, status, before=status) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


@pytest.mark.parametrize("status", [P.PENDING, P.FAILED])
def test_the_same_again_of_what_nobody_has_decided_there_is_nothing(status: PeerStatus) -> None:
    assert said(S.SENT, status, before=status) == NOTHING


@pytest.mark.parametrize(
    ("state", "review"), [(S.NOSHOW, ReviewCode.BOOKED_OTHERWISE), (S.FULFILLED, ReviewCode.ILLEGAL_MOVE)]
)
def test_a_visit_that_had_its_day_and_is_booked_anew_there_a_person_looks_at(
    state: SuggestionState, review: ReviewCode
) -> None:
    for before in (P.NOSHOW, P.FULFILLED):
        assert said(state, P.BOOKED, before=before) == Consequence(review=review)
    moved = Heard(P.BOOKED, P.BOOKED, has_time=True, moved=True, ahead=True)
    assert consequence(state, moved) == Consequence(review=review)
    # The one that was: they only have not heard what became of it.
    for past in (Heard(P.BOOKED, P.BOOKED, True, moved=True), Heard(P.BOOKED, P.BOOKED, True, ahead=True)):
        assert consequence(state, past) == NOTHING


def test_another_time_at_which_no_visit_can_be_moves_nothing() -> None:
    nonsense = Heard(P.BOOKED, P.BOOKED, has_time=False, moved=True)
    assert consequence(S.BOOKED, nonsense) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


def test_another_time_of_a_booked_visit_moves_it() -> None:
    moved = Heard(P.BOOKED, P.BOOKED, has_time=True, moved=True)
    assert consequence(S.BOOKED, moved) == Consequence((A.RESCHEDULE,))


def test_a_visit_without_a_time_is_no_booked_visit() -> None:
    assert consequence(S.SENT, Heard(P.BOOKED)) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


def test_a_draft_is_nothing_a_system_can_know_of() -> None:
    assert said(S.DRAFT, P.BOOKED) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


@pytest.mark.parametrize("state", ENDED)
def test_a_noshow_of_what_is_over_here_a_person_looks_at(state: SuggestionState) -> None:
    assert said(state, P.NOSHOW) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


@pytest.mark.parametrize("state", S)
def test_only_what_is_booked_or_over_here_has_to_be_followed(state: SuggestionState) -> None:
    should = state in (*ENDED, S.NOSHOW, S.BOOKED)
    assert lags(state, P.PROPOSED) is lags(state, P.PENDING) is should
    assert not lags(state, P.BOOKED)


@pytest.mark.parametrize(
    ("status", "moves"), [(P.CANCELLED, (A.CANCEL,)), (P.ARRIVED, (A.ARRIVE,)), (P.NOSHOW, (A.NOSHOW,))]
)
def test_another_time_with_another_status_is_what_the_status_says(
    status: PeerStatus, moves: tuple[SuggestionAction, ...]
) -> None:
    heard = Heard(status, P.BOOKED, has_time=True, moved=True)
    assert consequence(S.BOOKED, heard) == Consequence(moves)


def test_a_booked_visit_that_is_still_booked_for_its_time_moves_nothing() -> None:
    assert said(S.BOOKED, P.BOOKED) == said(S.BOOKED, P.BOOKED, before=P.BOOKED) == NOTHING


def test_a_time_that_was_said_before_the_visit_was_moved_here_does_not_move_it_back() -> None:
    old = Heard(P.BOOKED, P.BOOKED, has_time=True, moved=True, repeated=True)
    assert consequence(S.BOOKED, old) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


@pytest.mark.parametrize("state", [S.SUGGESTED, S.NEEDS_ATTENTION])
@pytest.mark.parametrize(
    ("before", "status"), [(P.BOOKED, P.PENDING), (P.BOOKED, P.PROPOSED), (P.FULFILLED, P.BOOKED)]
)
def test_a_system_that_takes_back_what_it_said_moves_nothing_here(
    state: SuggestionState, before: PeerStatus, status: PeerStatus
) -> None:
    assert said(state, status, before=before) == Consequence(review=ReviewCode.ILLEGAL_MOVE)


def test_the_same_status_for_another_time_is_news_where_none_was_booked_here() -> None:
    moved = Heard(P.BOOKED, P.BOOKED, has_time=True, moved=True)
    assert consequence(S.SENT, moved) == Consequence((A.BOOK,))


def test_without_a_time_only_a_booking_is_none() -> None:
    assert consequence(S.SENT, Heard(P.PENDING)) == Consequence((A.ACKNOWLEDGE,))
    assert consequence(S.BOOKED, Heard(P.ARRIVED)) == Consequence((A.ARRIVE,))
    assert consequence(S.SENT, Heard(P.ARRIVED)) == Consequence(review=ReviewCode.ILLEGAL_MOVE)
