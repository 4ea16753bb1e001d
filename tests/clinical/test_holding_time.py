"""The personal holding time: the cohort's, bent by the patient's own times."""

from datetime import date
from math import exp, log, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.holding_time import (
    HOLDING_PRIORS,
    Held,
    HoldingPrior,
    HoldingTime,
    holding_time,
    prior_of,
)
from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.vocabulary import Arm, Condition

PRIOR = HoldingPrior(20.0, 1.0, "made up")
DAYS = st.integers(0, 400)


@st.composite
def times(draw: st.DrawFn) -> Held:
    until = draw(DAYS)
    return Held(until, draw(st.none() | st.integers(until + 1, until + 30)))


HELD = st.lists(times(), max_size=5)


def expected(*past: Held, held: int = 0) -> HoldingTime:
    return holding_time(past, PRIOR, DEFAULT_POLICY, held)


def no_shorter(one: HoldingTime, other: HoldingTime) -> bool:
    """Whether ``one`` expects no less than ``other``, give or take the last digits."""
    pairs = ((one.low, other.low), (one.median, other.median), (one.high, other.high))
    return all(a >= b * (1 - 1e-6) for a, b in pairs)


def test_every_condition_has_a_cohort_with_a_source() -> None:
    assert set(HOLDING_PRIORS) == set(Condition)
    assert all(p.source and p.median > 0 and p.sigma > 0 for p in HOLDING_PRIORS.values())


def test_the_arm_a_course_was_not_meant_for_takes_the_broadest_cohort() -> None:
    assert prior_of(Condition.PTSD, Arm.MOOD) == HOLDING_PRIORS[Condition.PTSD]
    assert prior_of(Condition.CRPS, Arm.PAIN) == HOLDING_PRIORS[Condition.CRPS]
    assert prior_of(Condition.CRPS, Arm.MOOD) == HOLDING_PRIORS[Condition.DEPRESSION]
    beside, mixed = prior_of(Condition.PTSD, Arm.PAIN), HOLDING_PRIORS[Condition.CHRONIC_PAIN]
    assert (beside.median, beside.sigma) == (mixed.median, mixed.sigma)


def test_without_own_times_the_cohort_speaks() -> None:
    found = expected()
    z = NormalDist().inv_cdf(0.9)
    assert found.median == pytest.approx(20, rel=0.01)
    assert (found.low, found.high) == pytest.approx((20 * exp(-z), 20 * exp(z)), rel=0.01)
    assert (found.lost, found.censored) == (0, 0)


def test_own_times_are_weighed_as_the_textbook_says() -> None:
    # Normal with known SD: one own time and the cohort count alike at a personal share of one half.
    # So far beyond the first week that what can't be seen in it doesn't matter.
    found = holding_time([Held(790, 810)], HoldingPrior(200.0, 1.0, "made up"), DEFAULT_POLICY)
    assert found.median == pytest.approx(sqrt(200 * 800), rel=0.01)
    width = log(found.high / found.low) / (2 * NormalDist().inv_cdf(0.9))
    assert width == pytest.approx(sqrt(0.5 + 0.25), rel=0.01)


def test_the_more_is_personal_the_more_an_own_time_says() -> None:
    medians = [
        holding_time([Held(79, 81)], PRIOR, policy_from(2, {"durability.personal_share": share})).median
        for share in (0.1, 0.5, 0.9)
    ]
    assert medians == sorted(medians)
    assert medians[0] < 25 < 60 < medians[2]


def test_a_time_that_was_cut_off_early_says_little_and_a_late_one_much() -> None:
    assert expected(Held(2)).median == pytest.approx(20, rel=0.02)
    assert expected(Held(80)).median > expected(Held(79, 81)).median
    assert (expected(Held(2), Held(3, 4)).censored, expected(Held(2), Held(3, 4)).lost) == (1, 1)


def test_short_times_that_nobody_could_see_are_reckoned_with() -> None:
    # A benefit gone within the first week leaves no good week: the seen ones are a patient's longer ones.
    def median_of(settle_days: int) -> float:
        policy = policy_from(2, {"baseline.settle_days": settle_days})
        return holding_time([Held(14, 15)], PRIOR, policy).median

    assert median_of(7) < median_of(3) < median_of(1) < 20
    assert expected(Held(3, 4)) == expected(Held(6, 8)), "seen too soon it counts as seen at once"


def test_what_is_over_is_not_forecast() -> None:
    assert expected(held=60).low > 60
    assert expected(held=4000).low > 4000


def test_ten_times_far_from_each_other_still_have_an_answer() -> None:
    found = holding_time(
        [Held(0, 1), Held(3650, 3651)] * 20,
        HoldingPrior(7.0, 0.2, "made up"),
        policy_from(2, {"durability.personal_share": 0.9}),
    )
    assert 0 < found.low < found.median < found.high


def test_the_dates_are_counted_from_the_session_and_never_come_early() -> None:
    found = HoldingTime(low=9.2, median=20.0, high=44.01, lost=0, censored=0)
    assert found.dates(date(2026, 5, 1)) == (date(2026, 5, 11), date(2026, 5, 21), date(2026, 6, 15))


@given(st.lists(times(), max_size=5).flatmap(lambda past: st.tuples(st.just(past), st.permutations(past))))
def test_the_order_of_the_times_does_not_matter(both: tuple[list[Held], list[Held]]) -> None:
    assert expected(*both[0]) == expected(*both[1])


@given(HELD, times(), st.integers(1, 200))
def test_a_longer_time_never_shortens_the_answer(past: list[Held], one: Held, more: int) -> None:
    longer = Held(one.until + more, None if one.lost_by is None else one.lost_by + more)
    assert no_shorter(expected(*past, longer), expected(*past, one))


@given(HELD, times())
def test_a_cut_off_never_shortens_the_answer(past: list[Held], one: Held) -> None:
    cut = Held(one.until)
    assert no_shorter(expected(*past, cut), expected(*past, one))
    assert no_shorter(expected(*past, cut), expected(*past))


@given(HELD, DAYS, st.integers(1, 100))
def test_the_longer_it_has_held_the_later_it_ends(past: list[Held], held: int, more: int) -> None:
    assert no_shorter(expected(*past, held=held + more), expected(*past, held=held))


def test_a_time_is_known_from_the_first_day_on_which_a_loss_can_be_seen() -> None:
    assert expected(Held(3, 4)) == expected(Held(7, 8)) != expected(Held(7, 9))
    assert expected(Held(3)) == expected(Held(7)) != expected(Held(8))
