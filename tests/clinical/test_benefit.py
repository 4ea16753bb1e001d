"""What is left of a benefit, its interval, its end and its speed, against numbers worked out by hand."""

from math import sqrt
from statistics import NormalDist

import pytest

from server.clinical.benefit import Benefit, best_week, fade_speed, held, retained
from server.clinical.holding_time import Held
from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.series import Level, Points
from tests.clinical.diaries import SESSION, day

# (1 + phi) / (1 - phi) = 3: the errors of the two means are 2 and 0.5.
BENEFIT = Benefit(Level(8.0, 4.0, 0.5, 12), Level(2.0, 1.0, 0.5, 12), day(3), 1.2)
# Even days have the least spread there is, and no correlation.
BARE = policy_from(2, {"baseline.prior_days": 0, "baseline.prior_phi_days": 0, "baseline.sd_floor": 0.5})
FADE_DAYS = DEFAULT_POLICY.whole("durability.fade_days")
FADE_LEAST = DEFAULT_POLICY.whole("durability.fade_min_days")


def points(*values: float | None, first: int = 0) -> Points:
    return tuple((day(first + n), value) for n, value in enumerate(values) if value is not None)


def test_what_is_left_is_a_share_of_the_benefit_and_its_interval_that_of_three_means() -> None:
    found = retained(points(*[3.5] * 7), BENEFIT, day(6), BARE)
    assert found is not None
    share = (8.0 - 3.5) / 6
    variance = 0.5**2 / 7 + ((1 - share) * 2) ** 2 + (share * 0.5) ** 2
    width = NormalDist().inv_cdf(0.9) * sqrt(variance) / 6
    assert (found.percent, found.low, found.high) == pytest.approx(
        (100 * share, 100 * (share - width), 100 * (share + width))
    )


def test_what_is_left_is_told_of_the_last_week_with_four_days() -> None:
    four, three = points(9, 9, 3, None, 3, None, 3, None, 3), points(9, 9, None, None, 3, None, 3, None, 3)
    found = retained(four, BENEFIT, day(8), BARE)
    assert found is not None
    assert found.percent == pytest.approx(100 * 5 / 6)
    assert retained(three, BENEFIT, day(8), BARE) is None


def test_half_of_a_benefit_gone_is_a_loss_and_less_is_none() -> None:
    # Half of the six points from 2 to 8 puts the limit at 5; the week around day 10 is the first beyond it.
    for late, expected in ((5.0, Held(9, 10)), (4.99, Held(20))):
        assert held(points(*[2.0] * 7, *[late] * 14), BENEFIT, SESSION, DEFAULT_POLICY) == expected


@pytest.mark.parametrize(("bad", "expected"), [(6, Held(25)), (7, Held(9, 10))])
def test_six_bad_days_that_pass_are_no_loss_and_seven_are(bad: int, expected: Held) -> None:
    some = points(*[2.0] * 10, *[8.0] * bad, *[2.0] * (16 - bad))
    assert held(some, BENEFIT, SESSION, DEFAULT_POLICY) == expected


def test_a_loss_before_the_best_week_is_none() -> None:
    late = Benefit(BENEFIT.before, BENEFIT.best, day(20), 1.2)
    found = held(points(*[8.0] * 14, *[2.0] * 14), late, SESSION, DEFAULT_POLICY)
    assert found == Held(27)


def test_the_best_week_is_the_lowest_one_with_four_days_and_the_first_of_equals() -> None:
    some = points(*[4.0] * 7, *[None] * 6, 0, 0, 0, *[None] * 6, *[3.0] * 8)
    found = best_week(some, day(40), 1.2, DEFAULT_POLICY)
    assert found is not None
    # Around the three lowest days there are no four; the first four of the last eight are the first week.
    assert (found[0], found[1].mean) == (day(22), 3.0)
    assert best_week(some, day(22), 1.2, DEFAULT_POLICY) == found, "the last middle there may be"
    early = best_week(some, day(10), 1.2, DEFAULT_POLICY)
    assert early is not None
    assert (early[0], early[1].mean) == (day(0), 4.0)
    assert best_week((), day(40), 1.2, DEFAULT_POLICY) is None


def test_the_speed_is_that_of_the_last_days_in_points_a_week() -> None:
    slope = points(*[2.0 + n / 7 for n in range(60)])
    assert fade_speed(slope, BENEFIT, day(59), DEFAULT_POLICY) == pytest.approx(1.0)
    # The line through 0, 0, 0, 7 rises by 2.1 a day.
    few = policy_from(2, {"durability.fade_days": 7, "durability.fade_min_days": 4})
    uneven = points(0, 0, 0, 7.0, first=10)
    assert fade_speed(uneven, BENEFIT, day(13), few) == pytest.approx(14.7)


def test_the_speed_looks_back_so_many_days_but_not_beyond_the_best_week() -> None:
    jump = points(*[9.0] * (61 - FADE_DAYS), *[2.0] * FADE_DAYS)
    assert fade_speed(jump, BENEFIT, day(60), DEFAULT_POLICY) == pytest.approx(0.0)
    assert fade_speed(jump, BENEFIT, day(59), DEFAULT_POLICY) != pytest.approx(0.0)
    fallen = points(9.0, 9.0, 9.0, *[2.0] * FADE_LEAST)
    assert fade_speed(fallen, BENEFIT, day(2 + FADE_LEAST), DEFAULT_POLICY) == pytest.approx(0.0)


def test_the_speed_needs_enough_days() -> None:
    days = points(*[2.0] * FADE_LEAST, first=5)
    assert fade_speed(days, BENEFIT, day(20), DEFAULT_POLICY) == pytest.approx(0.0)
    assert fade_speed(days[1:], BENEFIT, day(20), DEFAULT_POLICY) is None


def test_a_benefit_is_kept_where_no_week_is_lost_for_good() -> None:
    # The last week alone lies beyond half: whether it stays so nobody knows yet, and so far it does.
    assert held(points(*[2.0] * 14, *[8.0] * 7), BENEFIT, SESSION, DEFAULT_POLICY) == Held(13, 14)
    assert held(points(*[2.0] * 21), BENEFIT, SESSION, DEFAULT_POLICY) == Held(20)


def test_the_best_week_itself_counts_as_held() -> None:
    only = Benefit(BENEFIT.before, BENEFIT.best, SESSION, 1.2)
    assert held(points(*[8.0] * 14), only, SESSION, DEFAULT_POLICY) == Held(0, 0)


def test_the_speed_of_days_far_from_nothing_is_that_of_the_same_days_near_it() -> None:
    few = policy_from(2, {"durability.fade_days": 7, "durability.fade_min_days": 4})
    low, high = (points(*[base + one for one in (0, 1, 0, 2.0)], first=10) for base in (0.0, 6.0))
    assert fade_speed(low, BENEFIT, day(13), few) == pytest.approx(3.5)
    assert fade_speed(high, BENEFIT, day(13), few) == pytest.approx(3.5)
