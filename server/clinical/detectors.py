"""The rules of the watch, one series at a time: what each day of it says against its own level.

R1 is a moving average whose limits allow for correlated days, a short baseline and missing days;
R2 a mean of the last days; R3 a level that is ill in anyone, or a benefit that is gone.
Formulas and sources: docs/clinical.md, "The watch".
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import fsum, sqrt

from server.clinical.baseline import Baseline
from server.clinical.policy import Policy
from server.clinical.series import COMPOSITE, UNREST, Level, Points, span_of
from server.clinical.vocabulary import Arm


class Rule(StrEnum):
    """The rules a clinician can be shown."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"


@dataclass(frozen=True, slots=True)
class RuleHit:
    """``rule`` held on ``series``: ``value`` reached ``limit`` (both points, higher is worse)."""

    rule: Rule
    series: str
    value: float
    limit: float


@dataclass(frozen=True, slots=True)
class Mark:
    """One observed day of one series. ``mean`` is None where the last days hold too few of them."""

    day: date
    ewma: float
    ewma_limit: float
    mean: float | None
    hits: tuple[RuleHit, ...]


@dataclass(frozen=True, slots=True)
class _Tuning:
    """How R1 is set for one kind of series: weight, limit in SD, rise in points, days in a row."""

    weight: float
    limit: float
    rise: float
    entries: int


def marks(points: Points, name: str, baseline: Baseline, policy: Policy) -> Iterator[Mark]:
    """Yield what each observed day of series ``name`` says. ``points`` follow the baseline."""
    level = baseline.levels[name]
    tuning = _tuning(name, policy)
    recent: deque[tuple[date, float]] = deque()
    gap, squares, left, streak = 0.0, 0.0, 1.0, 0
    for day, value in points:
        gap = (1 - tuning.weight) * gap + tuning.weight * (value - level.mean)
        squares = (1 - tuning.weight) ** 2 * squares + tuning.weight**2
        left *= 1 - tuning.weight
        streak = streak + 1 if value - level.mean >= tuning.rise else 0
        limit = max(tuning.limit * _spread(level, tuning.weight, squares, 1 - left), tuning.rise)
        mean = _mean(recent, day, value, policy)
        hits: list[RuleHit] = []
        if gap >= limit and streak >= tuning.entries:
            hits.append(RuleHit(Rule.R1, name, level.mean + gap, level.mean + limit))
        if mean is not None:
            hits += _mean_hits(name, mean, len(recent), baseline, policy)
        yield Mark(day, level.mean + gap, level.mean + limit, mean, tuple(hits))


def _tuning(name: str, policy: Policy) -> _Tuning:
    if name == COMPOSITE:
        return _Tuning(
            policy["relapse.ewma_lambda"], policy["relapse.ewma_limit"], policy["relapse.ewma_rise"], 0
        )
    limit = policy["relapse.unrest_limit"] if name == UNREST else policy["relapse.item_limit"]
    rise = policy["relapse.item_rise_share"] * span_of(name)
    return _Tuning(policy["relapse.item_lambda"], limit, rise, policy.whole("relapse.item_entries"))


def _spread(level: Level, weight: float, squares: float, filled: float) -> float:
    """Return the SD of the moving average's distance from the baseline mean.

    ``squares`` is the carried sum of squared weights and ``filled`` the sum of the weights: both
    grow with observed days only, so a gap is neither a calm day nor a bad one.
    """
    damped = level.phi * (1 - weight)
    of_days = squares * (1 + damped) / (1 - damped)
    of_baseline = filled**2 / level.n * (1 + level.phi) / (1 - level.phi)
    return level.sd * sqrt(of_days + of_baseline)


def _mean(recent: deque[tuple[date, float]], day: date, value: float, policy: Policy) -> float | None:
    recent.append((day, value))
    while (day - recent[0][0]) >= timedelta(days=policy.whole("relapse.mean_days")):
        recent.popleft()
    if len(recent) < policy["relapse.mean_min_days"]:
        return None
    return fsum(v for _, v in recent) / len(recent)


def _mean_hits(name: str, mean: float, days: int, baseline: Baseline, policy: Policy) -> Iterator[RuleHit]:
    """Yield R2 and R3 for the mean of ``days`` observed days; single items are left to R1."""
    if name not in (COMPOSITE, UNREST):
        return
    level = baseline.levels[name]
    error = level.sd * sqrt((1 / days + 1 / level.n) * (1 + level.phi) / (1 - level.phi))
    rise = policy["relapse.item_rise_share"] * span_of(name)
    if name == COMPOSITE:
        rise = _mean_rise(baseline.arm, level.mean, policy)
    limit = level.mean + max(rise, policy["relapse.mean_limit"] * error)
    if mean >= limit:
        yield RuleHit(Rule.R2, name, mean, limit)
    loss = _loss(baseline, policy)
    if name == COMPOSITE and mean >= loss:
        yield RuleHit(Rule.R3, name, mean, loss)


def _mean_rise(arm: Arm, level: float, policy: Policy) -> float:
    """Return the rise in points that R2 asks of the composite."""
    if arm is Arm.MOOD:
        return policy["relapse.mean_rise_mood"]
    share = policy["relapse.mean_share_pain"] * level
    return min(policy["relapse.mean_rise_pain"], max(share, policy["relapse.mean_floor_pain"]))


def _loss(baseline: Baseline, policy: Policy) -> float:
    """Return the level from which the benefit counts as lost (R3): the lower of the two cut-offs."""
    mean = baseline.levels[COMPOSITE].mean
    key = "relapse.absolute_mood" if baseline.arm is Arm.MOOD else "relapse.absolute_pain"
    cut = policy[key]
    if baseline.pre_level is not None and baseline.pre_level > mean:
        cut = min(cut, mean + policy["relapse.benefit_lost"] * (baseline.pre_level - mean))
    return max(cut, mean + policy["relapse.absolute_rise"])
