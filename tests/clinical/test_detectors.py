"""The formulas of the watch, against numbers worked out by hand, and its hysteresis to the day."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.baseline import Baseline
from server.clinical.detectors import Mark, Rule, RuleHit, Scan
from server.clinical.era import Era
from server.clinical.line import Line
from server.clinical.policy import Policy, policy_from
from server.clinical.readings import fold
from server.clinical.series import Level, Points
from server.clinical.vocabulary import Arm, WatchState
from server.clinical.walk import walk
from tests.clinical.diaries import ONE_SESSION, day, mood_day

POLICY = policy_from(
    1,
    {
        "relapse.ewma_lambda": 0.2,
        "relapse.ewma_rise": 0.5,
        "relapse.ewma_limit": 2,
        "relapse.recent_rise": 1,
        "relapse.recent_limit": 2,
        "relapse.unrest_recent_limit": 3,
        "relapse.sparse_rise": 0.8,
        "relapse.sparse_limit": 1,
        "relapse.sparse_days": 5,
        "relapse.item_lambda": 0.1,
        "relapse.item_limit": 3,
        "relapse.absolute_rise": 2,
    },
)
LATER = day(200)
PHI, N, SD = 0.5, 10, 2.0
LAST = POLICY.whole("relapse.ewma_entries")
OF_BASELINE = 3 / N  # (1 + phi) / (1 - phi) = 3
NAMES = ("composite", "unrest", "mood", "interest", "anxiety", "restlessness", "sleep_quality")


def baseline(
    mean: float = 3.0, pre: float | None = None, sd: float = SD, arm: Arm = Arm.MOOD, until: int = 16
) -> Baseline:
    levels = {name: Level(mean, sd, PHI, N) for name in NAMES}
    blends = {
        "composite": dict.fromkeys(NAMES[2:], mean),
        "unrest": {"restlessness": mean, "irritability": mean},
    }
    means = dict.fromkeys(NAMES, mean)
    return Baseline(arm, day(0), day(3), day(until), N, levels, means, blends, pre, None, 1)


def points(*values: float | None, first: int = 17) -> Points:
    return tuple((day(first + n), value) for n, value in enumerate(values) if value is not None)


def line(values: Points) -> Line:
    return Line([one.toordinal() for one, _ in values], [value for _, value in values])


def said(values: Points, of: Baseline, name: str = "composite", policy: Policy = POLICY) -> Scan:
    return Scan(line(values), name, (of,), policy)


def held(found: Scan) -> set[date]:
    """Return the days on which any rule held."""
    return {date.fromordinal(one) for days in found.held.values() for one in days}


def mark(found: Scan, of: Baseline, on: date = LATER) -> Mark:
    """Return where the composite stood."""
    stood = found.mark(on, of.levels["composite"])
    assert stood is not None
    return stood


def stands(values: Points) -> Mark:
    """Return where these days of the composite leave it."""
    return mark(said(values, baseline()), baseline())


def hit(found: Scan, rule: Rule) -> RuleHit | None:
    """Return the hit of ``rule`` on the newest day."""
    newest = mark(found, baseline()).day
    return next((one for one in found.hits(newest) if one.rule is rule), None)


def sure(found: RuleHit | None) -> RuleHit:
    assert found is not None
    return found


def test_a_moving_average_weighs_the_newest_day_most_and_its_weights_sum_to_one() -> None:
    assert stands(points(4.0)).ewma == pytest.approx(4.0)
    # 0.2 x 6 + 0.16 x 4, over the 0.36 that two weights sum to.
    assert stands(points(4.0, 6.0)).ewma == pytest.approx(1.84 / 0.36)


def test_the_limit_allows_for_correlation_and_a_short_baseline() -> None:
    # phi (1 - lambda) = 0.4; weights 5/9 and 4/9 of two days: their squares sum to 41/81.
    spread = SD * sqrt(41 / 81 * 1.4 / 0.6 + OF_BASELINE)
    assert stands(points(4.0, 4.0)).ewma_limit == pytest.approx(3.0 + 0.5 + 2 * spread)


def test_the_limit_settles_at_the_textbook_value() -> None:
    spread = SD * sqrt(0.2 / 1.8 * 1.4 / 0.6 + OF_BASELINE)
    assert stands(points(*[4.0] * 80)).ewma_limit == pytest.approx(3.5 + 2 * spread)


def test_the_moving_average_hits_at_its_limit_and_not_below_it() -> None:
    limit = stands(points(*[3.0] * 60)).ewma_limit
    over, under = (hit(said(points(*[limit + d] * 60), baseline()), Rule.R1) for d in (0.01, -0.01))
    assert (sure(over).value, sure(over).limit) == pytest.approx((limit + 0.01, limit))
    assert under is None


@given(st.lists(st.sampled_from([3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]), min_size=1, max_size=12))
def test_the_moving_average_is_held_against_the_limit_of_each_day(values: list[float]) -> None:
    of, keep = baseline(sd=1.0), 0.8
    found = said(points(*values), of).held[Rule.R1]
    expected = []
    for count in range(1, len(values) + 1):
        weights = [keep**n for n in reversed(range(count))]
        average = sum(w * v for w, v in zip(weights, values, strict=False)) / sum(weights)
        squares = sum(w * w for w in weights) / sum(weights) ** 2
        limit = 3.0 + 0.5 + 2 * sqrt(squares * 1.4 / 0.6 + OF_BASELINE)
        if count >= LAST and average >= limit and min(values[count - LAST : count]) >= 3.5:
            expected.append(day(16 + count).toordinal())
    assert list(found) == expected


def test_a_rise_too_small_to_matter_is_never_a_hit_however_even_the_days_were() -> None:
    even = baseline(sd=0.01)
    assert hit(said(points(*[3.4] * 40), even, "anxiety"), Rule.R1) is None
    assert hit(said(points(*[3.6] * 40), even, "anxiety"), Rule.R1) is not None
    assert hit(said(points(*[3.4] * 40), even), Rule.R1) is None


def test_a_recent_mean_is_that_of_the_last_eight_observed_days_of_a_fortnight() -> None:
    # phi 0.5, k 8: (1 + phi) / (1 - phi) - 2 phi (1 - phi^8) / (8 (1 - phi)^2), over 8.
    variance = (3 - (1 - 0.5**8) / 2) / 8
    found = sure(hit(said(points(*[9.0] * 4, *[8.0] * 8), baseline()), Rule.R2))
    assert found.value == pytest.approx(8.0)
    assert found.limit == pytest.approx(3.0 + 1 + 2 * SD * sqrt(variance + OF_BASELINE))
    old = (*points(9.0, 9.0, 9.0), *points(*[7.0] * 3, first=17 + 14 - 1 + 3))
    assert sure(hit(said(old, baseline()), Rule.R2)).value == pytest.approx(7.0)


def test_a_recent_mean_needs_two_days() -> None:
    calm = baseline(sd=0.1)
    assert hit(said(points(9.0), calm), Rule.R2) is None
    assert hit(said(points(9.0, 9.0), calm), Rule.R2) is not None


def test_who_logs_seldom_is_held_to_less() -> None:
    few, many = points(5, None, 5, None, 5, None, 5, None, 5), points(*[5.0] * 6)
    variance = (3 - 4 * (1 - PHI**5) / 5) / 5
    found = sure(hit(said(few, baseline(sd=0.5)), Rule.R2))
    assert found.limit == pytest.approx(3.8 + 0.5 * sqrt(variance + OF_BASELINE))
    assert sure(hit(said(many, baseline(sd=0.5)), Rule.R2)).limit > found.limit


def test_a_small_rise_of_who_logs_seldom_is_looked_at_although_it_is_below_the_usual_limit() -> None:
    even = baseline(sd=0.01)
    assert hit(said(points(*[3.9, None] * 4, 3.9), even), Rule.R2) is not None
    assert hit(said(points(*[3.9] * 6), even), Rule.R2) is None


def test_a_mean_of_unrest_must_exceed_its_own_error() -> None:
    variance = (3 - (1 - 0.5**8) / 2) / 8
    found = sure(hit(said(points(*[9.9] * 8), baseline(), "unrest"), Rule.R2))
    assert found.limit == pytest.approx(3.0 + 3 * SD * sqrt(variance + OF_BASELINE))


def test_four_days_make_the_mean_of_a_week_and_three_do_not() -> None:
    assert stands(points(5.0, 5.0, 5.0)).mean is None
    assert stands(points(5.0, 5.0, 5.0, 5.0)).mean == 5.0
    assert stands(points(9, 9, 9, *[5.0] * 7)).mean == 5.0


@pytest.mark.parametrize(
    ("mean", "pre", "limit"),
    [(3.0, None, 5.5), (3.0, 7.6, 5.3), (1.0, 9.0, 5.0), (5.0, None, 7.0), (3.0, 2.0, 5.5), (3.0, 4.0, 5.0)],
)
def test_the_benefit_is_gone_at_the_lower_cut_off_but_only_after_a_rise(
    mean: float, pre: float | None, limit: float
) -> None:
    of = baseline(mean, pre)
    assert hit(said(points(*[limit - 0.01] * 7), of), Rule.R3) is None
    assert sure(hit(said(points(*[limit + 0.01] * 7), of), Rule.R3)).limit == pytest.approx(limit)


def test_pain_has_a_cut_off_of_its_own() -> None:
    of = baseline(arm=Arm.PAIN)
    assert hit(said(points(*[5.9] * 7), of), Rule.R3) is None
    assert sure(hit(said(points(*[6.1] * 7), of), Rule.R3)).limit == 6.0


def test_a_single_item_needs_three_high_days_in_a_row() -> None:
    steady = baseline(sd=0.1)
    assert hit(said(points(*[3.0] * 9, *[9.0] * 2), steady, "anxiety"), Rule.R1) is None
    assert hit(said(points(*[3.0] * 9, *[9.0] * 3), steady, "anxiety"), Rule.R1) is not None
    assert hit(said(points(*[9.0] * 6, 3.4), steady, "anxiety"), Rule.R1) is None
    assert hit(said(points(*[9.0] * 6, 3.5), steady, "anxiety"), Rule.R1) is not None


def test_a_single_item_is_left_to_the_moving_average() -> None:
    found = said(points(*[9.9] * 20), baseline(sd=0.1), "anxiety")
    assert held(found)
    assert {one.rule for on in held(found) for one in found.hits(on)} == set(found.held) == {Rule.R1}


def test_each_day_is_held_against_the_baseline_that_was_in_force() -> None:
    early, late = baseline(sd=0.1), replace(baseline(mean=6.0, sd=0.1), last_day=day(30))
    found = Scan(line(points(*[6.5] * 40)), "composite", (early, late), POLICY)
    assert max(held(found)) == day(30)
    assert min(held(found)) == day(16 + LAST)
    assert mark(found, late).ewma_limit > 6.5


def test_a_series_without_a_hit_says_where_it_stands_all_the_same() -> None:
    found = said(points(3.0, 3.0), baseline())
    assert (held(found), mark(found, baseline()).day) == (set(), day(18))


def test_where_a_series_stood_on_a_day_rests_on_nothing_later() -> None:
    values = points(3.0, 4.0, None, 5.0, 9.0)
    found, level = said(values, baseline()), baseline().levels["composite"]
    assert found.mark(day(16), level) is None
    for last in range(17, 23):
        so_far = tuple(one for one in values if one[0] <= day(last))
        assert mark(found, baseline(), day(last)) == stands(so_far)


def watched(values: list[float], policy: Policy) -> list[tuple[date, WatchState, bool, date | None]]:
    history = fold((day(17 + n), mood_day(value)) for n, value in enumerate(values))
    era = Era((baseline(sd=0.5),), day(80))
    walked = walk(history, era, policy, (day(0), day(80)), ONE_SESSION)
    return [(seen.day, seen.state, bool(seen.hits), seen.since) for seen in walked.days]


ALARMED = {WatchState.FADING, WatchState.RELAPSED}
UPS = [3.0] * 10 + [6.0] * 5 + [3.0] * 20


def test_a_signal_starts_with_a_hit_and_ends_on_the_seventh_calm_day() -> None:
    days = watched(UPS, POLICY)
    hits = [n for n, (_, _, found, _) in enumerate(days) if found]
    assert all(later - earlier == 1 for earlier, later in pairwise(hits))
    alarmed = [n for n, (_, state, _, _) in enumerate(days) if state in ALARMED]
    assert alarmed == list(range(hits[0], hits[-1] + 7))
    assert days[hits[-1]][3] == days[hits[0]][0]


def test_a_clinic_may_ask_for_two_hits_in_three_days() -> None:
    patient = policy_from(2, {**POLICY.values, "relapse.enter_hits": 2, "relapse.enter_days": 3})
    first, second = (
        next(n for n, (_, state, _, _) in enumerate(watched(UPS, policy)) if state in ALARMED)
        for policy in (POLICY, patient)
    )
    assert second == first + 1


def test_a_signal_dates_from_the_first_of_its_own_hits() -> None:
    patient = policy_from(2, {**POLICY.values, "relapse.enter_hits": 2, "relapse.enter_days": 3})
    days = watched(UPS + UPS[10:], patient)
    begun = [
        n for n, (before, on) in enumerate(pairwise(days), 1) if on[1] in ALARMED and before[1] not in ALARMED
    ]
    assert [days[n][3] for n in begun] == [days[n - 1][0] for n in begun]
    assert len(begun) == 2


def test_the_moving_average_of_unrest_and_of_an_item_have_limits_of_their_own() -> None:
    policy = policy_from(1, {**POLICY.values, "relapse.unrest_limit": 4})
    damped = PHI * 0.9
    spread = SD * sqrt(0.1 / 1.9 * (1 + damped) / (1 - damped) + OF_BASELINE)
    for name, errors in (("unrest", 4), ("anxiety", 3)):
        found = said(points(*[3.0] * 300), baseline(), name, policy)
        stood = found.mark(day(400), baseline().levels[name])
        assert stood is not None
        assert stood.ewma_limit == pytest.approx(3.0 + errors * spread)


def test_a_mean_of_unrest_must_rise_enough_to_matter_however_even_the_days_were() -> None:
    even = baseline(sd=0.01)
    assert hit(said(points(*[3.4] * 8), even, "unrest"), Rule.R2) is None
    assert hit(said(points(*[3.6] * 8), even, "unrest"), Rule.R2) is not None


def test_the_benefit_is_not_called_gone_on_three_days_of_a_week() -> None:
    assert hit(said(points(*[9.0] * 3), baseline(), policy=POLICY), Rule.R3) is None
    assert hit(said(points(*[9.0] * 4), baseline(), policy=POLICY), Rule.R3) is not None


def test_a_level_before_the_course_that_was_no_worse_sets_no_cut_off() -> None:
    found = sure(hit(said(points(*[9.0] * 7), baseline(3.0, 3.0)), Rule.R3))
    assert found.limit == pytest.approx(5.5)


def test_what_a_rule_saw_is_told_against_the_baseline_of_that_day() -> None:
    early, late = baseline(sd=0.1), replace(baseline(mean=6.0, sd=0.1), last_day=day(30))
    found = Scan(line(points(*[9.0] * 40)), "composite", (early, late), POLICY)
    limits = {n: next(one.limit for one in found.hits(day(n)) if one.rule is Rule.R1) for n in (30, 31)}
    assert 3.5 < limits[30] < 4.5
    assert 6.5 < limits[31] < 7.5
