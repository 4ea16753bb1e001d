"""The expected holding time on simulated patients: its 80 % intervals hold four in five of the truths."""

from itertools import pairwise
from statistics import median

import pytest

from benchmarks.durability import AS_ASSUMED, simulated_forecasts
from jobs.holding_quality import CASES, holding_forecasts
from server.clinical.holding_time import HoldingTime
from server.quality.holding import Forecast, calibration
from server.quality.holding_page import section
from server.simulator.repeat_courses import RepeatOptions, repeated_courses

PATIENTS = range(5001, 5046)


@pytest.mark.long
def test_four_in_five_next_courses_lie_in_the_interval() -> None:
    found = [f for seed in PATIENTS for f in simulated_forecasts(seed, AS_ASSUMED, RepeatOptions())]
    before = [f for f in found if not f.held]
    later = calibration([f for f in before if f.past])
    assert later.forecasts == 3 * len(PATIENTS)
    assert 0.75 <= later.covered <= 0.85
    # Own times make the interval narrower than the cohort's alone.
    assert later.spread < calibration([f for f in before if not f.past]).spread
    # And of what still holds after weeks, asked from that day on.
    assert 0.75 <= calibration([f for f in found if f.held]).covered <= 0.85
    assert {f.held for f in found if f.held} <= set(range(57))


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


def test_the_section_tells_each_share_with_its_error_and_its_count() -> None:
    expected = HoldingTime(low=10, median=20, high=40, lost=0, censored=0)
    before = [Forecast(past, expected, holds) for past in (0, 1) for holds in (5, 10, 20, 30, 41)]
    told = section({"made up": [*before, Forecast(1, expected, 30, held=12)]}, seed=7)
    assert (
        "| patients | no earlier course | 1 earlier | from later days | truth before | truth after |"
        in told[2]
    )
    share = "60.0 % (+-21.9, 5)"
    assert f"| made up | {share} | {share} | 100.0 % (+-0.0, 1) | 20 % | 20 % |" in told[2]
    assert told[3] == "Asked for are 75 % to 85 %: 0 of 3 shares lie there."
    assert told[1].endswith("Seeds 7 to 11.")
    assert section({}, seed=7) == []


def test_the_forecasts_do_not_depend_on_how_many_processes_make_them() -> None:
    found = holding_forecasts(2, 40, processes=1)
    assert set(found) == set(CASES)
    assert found == holding_forecasts(2, 40, processes=2)
