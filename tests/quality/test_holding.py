"""The expected holding time on simulated patients: its 80 % intervals hold four in five of the truths."""

from itertools import pairwise
from statistics import median

import pytest

from benchmarks.durability import AS_ASSUMED, simulated_forecasts
from server.clinical.holding_time import HoldingTime
from server.quality.holding import Forecast, calibration
from server.simulator.repeat_courses import RepeatOptions, repeated_courses

PATIENTS = range(5001, 5071)


def test_four_in_five_next_courses_lie_in_the_interval() -> None:
    found = [f for seed in PATIENTS for f in simulated_forecasts(seed, AS_ASSUMED, RepeatOptions())]
    later = calibration([f for f in found if f.past])
    assert later.forecasts == 3 * len(PATIENTS)
    assert 0.75 <= later.covered <= 0.85
    # Own times make the interval narrower than the cohort's alone.
    assert later.spread < calibration([f for f in found if not f.past]).spread


def test_a_calibration_is_what_a_hand_count_says() -> None:
    expected = HoldingTime(low=10, median=20, high=40, lost=0, censored=0)
    found = calibration([Forecast(0, expected, holds) for holds in (5, 10, 20, 40, 41, 60)])
    assert (found.forecasts, found.spread) == (6, 4)
    assert (found.covered, found.before, found.after) == pytest.approx((3 / 6, 1 / 6, 2 / 6))


def test_a_patient_treated_again_keeps_their_own_times() -> None:
    options = RepeatOptions(personal_share=1.0, treated_early=0.0)
    courses = repeated_courses(7, AS_ASSUMED, 3, options)
    assert len({round(course.holds, 6) for course in courses}) == 1
    assert all(a.last < b.session for a, b in pairwise(courses))
    assert repeated_courses(7, AS_ASSUMED, 3, options) == courses


def test_the_times_are_those_of_the_cohort() -> None:
    times = [repeated_courses(seed, AS_ASSUMED, 1, RepeatOptions())[0].holds for seed in range(60)]
    assert median(times) == pytest.approx(AS_ASSUMED.median, rel=0.3)
