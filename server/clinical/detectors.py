"""The rules of the watch, one series at a time: on which days it lies further from its own level than chance.

R1 is a moving average and R2 a mean of the last observed days; the limits of both allow for correlated
days, a short baseline and missing days. R3 is a level that is ill in anyone, or a benefit that is gone.
Formulas and sources: docs/clinical.md, "The watch".

Whether a rule held is asked of every day, what it saw only of the few that are shown.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from math import inf
from typing import NamedTuple, Protocol

from server.clinical.baseline import Baseline
from server.clinical.limits import Limits, Margin, settled_variance, variance_of_average, variance_of_mean
from server.clinical.line import Line
from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.series import COMPOSITE, UNREST, Level, span_of
from server.clinical.vocabulary import Arm


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


class _Part(NamedTuple):
    """The points ``start`` .. ``stop`` - 1 are measured against ``baseline``."""

    start: int
    stop: int
    baseline: Baseline

    def of(self, values: Sequence[float]) -> Sequence[float]:
        """Return what of one value a point is that of the part's."""
        return values[self.start : self.stop]


class _Test(Protocol):
    """One rule on one series."""

    def held(self, part: _Part) -> Sequence[int]:
        """Return the places of ``part`` where it holds."""

    def hit(self, place: int, baseline: Baseline) -> RuleHit:
        """Return what it saw at ``place``, where it holds."""


class Scan:
    """What one series says: the days (ordinals) on which each rule held, and where it stood on any day.

    ``line`` (at least one point) begins with the baseline. Each of ``stages``, all of which have a level of
    series ``name``, judges the days after its own last one up to that of the next.
    """

    __slots__ = ("_average", "_days", "_parts", "_tests", "held")

    def __init__(self, line: Line, name: str, stages: Sequence[Baseline], policy: Policy) -> None:
        self._average = _Average(line, name, policy)
        self._tests: dict[Rule, _Test] = {Rule.R1: self._average}
        if name in (COMPOSITE, UNREST):
            self._tests[Rule.R2] = _Recent(line, name, policy)
        if name == COMPOSITE:
            self._tests[Rule.R3] = _Gone(line, policy)
        self._days, self._parts = line.days, _parts(line.days, stages)
        self.held: Mapping[Rule, Sequence[int]] = {
            rule: [line.days[place] for part in self._parts for place in test.held(part)]
            for rule, test in self._tests.items()
        }

    def hits(self, day: date) -> Sequence[RuleHit]:
        """Return the rules that held on ``day``."""
        ordinal = day.toordinal()
        tests = [self._tests[rule] for rule, days in self.held.items() if ordinal in days]
        if not tests:
            return ()
        place = bisect_right(self._days, ordinal) - 1
        part = next(part for part in reversed(self._parts) if part.start <= place)
        return [test.hit(place, part.baseline) for test in tests]

    def mark(self, day: date, level: Level) -> Mark | None:
        """Return where the series stood on its newest day up to ``day``; None before its first."""
        stop = bisect_right(self._days, day.toordinal())
        return self._average.mark(stop - 1, level) if stop else None


def _parts(days: Sequence[int], stages: Sequence[Baseline]) -> Sequence[_Part]:
    starts = [bisect_right(days, stage.last_day.toordinal()) for stage in stages]
    stops = [*starts[1:], len(days)]
    return [_Part(*part) for part in zip(starts, stops, stages, strict=False)]


class _Average:
    """R1: the moving average reaches its limit, and the last observed days all lie clearly higher."""

    def __init__(self, line: Line, name: str, policy: Policy) -> None:
        self._line, self._name, self._policy = line, name, policy
        self._weight = policy["relapse.ewma_lambda" if name == COMPOSITE else "relapse.item_lambda"]
        self._last = policy.whole("relapse.ewma_entries" if name == COMPOSITE else "relapse.item_entries")
        self._margin = _margin(name, policy)
        self._clear = self._margin.clear
        self._averages = line.averages(self._weight)

    def held(self, part: _Part) -> Sequence[int]:
        """Return the places of ``part`` where it holds."""
        highest = max(part.of(self._averages), default=-inf)
        # Nearly every day lies below the lowest limit there is, and of most series all of them.
        if not reaches(highest, part.baseline.means[self._name] + self._clear):
            return ()
        level = part.baseline.levels[self._name]
        limits = Limits(self._margin, level)
        lowest = limits.above(settled_variance(self._weight, level.phi))
        if not reaches(highest, lowest):
            return ()
        # One terrible day is no return: the last observed days all lie clearly higher.
        lows = self._line.lows(self._last)
        # A limit only falls as days come in: what reaches the first one reaches them all.
        first = limits.above(variance_of_average(self._weight, level.phi, part.start + 1))
        return [
            place
            for place, average in enumerate(part.of(self._averages), part.start)
            if reaches(average, lowest)
            and reaches(lows[place] - level.mean, self._clear)
            and (average >= first or reaches(average, self._limit(place, level)))
        ]

    def hit(self, place: int, baseline: Baseline) -> RuleHit:
        """Return what it saw at ``place``, where it holds."""
        return RuleHit(
            Rule.R1, self._name, self._averages[place], self._limit(place, baseline.levels[self._name])
        )

    def mark(self, place: int, level: Level) -> Mark:
        """Return where the series stood at ``place``."""
        days, newest = self._line.days, self._line.days[place]
        span, need = self._policy.whole("relapse.mean_days"), self._policy["relapse.mean_min_days"]
        week = self._line.values[bisect_right(days, newest - span) : place + 1]
        mean = sum(week) / len(week) if len(week) >= need else None
        return Mark(date.fromordinal(newest), self._averages[place], self._limit(place, level), mean)

    def _limit(self, place: int, level: Level) -> float:
        return Limits(self._margin, level).above(variance_of_average(self._weight, level.phi, place + 1))


