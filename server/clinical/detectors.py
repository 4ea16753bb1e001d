"""The rules of the watch, one series at a time: on which days it lies further from its own level than chance.

R1 is a moving average and R2 a mean of the last observed days; the limits of both allow for correlated
days, a short baseline and missing days. R3 is a level that is ill in anyone, or a benefit that is gone.
Formulas and sources: docs/clinical.md, "The watch".
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from math import inf, sqrt
from operator import itemgetter
from typing import NamedTuple

from server.clinical.baseline import Baseline
from server.clinical.policy import Policy
from server.clinical.series import COMPOSITE, UNREST, Level, Points, span_of
from server.clinical.vocabulary import Arm

_DAY = itemgetter(0)


class Rule(StrEnum):
    """The rules a clinician can be shown."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"


class RuleHit(NamedTuple):
    """``rule`` held on ``series``: ``value`` reached ``limit`` (both points, higher is worse)."""

    rule: Rule
    series: str
    value: float
    limit: float


class Mark(NamedTuple):
    """The newest observed day of a series. ``mean`` is None where the last days hold too few of them."""

    day: date
    ewma: float
    ewma_limit: float
    mean: float | None


@dataclass(frozen=True, slots=True)
class Scan:
    """What one series says: its hits by day, oldest first, and where it stood on any day."""

    hits: Mapping[date, tuple[RuleHit, ...]]
    _series: "_Series"

    def mark(self, day: date, level: Level) -> Mark | None:
        """Return where the series stood on its newest day up to ``day``; None before its first."""
        return self._series.mark(day, level)


class _Part(NamedTuple):
    """The points ``start`` .. ``stop`` - 1 are measured against ``baseline``."""

    start: int
    stop: int
    baseline: Baseline


def scan(points: Points, name: str, stages: Sequence[Baseline], policy: Policy) -> Scan:
    """Return what series ``name`` says after the first of ``stages``; all of which have a level of it.

    ``points`` (at least one) begin with the baseline. Each stage judges the days after its own last
    one up to that of the next.
    """
    series = (_Blend if name in (COMPOSITE, UNREST) else _Series)(points, name, policy)
    hits: dict[date, tuple[RuleHit, ...]] = {}
    for part in _parts(points, stages):
        for place, hit in series.hits(part):
            day = points[place][0]
            hits[day] = (*hits.get(day, ()), hit)
    return Scan(hits, series)


def _parts(points: Points, stages: Sequence[Baseline]) -> Sequence[_Part]:
    starts = [bisect_right(points, stage.last_day, key=_DAY) for stage in stages]
    stops = [*starts[1:], len(points)]
    return [_Part(*part) for part in zip(starts, stops, stages, strict=True)]


@dataclass(frozen=True, slots=True)
class _Margin:
    """A limit lies ``rise`` points and ``errors`` standard errors above the level, ``least`` at any rate."""

    rise: float
    errors: float
    least: float = 0.0

    def above(self, level: Level, variance: float) -> float:
        """Return the limit for an average whose error is ``variance`` of a day's, around ``level``."""
        error = level.sd * sqrt(variance + _of_baseline(level))
        return level.mean + max(self.least, self.rise + self.errors * error)


