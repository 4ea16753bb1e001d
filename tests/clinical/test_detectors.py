"""The formulas of the watch, against numbers worked out by hand, and its hysteresis to the day."""

from datetime import date
from math import sqrt

import pytest

from server.clinical.baseline import Baseline
from server.clinical.detectors import Mark, Rule, RuleHit, marks
from server.clinical.policy import Policy, policy_from
from server.clinical.readings import fold
from server.clinical.series import Level
from server.clinical.vocabulary import Arm, WatchState
from server.clinical.walk import walk
from tests.clinical.diaries import ONE_SESSION, day, mood_day

POLICY = policy_from(1, {"relapse.ewma_limit": 3, "relapse.ewma_rise": 0.3, "relapse.ewma_lambda": 0.2})
PHI, N, SD = 0.5, 10, 2.0


def baseline(arm: Arm = Arm.MOOD, mean: float = 3.0, pre: float | None = None, sd: float = SD) -> Baseline:
    names = ("composite", "unrest", "mood", "interest", "anxiety", "restlessness", "sleep_quality")
    levels = {name: Level(mean, sd, PHI, N) for name in names}
    return Baseline(arm, day(0), day(3), day(16), N, levels, pre, None, 1)


def week(value: float, days: int = 7) -> tuple[tuple[date, float], ...]:
    return tuple((day(20 + n), value) for n in range(days))


def last(value: float, of: Baseline, name: str = "composite", days: int = 7, policy: Policy = POLICY) -> Mark:
    return [*marks(week(value, days), name, of, policy)][-1]


def hit(mark: Mark, rule: Rule) -> RuleHit | None:
    return next((found for found in mark.hits if found.rule is rule), None)


def test_the_limit_of_the_first_day_allows_for_correlation_and_a_short_baseline() -> None:
    # lambda 0.2: W = 0.04, F = 0.2; phi (1 - lambda) = 0.4; (1 + phi) / (1 - phi) = 3.
    spread = SD * sqrt(0.04 * 1.4 / 0.6 + 0.04 / N * 3)
    mark = last(4.0, baseline(), days=1)
    assert mark.ewma == pytest.approx(3.0 + 0.2)
    assert mark.ewma_limit == pytest.approx(3.0 + 3 * spread)


def test_the_limit_settles_at_the_textbook_value() -> None:
    spread = SD * sqrt(0.2 / 1.8 * 1.4 / 0.6 + 1 / N * 3)
    assert last(4.0, baseline(), days=80).ewma_limit == pytest.approx(3.0 + 3 * spread)


def test_a_rise_too_small_to_matter_is_never_a_hit() -> None:
    lax = policy_from(1, {"relapse.ewma_rise": 4})
    assert last(10.0, baseline(sd=0.5), days=1, policy=lax).ewma_limit == 7.0


def test_the_mean_of_unrest_is_held_against_its_own_error() -> None:
    error = SD * sqrt((1 / 7 + 1 / N) * 3)
    found = hit(last(9.9, baseline(), "unrest"), Rule.R2)
    assert found is not None
    assert found.limit == pytest.approx(3.0 + POLICY["relapse.mean_limit"] * error)


def test_four_days_make_a_mean_and_three_do_not() -> None:
    assert last(5.0, baseline(), days=3).mean is None
    assert last(5.0, baseline(), days=4).mean == 5.0
    old = (*week(9.0, 3), *((day(27 + n), 5.0) for n in range(4)))
    assert [*marks(old, "composite", baseline(), POLICY)][-1].mean == 5.0


@pytest.mark.parametrize(
    ("arm", "mean", "limit"),
    [(Arm.MOOD, 3.0, 5.0), (Arm.PAIN, 3.0, 4.8), (Arm.PAIN, 6.5, 8.45), (Arm.PAIN, 7.0, 9.0)],
)
def test_the_mean_of_the_composite_must_rise_by_points_or_by_its_share(
    arm: Arm, mean: float, limit: float
) -> None:
    calm = baseline(arm, mean, sd=0.1)
    found = hit(last(limit + 0.01, calm), Rule.R2)
    assert found is not None
    assert found.limit == pytest.approx(limit)
    assert hit(last(limit - 0.01, calm), Rule.R2) is None


@pytest.mark.parametrize(
    ("mean", "pre", "limit"),
    [(3.0, None, 5.5), (3.0, 7.6, 5.3), (1.0, 9.0, 5.0), (5.0, None, 7.0), (3.0, 2.0, 5.5), (3.0, 4.0, 5.0)],
)
def test_the_benefit_is_gone_at_the_lower_cut_off_but_only_after_a_rise(
    mean: float, pre: float | None, limit: float
) -> None:
    assert hit(last(limit - 0.01, baseline(mean=mean, pre=pre)), Rule.R3) is None
    found = hit(last(limit + 0.01, baseline(mean=mean, pre=pre)), Rule.R3)
    assert found is not None
    assert found.limit == pytest.approx(limit)


def test_a_single_item_needs_three_high_days_in_a_row() -> None:
    steady = baseline(sd=0.1)
    assert hit(last(9.0, steady, "anxiety", days=2), Rule.R1) is None
    assert hit(last(9.0, steady, "anxiety", days=3), Rule.R1) is not None
    broken = (*week(9.0, 6), (day(26), 3.4))
    assert hit([*marks(broken, "anxiety", steady, POLICY)][-1], Rule.R1) is None


def test_a_single_item_is_left_to_the_moving_average() -> None:
    assert {found.rule for found in last(9.9, baseline(sd=0.1), "anxiety").hits} == {Rule.R1}


def test_a_signal_starts_on_the_second_hit_of_three_days_and_ends_on_the_seventh_calm_day() -> None:
    quick = policy_from(1, {"relapse.ewma_lambda": 0.5, "relapse.item_limit": 6, "relapse.unrest_limit": 6})
    values = [3.0] * 10 + [6.0] * 5 + [3.0] * 20
    history = fold((day(17 + n), mood_day(value)) for n, value in enumerate(values))
    walked = [*walk(history, baseline(sd=0.5), quick, day(60), ONE_SESSION)]
    hits = [n for n, seen in enumerate(walked) if seen.hits]
    alarmed = [n for n, seen in enumerate(walked) if seen.state in {WatchState.FADING, WatchState.RELAPSED}]
    assert hits == list(range(hits[0], hits[-1] + 1))
    assert alarmed == list(range(hits[1], hits[-1] + 7))
    assert walked[hits[1]].since == walked[hits[0]].day
