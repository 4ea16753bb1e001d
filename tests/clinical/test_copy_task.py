"""What is to be done about a suggestion's copy in the clinic's system, for every state."""

import pytest

from server.clinical.copy_task import CopyTask, copy_task
from server.clinical.lifecycle import OPEN_SUGGESTIONS
from server.clinical.visit import Capabilities
from server.clinical.vocabulary import SuggestionState

S, T = SuggestionState, CopyTask
ASKED, MAIL = Capabilities(fetches=True), Capabilities(fetches=False)
UNBOOKED = [S.SUGGESTED, S.SENT, S.ACKNOWLEDGED, S.NEEDS_ATTENTION]
TAKEN_BACK = [S.WITHDRAWN, S.EXPIRED, S.SUPERSEDED, S.DECLINED, S.CANCELLED]


@pytest.mark.parametrize("state", UNBOOKED)
def test_what_changed_here_is_told_there(state: SuggestionState) -> None:
    assert copy_task(state, True, False, ASKED) is copy_task(state, True, True, MAIL) is T.SUGGEST


@pytest.mark.parametrize("state", UNBOOKED)
def test_what_is_up_to_date_is_asked_for_where_one_can_ask(state: SuggestionState) -> None:
    assert copy_task(state, False, True, ASKED) is T.FETCH
    assert copy_task(state, False, True, MAIL) is T.NOTHING


@pytest.mark.parametrize("state", [S.BOOKED, S.ARRIVED])
def test_a_booked_time_is_told_only_to_a_system_that_can_not_be_asked(state: SuggestionState) -> None:
    assert copy_task(state, True, True, ASKED) is T.FETCH
    assert copy_task(state, True, True, MAIL) is T.SUGGEST


@pytest.mark.parametrize("state", [S.BOOKED, S.ARRIVED])
def test_a_system_without_words_for_what_is_booked_follows(state: SuggestionState) -> None:
    calendar = Capabilities(follows=True)
    assert copy_task(state, True, True, calendar) is T.FOLLOW
    assert copy_task(state, True, False, calendar) is T.SUGGEST
    assert copy_task(state, False, True, calendar) is T.FETCH


@pytest.mark.parametrize("state", TAKEN_BACK)
def test_what_is_over_here_is_taken_back_there_once(state: SuggestionState) -> None:
    assert copy_task(state, True, True, ASKED) is T.WITHDRAW
    assert copy_task(state, False, True, ASKED) is T.FETCH
    assert copy_task(state, False, True, MAIL) is T.NOTHING


@pytest.mark.parametrize("state", [S.FULFILLED, S.NOSHOW])
def test_what_took_place_or_should_have_is_not_taken_back(state: SuggestionState) -> None:
    assert copy_task(state, True, True, ASKED) is T.FETCH
    assert copy_task(state, True, True, MAIL) is T.NOTHING


@pytest.mark.parametrize("state", sorted(set(S) - OPEN_SUGGESTIONS))
def test_what_never_got_there_is_not_taken_back(state: SuggestionState) -> None:
    assert copy_task(state, True, False, ASKED) is T.NOTHING


@pytest.mark.parametrize("state", TAKEN_BACK)
def test_what_may_have_got_there_is_taken_back_although_no_answer_came(state: SuggestionState) -> None:
    assert copy_task(state, True, False, ASKED, tried=True) is T.WITHDRAW
    assert copy_task(state, True, False, Capabilities(cancel=False), tried=True) is T.NOTHING


def test_what_was_never_known_there_is_not_missed_there() -> None:
    assert copy_task(S.BOOKED, True, False, ASKED, tried=True) is T.NOTHING


def test_a_draft_goes_nowhere() -> None:
    assert copy_task(S.DRAFT, True, False, ASKED) is T.NOTHING


def test_a_system_that_can_not_take_a_proposal_back_is_only_asked() -> None:
    assert copy_task(S.WITHDRAWN, True, True, Capabilities(cancel=False)) is T.FETCH


@pytest.mark.parametrize("state", UNBOOKED)
def test_a_system_that_follows_is_still_told_what_nobody_has_booked(state: SuggestionState) -> None:
    assert copy_task(state, True, True, Capabilities(follows=True)) is T.SUGGEST


@pytest.mark.parametrize("state", TAKEN_BACK)
def test_and_asked_to_take_back_what_is_over(state: SuggestionState) -> None:
    assert copy_task(state, True, True, Capabilities(follows=True)) is T.WITHDRAW
