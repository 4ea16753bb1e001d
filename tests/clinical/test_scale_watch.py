"""Ana's filled scales: what one says, what two say, what a row of them says. Day 0 is her session."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.scale_watch import ScaleRule, Score, ScoredDay, scored_days, signals
from server.clinical.vocabulary import Arm
from server.clinical.yardstick import Yardstick
from tests.clinical.diaries import SESSION, day

PHQ9 = Yardstick("phq-9", Arm.MOOD, 10, 5)
PEG = Yardstick("peg", Arm.PAIN, None, 1)
MADRS = Yardstick("madrs", Arm.MOOD, 22, None)
R4, R5, R6 = ScaleRule.R4, ScaleRule.R5, ScaleRule.R6


def filled(*scores: tuple[int, float]) -> list[Score]:
    return [Score(day(n), value) for n, value in scores]


def judged(
    *scores: tuple[int, float], of: Yardstick = PHQ9, sessions: Sequence[date] = (SESSION,)
) -> ScoredDay:
    """Return what the last of ``scores`` says."""
    return scored_days(filled(*scores), sessions, of, DEFAULT_POLICY)[-1]


def test_one_score_over_the_cut_and_5_above_the_best_confirms_and_is_no_signal() -> None:
    said = judged((7, 5), (14, 6), (21, 14))
    assert (said.best, said.level, said.rules) == (5, 5.5, (R4,))


@pytest.mark.parametrize("total", [9, 27])
def test_one_score_is_never_a_signal_however_high(total: float) -> None:
    assert not {R5, R6} & set(judged((7, 0), (14, 0), (21, total)).rules)


def test_a_rise_below_the_cut_is_no_relapse() -> None:
    assert judged((7, 1), (14, 1), (21, 9)).rules == ()


def test_the_cut_itself_is_ill() -> None:
    assert judged((7, 5), (14, 5), (21, 10)).rules == (R4,)
    assert judged((7, 10), (14, 10), (21, 27)).rules == (), "never well"


def test_a_total_over_the_cut_that_hardly_rose_is_no_relapse() -> None:
    assert judged((7, 8), (14, 8), (21, 12)).rules == ()


def test_who_was_never_well_by_the_scale_has_nothing_to_lose_by_it() -> None:
    assert judged((7, 14), (14, 15), (21, 27)).rules == ()


def test_the_first_score_after_a_session_has_nothing_to_be_compared_with() -> None:
    said = judged((7, 14))
    assert (said.best, said.level, said.average, said.rules) == (None, None, None, ())


@pytest.mark.parametrize(
    ("apart", "holds"), [(4, False), (5, True), (15, True), (16, False)], ids=lambda value: str(value)
)
def test_two_in_a_row_lie_5_to_15_days_apart(apart: int, holds: bool) -> None:
    said = judged((7, 5), (14, 5), (21, 12), (21 + apart, 12))
    assert (R5 in said.rules) is holds


def test_a_good_score_between_two_bad_ones_breaks_the_row() -> None:
    assert R5 not in judged((7, 5), (14, 5), (21, 14), (25, 6), (28, 14)).rules


def test_a_third_score_in_between_does_not_hide_that_two_lie_a_week_apart() -> None:
    assert R5 in judged((7, 5), (14, 5), (21, 14), (25, 14), (28, 14)).rules


def test_a_rise_with_a_dip_in_it_is_seen_by_the_average() -> None:
    said = judged((7, 2), (14, 2), (21, 14), (28, 9), (35, 16), (36, 16))
    assert said.rules == (R4, R6)
    assert said.average == pytest.approx(14.125)


def test_a_score_months_after_the_last_says_nothing_about_a_row() -> None:
    apart = judged((7, 2), (14, 2), (21, 20), (80, 20))
    assert apart.rules == (R4,)
    assert apart.average == 11


def test_a_row_begins_with_the_first_score_after_its_newest_gap() -> None:
    # Two scores in a row and, months later, one of 8: half of the way from 2 to it.
    assert judged((7, 2), (14, 2), (21, 20), (28, 20), (90, 8)).average == 5
    assert judged((7, 2), (14, 2), (21, 20), (63, 8)).average == pytest.approx((2 + 20) / 4 + 4), "six weeks"


def test_the_average_begins_at_the_level_and_not_with_the_scores_it_was_made_of() -> None:
    assert judged((7, 2), (14, 8), (21, 14)).average == pytest.approx((5 + 14) / 2)


def test_scores_are_told_from_the_day_that_was_asked_for() -> None:
    said = scored_days(filled((7, 5), (14, 6), (21, 14)), (SESSION,), PHQ9, DEFAULT_POLICY, day(14))
    assert [(one.day, one.best) for one in said] == [(day(14), 5), (day(21), 5)]


def test_the_level_is_frozen_and_never_drifts_along_with_the_illness() -> None:
    slow = [(7 * n, 4 + n / 2) for n in range(1, 30)]
    said = scored_days(filled(*slow), (SESSION,), PHQ9, DEFAULT_POLICY)
    assert {one.level for one in said[2:]} == {4.75}
    first = next(one.day for one in said if R5 in one.rules)
    assert first == day(7 * 13), "the second score of 10 or more"


def test_a_booster_renews_the_level_and_only_two_good_scores_do() -> None:
    sessions = (SESSION, day(30))
    assert judged((7, 1), (14, 1), (34, 8), sessions=sessions).level == 1
    assert judged((7, 1), (14, 1), (34, 8), (41, 8), (48, 12), sessions=sessions).level == 8


def test_two_good_scores_in_a_row_before_the_newest_make_a_level_and_less_does_not() -> None:
    assert judged((7, 5), (14, 5)).level is None
    assert judged((7, 5), (14, 14), (21, 14)).level is None
    assert judged((7, 14), (14, 5), (21, 14)).level is None
    assert (judged((7, 5), (49, 6), (56, 12)).level, judged((7, 5), (50, 6), (57, 12)).level) == (5.5, None)


def test_a_level_is_that_of_the_last_year() -> None:
    assert (judged((7, 5), (14, 5), (372, 12)).level, judged((7, 5), (14, 5), (373, 12)).level) == (5, None)
    assert (judged((7, 5), (372, 12)).best, judged((7, 5), (373, 12)).best) == (5, None)


def test_sessions_too_close_for_two_scores_share_the_first_two() -> None:
    sessions = [day(7 * n) for n in range(6)]
    assert judged((5, 3), (12, 5), (19, 9), (26, 9), sessions=sessions).level == 4


def test_the_days_right_after_a_session_and_those_before_the_first_count_nowhere() -> None:
    said = scored_days(filled((-3, 20), (1, 0), (7, 5)), (SESSION,), PHQ9, DEFAULT_POLICY)
    assert [(one.day, one.best) for one in said] == [(day(7), None)]


def test_nobody_without_a_session_is_judged() -> None:
    assert scored_days(filled((7, 5), (14, 20)), (), PHQ9, DEFAULT_POLICY) == []


def test_a_response_that_is_gone_for_two_scores_confirms_below_the_cut_too() -> None:
    # Half of 14 is gone at 8; one such score may be a bad fortnight.
    assert judged((-1, 14), (7, 3), (14, 3), (21, 8)).rules == ()
    assert judged((-1, 14), (7, 3), (14, 3), (21, 8), (28, 8)).rules == (R4,)
    assert judged((-1, 14), (7, 3), (14, 3), (21, 8), (70, 8)).rules == ()


def test_half_of_the_score_before_treatment_is_a_response_still() -> None:
    assert judged((-1, 18), (7, 3), (14, 9), (21, 9)).rules == ()
    assert judged((-1, 17), (7, 3), (14, 9), (21, 9)).rules == (R4,)


def test_a_response_that_is_gone_by_less_than_what_matters_confirms_nothing() -> None:
    # Half of 12 is gone at 7, three points above the best.
    assert judged((-1, 12), (7, 4), (14, 7), (21, 7)).rules == ()
    assert judged((-1, 12), (7, 2), (14, 7), (21, 7)).rules == (R4,)


@pytest.mark.parametrize(("apart", "rules"), [(42, (R4,)), (43, ())])
def test_two_scores_without_a_response_are_a_row_for_six_weeks(
    apart: int, rules: tuple[ScaleRule, ...]
) -> None:
    assert judged((-1, 14), (7, 3), (14, 3), (21, 8), (21 + apart, 8)).rules == rules


@pytest.mark.parametrize(("filled_on", "rules"), [(-29, ()), (-28, (R4,)), (0, (R4,)), (1, ())])
def test_the_score_before_treatment_is_recent_or_of_the_first_session_s_own_day(
    filled_on: int, rules: tuple[ScaleRule, ...]
) -> None:
    assert judged((filled_on, 14), (7, 3), (14, 3), (21, 8), (28, 8)).rules == rules


def test_pain_goes_by_the_gain_where_it_is_known() -> None:
    # From 8 to 2: 30 % of the gain are 1.8 points.
    assert judged((-1, 8), (7, 2), (14, 2), (21, 3.7), of=PEG).rules == ()
    assert judged((-1, 8), (7, 2), (14, 2), (21, 3.8), of=PEG).rules == (R4,)
    assert R5 in judged((-1, 8), (7, 2), (14, 2), (21, 4), (28, 4), of=PEG).rules


def test_a_lost_response_of_pain_confirms_at_once() -> None:
    # From 8 to 5.5 is a response; above 5.6 it is none, and 1 point is a change.
    assert judged((-1, 8), (7, 4.9), (14, 4.9), (21, 5.9), of=PEG).rules == (R4,)
    steep = policy_from(1, {"scale.gain_lost": 0.8})
    scores = filled((-1, 8), (7, 4), (14, 4), (21, 5.7))
    assert scored_days(scores, (SESSION,), PEG, steep)[-1].rules == (R4,)


def test_pain_that_never_responded_has_nothing_to_lose() -> None:
    assert judged((-1, 8), (7, 7), (14, 7), (21, 10), of=PEG).rules == ()


def test_pain_without_a_score_before_goes_by_the_change_and_the_level_itself() -> None:
    assert judged((7, 2), (14, 2), (21, 2.9), of=PEG).rules == ()
    assert judged((7, 2), (14, 2), (21, 3), of=PEG).rules == (R4,)
    assert judged((7, 6), (14, 6), (21, 7.5), of=PEG).rules == ()


def test_a_scale_without_a_known_change_goes_by_its_cut_and_has_no_average() -> None:
    said = judged((7, 8), (14, 8), (21, 22), (28, 30), of=MADRS)
    assert said.rules == (R4, R5)


def test_the_average_needs_more_than_one_raised_score() -> None:
    assert signals(filled((0, 27)), 0, PHQ9, DEFAULT_POLICY) == []
    assert signals(filled((0, 4), (20, 27)), 0, PHQ9, DEFAULT_POLICY) == []
    assert signals(filled((0, 14), (20, 14)), 0, PHQ9, DEFAULT_POLICY) == [R6]


def test_no_score_is_looked_at_for_ever() -> None:
    said = judged((7, 1), (14, 1), (400, 9), (407, 9), (414, 12))
    assert (said.best, said.level) == (9, 9)


_SCORES = st.lists(
    st.tuples(st.integers(-20, 200), st.integers(0, 27)), max_size=25, unique_by=lambda score: score[0]
)


@given(scores=_SCORES, sessions=st.lists(st.integers(0, 150), max_size=4), data=st.data())
def test_the_order_in_which_scores_come_in_changes_nothing(
    scores: list[tuple[int, int]], sessions: list[int], data: st.DataObject
) -> None:
    days = [day(n) for n in sessions]
    made = scored_days(filled(*scores), days, PHQ9, DEFAULT_POLICY)
    shuffled = data.draw(st.permutations(scores))
    assert scored_days(filled(*shuffled), days[::-1], PHQ9, DEFAULT_POLICY) == made
    for number, one in enumerate(made):
        known = [score for score in scores if day(score[0]) <= one.day]
        until = [session for session in days if session <= one.day]
        assert scored_days(filled(*known), until, PHQ9, DEFAULT_POLICY)[-1] == made[number], "no look ahead"


def test_an_average_that_is_still_high_is_no_rise_once_the_newest_score_is_low_again() -> None:
    high = [(7, 2), (14, 2), (21, 20), (28, 20), (35, 20)]
    assert R6 in judged(*high).rules
    back = judged(*high, (42, 6))
    assert back.average is not None
    assert back.average > 10
    assert R6 not in back.rules


@pytest.mark.parametrize(("after", "counts"), [(2, False), (3, True)])
def test_a_score_counts_from_the_third_day_after_a_session_on(after: int, counts: bool) -> None:
    said = scored_days(filled((after, 5), (7, 5)), (SESSION,), PHQ9, DEFAULT_POLICY)
    assert (day(after) in [one.day for one in said]) is counts