class _Recent:
    """R2: the mean of the last observed days, none older than so many, reaches its limit."""

    def __init__(self, line: Line, name: str, policy: Policy) -> None:
        self._name, self._few = name, policy["relapse.sparse_days"]
        self._most = policy.whole("relapse.recent_entries")
        self._need = policy.whole("relapse.recent_min_entries")
        self._margins = _recent_margins(name, policy)
        self._clear = min(margin.clear for margin in self._margins)
        self._seen, self._means = line.recent(policy.whole("relapse.recent_days"), self._most)

    def held(self, part: _Part) -> Sequence[int]:
        """Return the places of ``part`` where it holds."""
        some = _reaching(self._means, part, part.baseline.means[self._name] + self._clear)
        if not some:
            return ()
        level = part.baseline.levels[self._name]
        limits = {seen: self._limit(seen, level) for seen in {self._seen[place] for place in some}}
        return [place for place in some if reaches(self._means[place], limits[self._seen[place]])]

    def hit(self, place: int, baseline: Baseline) -> RuleHit:
        """Return what it saw at ``place``, where it holds."""
        limit = self._limit(self._seen[place], baseline.levels[self._name])
        return RuleHit(Rule.R2, self._name, self._means[place], limit)

    def _limit(self, seen: int, level: Level) -> float:
        """Return the limit where so many days were ``seen`` of late; of too few there is none to reach."""
        if seen < self._need:
            return inf
        # Fewer looks are fewer chances of a false alarm: who logs seldom may be held to less.
        margin = self._margins[seen <= self._few]
        return Limits(margin, level).above(variance_of_mean(level.phi, min(seen, self._most)))


class _Gone:
    """R3: the mean of the last week is ill in anyone, or half of what was won is lost."""

    def __init__(self, line: Line, policy: Policy) -> None:
        self._line, self._policy = line, policy
        self._span, self._need = policy.whole("relapse.mean_days"), policy["relapse.mean_min_days"]
        self._highest = max(line.values)

    def held(self, part: _Part) -> Sequence[int]:
        """Return the places of ``part`` where it holds."""
        loss = _loss(part.baseline, self._policy)
        if not reaches(self._highest, loss):
            return ()
        seen, means = self._line.recent(self._span, self._span)
        return [place for place in _reaching(means, part, loss) if seen[place] >= self._need]

    def hit(self, place: int, baseline: Baseline) -> RuleHit:
        """Return what it saw at ``place``, where it holds."""
        _, means = self._line.recent(self._span, self._span)
        return RuleHit(Rule.R3, COMPOSITE, means[place], _loss(baseline, self._policy))


def _reaching(values: Sequence[float], part: _Part, lowest: float) -> Sequence[int]:
    """Return the places of a part at which a value is at least ``lowest``: of most parts none."""
    some = part.of(values)
    if not reaches(max(some, default=-inf), lowest):
        return ()
    return [place for place, value in enumerate(some, part.start) if reaches(value, lowest)]


def _margin(name: str, policy: Policy) -> Margin:
    """Return the margin of R1."""
    if name == COMPOSITE:
        return Margin(policy["relapse.ewma_rise"], policy["relapse.ewma_limit"])
    key = "relapse.unrest_limit" if name == UNREST else "relapse.item_limit"
    return Margin(0.0, policy[key], policy["relapse.item_rise_share"] * span_of(name))


def _recent_margins(name: str, policy: Policy) -> tuple[Margin, Margin]:
    """Return the margins of R2 for usual days and for sparse ones."""
    if name == UNREST:
        least = policy["relapse.item_rise_share"] * span_of(name)
        margin = Margin(0.0, policy["relapse.unrest_recent_limit"], least)
        return margin, margin
    return (
        Margin(policy["relapse.recent_rise"], policy["relapse.recent_limit"]),
        Margin(policy["relapse.sparse_rise"], policy["relapse.sparse_limit"]),
    )


def _loss(baseline: Baseline, policy: Policy) -> float:
    """Return the level from which the benefit counts as lost (R3): the lower of the two cut-offs."""
    mean = baseline.means[COMPOSITE]
    key = "relapse.absolute_mood" if baseline.arm is Arm.MOOD else "relapse.absolute_pain"
    gone = inf
    if baseline.pre_level is not None and baseline.pre_level > mean:
        gone = mean + policy["relapse.benefit_lost"] * (baseline.pre_level - mean)
    return max(min(policy[key], gone), mean + policy["relapse.absolute_rise"])