class _Series:
    """The points of one series and their moving averages."""

    __slots__ = (
        "_averages",
        "_clear",
        "_last",
        "_margin",
        "_name",
        "_points",
        "_policy",
        "_values",
        "_weight",
    )

    def __init__(self, points: Points, name: str, policy: Policy) -> None:
        self._points, self._name, self._policy = points, name, policy
        self._values = [value for _, value in points]
        self._weight = policy["relapse.ewma_lambda" if name == COMPOSITE else "relapse.item_lambda"]
        self._margin = _margin(name, policy)
        self._clear = max(self._margin.rise, self._margin.least)
        self._last = policy.whole("relapse.ewma_entries" if name == COMPOSITE else "relapse.item_entries")
        self._averages = _averages(self._values, self._weight)

    def hits(self, part: _Part) -> Iterator[tuple[int, RuleHit]]:
        """Yield the places where R1 holds."""
        level, averages = part.baseline.levels[self._name], self._averages
        lowest = self._margin.above(level, _settled_variance(self._weight, level.phi))
        # Nearly every day lies below the lowest limit there is, and of most series all of them.
        if max(averages[part.start : part.stop], default=lowest) < lowest:
            return
        for place in range(part.start, part.stop):
            if averages[place] < lowest:
                continue
            limit = self._limit(place, level)
            if averages[place] >= limit and self._lasting(place, level):
                yield place, RuleHit(Rule.R1, self._name, averages[place], limit)

    def mark(self, day: date, level: Level) -> Mark | None:
        """Return where the series stood on its newest day up to ``day``; None before its first."""
        place = bisect_right(self._points, day, key=_DAY) - 1
        if place < 0:
            return None
        newest, stop = self._points[place][0], place + 1
        span, need = self._policy.whole("relapse.mean_days"), self._policy["relapse.mean_min_days"]
        last = self._points[max(stop - span, 0) : stop]
        week = [value for other, value in last if (newest - other).days < span]
        mean = sum(week) / len(week) if len(week) >= need else None
        return Mark(newest, self._averages[place], self._limit(place, level), mean)

    def _limit(self, place: int, level: Level) -> float:
        return self._margin.above(level, _variance(self._weight, level.phi, place + 1))

    def _lasting(self, place: int, level: Level) -> bool:
        """Return whether the last observed days all lie clearly higher: one terrible day is no return."""
        first = max(place + 1 - self._last, 0)
        return min(self._values[first : place + 1]) - level.mean >= self._clear


class _Blend(_Series):
    """A composite or unrest: means of its last days speak for it too."""

    __slots__ = ("_ordinals", "_sums")

    def __init__(self, points: Points, name: str, policy: Policy) -> None:
        super().__init__(points, name, policy)
        self._ordinals = [day.toordinal() for day, _ in points]
        self._sums = [0.0, *accumulate(self._values)]

    def hits(self, part: _Part) -> Iterator[tuple[int, RuleHit]]:
        """Yield the places where R1, R2 or R3 holds."""
        yield from super().hits(part)
        yield from self._recent(part)
        if self._name == COMPOSITE:
            yield from self._gone(part)

    def _recent(self, part: _Part) -> Iterator[tuple[int, RuleHit]]:
        """Yield the places where R2 holds: the mean of the last observed days, no older than so many."""
        policy, level = self._policy, part.baseline.levels[self._name]
        longest, most = policy.whole("relapse.recent_days"), policy.whole("relapse.recent_entries")
        need, few = policy.whole("relapse.recent_min_entries"), policy["relapse.sparse_days"]
        usual, sparse = _recent_margins(self._name, policy)
        nearest = level.mean + min(max(m.rise, m.least) for m in (usual, sparse))
        oldest = 0
        for place in range(part.start, part.stop):
            oldest = self._first_within(longest, place, oldest)
            start = max(oldest, place + 1 - most)
            mean = self._mean(start, place)
            if mean < nearest or place + 1 - start < need:
                continue
            # Fewer looks are fewer chances of a false alarm: who logs seldom may be held to less.
            margin = sparse if place + 1 - oldest <= few else usual
            limit = margin.above(level, _variance_of_mean(level.phi, place + 1 - start))
            if mean >= limit:
                yield place, RuleHit(Rule.R2, self._name, mean, limit)

    def _gone(self, part: _Part) -> Iterator[tuple[int, RuleHit]]:
        """Yield the places where R3 holds: the mean of the last week is ill in anyone, or half is lost."""
        loss, oldest = _loss(part.baseline, self._policy), 0
        if max(self._values, default=loss) < loss:
            return
        span, need = self._policy.whole("relapse.mean_days"), self._policy["relapse.mean_min_days"]
        for place in range(part.start, part.stop):
            oldest = self._first_within(span, place, oldest)
            mean = self._mean(oldest, place)
            if mean >= loss and place + 1 - oldest >= need:
                yield place, RuleHit(Rule.R3, self._name, mean, loss)

    def _mean(self, start: int, place: int) -> float:
        """Return the mean of the points ``start`` .. ``place``."""
        return (self._sums[place + 1] - self._sums[start]) / (place + 1 - start)

    def _first_within(self, days: int, place: int, oldest: int) -> int:
        """Return the first place, from ``oldest`` on, that lies within ``days`` days up to ``place``."""
        while self._ordinals[place] - self._ordinals[oldest] >= days:
            oldest += 1
        return oldest


