"""Ana's own level after a session, and what can and cannot change it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.baseline import Baseline, settled, shows_response
from server.clinical.era import eras, fit
from server.clinical.policy import DEFAULT_POLICY, Policy, policy_from
from server.clinical.readings import History, Reading, fold
from server.clinical.series import blend, level_of
from server.clinical.vocabulary import Arm
from tests.clinical.diaries import (
    ONE_SESSION,
    day,
    diary,
    joined,
    mood_day,
    pain_day,
    sessions,
    steps,
    unrest_day,
    without,
)

CALM = steps((-30, 7), (0, 3))


def fitted(
    history: History, today: int, arm: Arm = Arm.MOOD, policy: Policy = DEFAULT_POLICY
) -> Baseline | None:
    return fit(history, arm, ONE_SESSION, policy, day(today))


def sure(baseline: Baseline | None) -> Baseline:
    assert baseline is not None
    return baseline


def test_two_weeks_from_the_third_day_after_the_session_make_a_baseline() -> None:
    history = diary(range(60), CALM)
    assert fitted(history, 15) is None
    baseline = sure(fitted(history, 16))
    assert (baseline.anchor_day, baseline.first_day, baseline.last_day) == (day(0), day(3), day(16))
    assert baseline.days_observed == 14
    assert baseline.levels["composite"].mean == pytest.approx(3.0, abs=0.1)


def test_the_session_day_and_the_two_after_it_do_not_count() -> None:
    rough = joined(diary(range(3), lambda _: 9), diary(range(3, 17), CALM))
    assert fitted(rough, 16) == fitted(diary(range(3, 17), CALM), 16)


def test_a_calm_baseline_takes_in_week_after_week_until_it_spans_six() -> None:
    history = diary(range(80), CALM)
    assert sure(fitted(history, 22)).last_day == day(16)
    longer = sure(fitted(history, 23))
    assert (longer.first_day, longer.last_day, longer.days_observed) == (day(3), day(23), 21)
    assert [(sure(fitted(history, n)).last_day - day(0)).days for n in (30, 37, 44, 79)] == [30, 37, 44, 44]


def test_it_is_frozen_from_the_first_week_in_which_symptoms_return() -> None:
    history = diary(range(80), steps((0, 3), (24, 4.5), (31, 3)))
    assert sure(fitted(history, 79)).last_day == day(23)


def test_a_slow_rise_does_not_carry_its_own_yardstick_along() -> None:
    history = diary(range(80), lambda n: 3 + 0.05 * max(n - 10, 0))
    # No week lies a point above the one before it; the one from day 31 on does above the first two.
    assert sure(fitted(history, 79)).last_day == day(30)


@pytest.mark.parametrize("odd", [3, 4])
def test_a_week_that_lies_a_point_higher_day_for_day_is_no_part_of_it(odd: int) -> None:
    # Sevenths are not exact in binary, and what rounding leaves of them must not make it less than a point.
    calm = steps(*((n, odd if n % 7 == 2 else 1) for n in range(17)))
    history = fold((day(n), pain_day(calm(n) if n < 17 else calm(n - 7) + 1)) for n in range(24))
    assert sure(fitted(history, 23, Arm.PAIN)).last_day == day(16)


def test_a_week_of_unrest_alone_does_not_become_the_baseline_either() -> None:
    calm = diary(range(17), CALM, lambda s: unrest_day(3, s - 2))
    restless = diary(range(17, 40), CALM, lambda s: unrest_day(2.8, s))
    assert sure(fitted(joined(calm, restless), 39)).last_day == day(16)


def test_weeks_without_entries_change_nothing_but_the_window() -> None:
    baseline = sure(fitted(diary(range(17), CALM), 30))
    assert (baseline.last_day, baseline.days_observed) == (day(30), 14)


def test_a_day_is_measured_against_what_was_known_before_it() -> None:
    (era,) = eras(diary(range(60), CALM), Arm.MOOD, ONE_SESSION, DEFAULT_POLICY, day(59))
    assert (era.since, era.until) == (day(16), day(59))
    assert [(era.on(day(n)).last_day - day(0)).days for n in (16, 17, 23, 24, 59)] == [16, 16, 16, 23, 44]


def test_ten_of_fourteen_days_are_enough_and_nine_are_not() -> None:
    history = diary(range(17), CALM)
    assert sure(fitted(without(history, [4, 6, 8, 10]), 16)).days_observed == 10
    assert fitted(without(history, [4, 6, 8, 10, 12]), 16) is None


def test_a_rare_logger_gets_a_baseline_from_the_first_five_weeks_that_hold_ten_days() -> None:
    every_third = diary(range(3, 60, 3), CALM)
    assert fitted(every_third, 29) is None
    baseline = sure(fitted(every_third, 30))
    assert (baseline.first_day, baseline.last_day, baseline.days_observed) == (day(3), day(30), 10)
    assert fitted(diary(range(3, 80, 4), CALM), 79) is None


def test_days_with_too_little_on_them_never_make_a_baseline() -> None:
    one_by_one = fold((day(n), {("mood", "anxiety", "interest")[n % 3]: 5.0}) for n in range(3, 24))
    assert fitted(one_by_one, 23) is None
    strict = policy_from(2, {"composite.min_share": 1})
    halves = fold((day(n), {"mood" if n < 13 else "anxiety": 5.0}) for n in range(3, 23))
    assert fitted(halves, 22) is not None
    both = fold(
        (day(n), {k: 5.0 for k, on in (("mood", n < 13), ("anxiety", n > 6)) if on}) for n in range(3, 17)
    )
    assert fitted(both, 16) is not None
    assert fitted(both, 16, policy=strict) is None


def test_without_a_session_there_is_nothing_to_measure_from() -> None:
    assert fit(diary(range(60), CALM), Arm.MOOD, (), DEFAULT_POLICY, day(59)) is None
    assert fit(diary(range(60), CALM), Arm.MOOD, sessions(70), DEFAULT_POLICY, day(59)) is None


def test_a_booster_starts_a_new_baseline_once_that_is_complete() -> None:
    history = diary(range(100), steps((0, 3), (50, 2)))
    twice = sessions(50, 0)
    assert sure(fit(history, Arm.MOOD, twice, DEFAULT_POLICY, day(65))).anchor_day == day(0)
    assert sure(fit(history, Arm.MOOD, twice, DEFAULT_POLICY, day(66))).anchor_day == day(50)


def test_weekly_sessions_share_the_first_window_that_fills_across_them() -> None:
    weekly = sessions(*range(0, 99, 7))
    history = diary(range(100), CALM)
    assert fit(history, Arm.MOOD, weekly, DEFAULT_POLICY, day(16)) is None
    first, late, later = (sure(fit(history, Arm.MOOD, weekly, DEFAULT_POLICY, day(n))) for n in (18, 50, 99))
    assert (first.first_day, first.last_day, first.days_observed) == (day(3), day(18), 10)
    assert late == later
    assert late.first_day == day(3)


def test_the_own_window_of_a_session_takes_over_from_one_across_several() -> None:
    close = sessions(0, 7, 14)
    found = eras(diary(range(60), CALM), Arm.MOOD, close, DEFAULT_POLICY, day(59))
    assert [(e.stages[0].anchor_day, e.since, e.until) for e in found] == [
        (day(0), day(18), day(29)),
        (day(14), day(30), day(59)),
    ]


def test_a_composite_holds_the_items_the_patient_uses() -> None:
    history = fold((day(n), {"mood": 7.0, "anxiety": 1.0}) for n in range(17))
    baseline = sure(fitted(history, 16))
    assert dict(baseline.blends["composite"]) == {"mood": 3.0, "anxiety": 1.0}
    assert baseline.levels["composite"].mean == 2.0
    assert "unrest" not in baseline.levels


def test_a_skipped_low_item_does_not_look_like_a_rise() -> None:
    means = {"mood": 5.0, "anxiety": 1.0}
    assert blend(Reading(day(0), {"mood": 5.0}), means, 0.5) == 3.0
    assert blend(Reading(day(0), {"mood": 5.0, "anxiety": 1.0}), means, 0.5) == 3.0
    assert blend(Reading(day(0), {"mood": 5.0}), means, 0.6) is None
    assert blend(Reading(day(0), {"pain_now": 5.0}), means, 0.5) is None


def test_one_item_of_unrest_is_not_called_unrest() -> None:
    assert "unrest" not in sure(fitted(diary(range(17), CALM), 16)).levels
    assert "unrest" in sure(fitted(diary(range(17), CALM, lambda s: unrest_day(3, s)), 16)).levels


def test_halving_the_symptoms_is_a_response_in_mood() -> None:
    baseline = sure(fitted(diary(range(-14, 17), steps((-14, 7), (0, 3))), 16))
    assert baseline.pre_level == pytest.approx(7.0, abs=0.1)
    assert baseline.responded is True
    assert sure(fitted(diary(range(-14, 17), steps((-14, 7), (0, 5))), 16)).responded is False


def test_a_third_less_pain_is_a_response() -> None:
    history = diary(range(-14, 17), steps((-14, 7), (0, 4.5)), pain_day)
    assert sure(fitted(history, 16, Arm.PAIN)).responded is True
    assert fitted(history, 16, Arm.MOOD) is None


def test_a_response_is_unknown_without_days_before_the_course() -> None:
    unknown = sure(fitted(diary(range(17), CALM), 16))
    assert (unknown.pre_level, unknown.responded) == (None, None)
    two_days = diary(range(-2, 17), CALM)
    assert sure(fitted(two_days, 16)).pre_level is None


def test_who_was_not_ill_before_treatment_shows_no_response_and_no_lack_of_it() -> None:
    well = sure(fitted(diary(range(-14, 17), steps((-14, 3.5), (0, 3.3))), 16))
    assert well.pre_level == pytest.approx(3.5, abs=0.1)
    assert well.responded is None
    halved = sure(fitted(diary(range(-14, 17), steps((-14, 3.5), (0, 1))), 16))
    assert halved.responded is None
    ill = sure(fitted(diary(range(-14, 17), steps((-14, 4.4), (0, 3.3))), 16))
    assert ill.responded is False
    pain = diary(range(-14, 17), steps((-14, 3.5), (0, 3.3)), pain_day)
    assert sure(fitted(pain, 16, Arm.PAIN)).responded is None


def test_a_share_of_no_symptoms_is_no_share() -> None:
    well = fold((day(n), mood_day(0)) for n in range(-14, 17))
    baseline = sure(fitted(well, 16))
    assert (baseline.pre_level, baseline.responded) == (0.0, None)


def test_the_spread_of_two_weeks_is_drawn_to_the_usual_one_and_has_a_floor() -> None:
    flat = tuple((day(n), 2.0) for n in range(14))
    assert level_of(flat, 1.2, DEFAULT_POLICY).sd == pytest.approx((6 * 1.2**2 / 19) ** 0.5)
    bare = policy_from(2, {"baseline.prior_days": 0, "baseline.prior_phi_days": 0})
    level = level_of(flat, 1.2, bare)
    assert (level.sd, level.phi, level.n) == (0.5, 0.0, 14)
    assert level_of(flat[:1], 1.2, bare).sd == 0.5


def test_days_that_follow_each_other_raise_the_correlation_and_gaps_do_not() -> None:
    waves = tuple((day(n), 2.0 + 2 * (n // 7 % 2)) for n in range(21))
    assert level_of(waves, 1.2, DEFAULT_POLICY).phi > DEFAULT_POLICY["baseline.prior_phi"]
    apart = tuple((day(2 * n), value) for n, (_, value) in enumerate(waves))
    assert level_of(apart, 1.2, DEFAULT_POLICY).phi == pytest.approx(DEFAULT_POLICY["baseline.prior_phi"])
    zigzag = tuple((day(n), 5.0 * (n % 2)) for n in range(60))
    assert level_of(zigzag, 1.2, DEFAULT_POLICY).phi == 0.0


def test_the_correlation_is_that_of_days_in_a_row_drawn_to_the_usual_one_by_their_number() -> None:
    some = tuple((day(n), value) for n, value in ((0, 1.0), (1, 1.0), (2, 5.0), (3, 5.0), (7, 3.0), (9, 3.0)))
    # Mean 3; three pairs of days in a row: 2 x 2 - 2 x 2 + 2 x 2 = 4, over the variance of 16 / 6.
    usual, weight = DEFAULT_POLICY["baseline.prior_phi"], DEFAULT_POLICY["baseline.prior_phi_days"]
    expected = (weight * usual + 4 / (16 / 6)) / (weight + 3)
    assert level_of(some, 1.2, DEFAULT_POLICY).phi == pytest.approx(expected)


VALUES = st.lists(st.none() | st.integers(0, 10).map(float), min_size=40, max_size=40)


def _history(values: list[float | None], first: int = 0) -> History:
    return fold((day(first + n), mood_day(v)) for n, v in enumerate(values) if v is not None)


@given(VALUES, VALUES)
def test_nothing_outside_the_window_changes_a_closed_baseline(
    values: list[float | None], other: list[float | None]
) -> None:
    history = _history(values)
    baseline = fitted(history, 39)
    if baseline is None:
        return
    inside = history.between(baseline.first_day, baseline.last_day)
    before = [value if n < 3 else None for n, value in enumerate(other)]
    after = _history(other, first=(baseline.last_day - day(0)).days + 1)
    kept = joined(_history(before), inside, after)
    again = sure(fitted(kept, (baseline.last_day - day(0)).days))
    assert again == baseline


@given(VALUES)
def test_a_baseline_never_looks_ahead(values: list[float | None]) -> None:
    history = _history(values)
    assert fitted(history, 25) == fitted(history.between(date.min, day(25)), 25)


@given(VALUES)
def test_a_level_lies_within_the_scale_and_its_spread_within_reason(values: list[float | None]) -> None:
    baseline = fitted(_history(values), 39)
    if baseline is None:
        return
    for level in baseline.levels.values():
        assert 0 <= level.mean <= 10
        assert DEFAULT_POLICY["baseline.sd_floor"] <= level.sd <= 10
        assert 0 <= level.phi <= DEFAULT_POLICY["baseline.phi_max"]


def test_an_improvement_needs_something_to_improve_on() -> None:
    assert shows_response(None, 0.0, 0.5) is shows_response(0.0, 0.0, 0.5) is None
    assert (shows_response(0.5, 0.25, 0.5), shows_response(0.5, 0.3, 0.5)) == (True, False)


def test_settled_days_are_those_that_are_not_a_sessions_nor_one_of_the_two_after_it() -> None:
    found = settled(diary(range(-2, 12), CALM), [day(0), day(7)], DEFAULT_POLICY)
    assert [(one.day - day(0)).days for one in found.readings] == [-2, -1, 3, 4, 5, 6, 10, 11]


def test_a_composite_of_one_item_varies_as_that_item_does() -> None:
    mood = fold((one.day, {"mood": one.items["mood"]}) for one in diary(range(3, 30), CALM).readings)
    alone, several = sure(fitted(mood, 29)), sure(fitted(diary(range(3, 30), CALM), 29))
    assert alone.levels["composite"].sd == pytest.approx(alone.levels["mood"].sd)
    assert several.levels["composite"].sd < several.levels["mood"].sd


def test_who_was_just_ill_enough_before_treatment_may_show_no_response() -> None:
    def before(symptom: float) -> bool | None:
        days = [*((n, symptom) for n in range(-10, 0)), *((n, symptom) for n in range(3, 17))]
        return sure(fitted(fold((day(n), mood_day(value)) for n, value in days), 16)).responded

    assert (before(4.0), before(3.9)) == (False, None)


def test_three_days_before_the_course_are_enough_to_know_how_it_was_and_two_are_not() -> None:
    after = diary(range(3, 17), CALM)
    three, two = (sure(fitted(joined(diary(range(-n, 0), CALM), after), 16)) for n in (3, 2))
    assert three.pre_level is not None
    assert two.pre_level is None


@pytest.mark.parametrize(("longest", "last"), [(41, 37), (42, 44)])
def test_a_baseline_grows_no_longer_than_the_policy_lets_it(longest: int, last: int) -> None:
    policy = policy_from(2, {"baseline.grow_days": longest})
    assert sure(fitted(diary(range(80), CALM), 79, policy=policy)).last_day == day(last)


@pytest.mark.parametrize(("last", "full"), [(60, True), (61, False)])
def test_a_baseline_that_is_not_full_two_months_after_the_session_is_none_of_it(
    last: int, full: bool
) -> None:
    assert (fitted(diary(range(last - 13, 90), CALM), 89) is not None) is full


@pytest.mark.parametrize(("last", "full"), [(37, True), (38, False)])
def test_the_first_window_spans_five_weeks_at_the_most(last: int, full: bool) -> None:
    history = diary([3, 6, 9, 12, 15, 18, 21, 24, 27, last], CALM)
    assert (fitted(history, last) is not None) is full


def test_days_that_say_too_little_together_do_not_keep_later_ones_from_making_a_baseline() -> None:
    scarce = fold((day(n), {"mood": 7.0} if n % 2 else {"anxiety": 3.0}) for n in range(3, 17))
    assert fitted(scarce, 16) is None
    assert fitted(joined(scarce, diary(range(17, 45), CALM)), 44) is not None


def test_a_session_that_is_still_to_come_changes_nothing() -> None:
    history = diary(range(60), CALM)
    known = eras(history, Arm.MOOD, ONE_SESSION, DEFAULT_POLICY, day(30))
    assert eras(history, Arm.MOOD, sessions(0, 31), DEFAULT_POLICY, day(30)) == known