def _margin(name: str, policy: Policy) -> _Margin:
    """Return the margin of R1."""
    if name == COMPOSITE:
        return _Margin(policy["relapse.ewma_rise"], policy["relapse.ewma_limit"])
    key = "relapse.unrest_limit" if name == UNREST else "relapse.item_limit"
    return _Margin(0.0, policy[key], policy["relapse.item_rise_share"] * span_of(name))


def _recent_margins(name: str, policy: Policy) -> tuple[_Margin, _Margin]:
    """Return the margins of R2 for usual days and for sparse ones."""
    if name == UNREST:
        least = policy["relapse.item_rise_share"] * span_of(name)
        margin = _Margin(0.0, policy["relapse.unrest_recent_limit"], least)
        return margin, margin
    return (
        _Margin(policy["relapse.recent_rise"], policy["relapse.recent_limit"]),
        _Margin(policy["relapse.sparse_rise"], policy["relapse.sparse_limit"]),
    )


def _averages(values: Sequence[float], weight: float) -> list[float]:
    """Return the moving average at each value: later ones weigh more, and the weights sum to 1."""
    found, summed = [], 0.0
    for value, filled in zip(values, _filled(weight, len(values)), strict=True):
        summed += weight * (value - summed)
        found.append(summed / filled)
    return found


@lru_cache(maxsize=1024)
def _filled(weight: float, count: int) -> tuple[float, ...]:
    """Return what the weights of the first values of a moving average sum to."""
    return tuple(1 - (1 - weight) ** n for n in range(1, count + 1))


@lru_cache(maxsize=4096)
def _squares(weight: float, count: int) -> float:
    """Return the sum of the squared weights of a moving average of ``count`` values."""
    kept = (1 - weight) ** count
    return weight / (2 - weight) * (1 - kept * kept) / (1 - kept) ** 2


def _variance(weight: float, phi: float, count: int) -> float:
    """Return the variance of a moving average of ``count`` days, in that of one day."""
    damped = phi * (1 - weight)
    return _squares(weight, count) * (1 + damped) / (1 - damped)


def _settled_variance(weight: float, phi: float) -> float:
    damped = phi * (1 - weight)
    return weight / (2 - weight) * (1 + damped) / (1 - damped)


def _variance_of_mean(phi: float, count: int) -> float:
    """Return the variance of the mean of ``count`` days in a row, in that of one day."""
    near = 2 * phi * (1 - phi**count) / (count * (1 - phi) ** 2)
    return ((1 + phi) / (1 - phi) - near) / count


def _of_baseline(level: Level) -> float:
    """Return what the error of the baseline's own mean adds."""
    return (1 + level.phi) / (1 - level.phi) / level.n


def _loss(baseline: Baseline, policy: Policy) -> float:
    """Return the level from which the benefit counts as lost (R3): the lower of the two cut-offs."""
    mean = baseline.levels[COMPOSITE].mean
    key = "relapse.absolute_mood" if baseline.arm is Arm.MOOD else "relapse.absolute_pain"
    gone = inf
    if baseline.pre_level is not None and baseline.pre_level > mean:
        gone = mean + policy["relapse.benefit_lost"] * (baseline.pre_level - mean)
    return max(min(policy[key], gone), mean + policy["relapse.absolute_rise"])
