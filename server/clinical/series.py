"""The series the watch follows, made from readings, and the level of a series.

A composite holds the items the patient used during the baseline, and only those: it must not move
because another question was answered. A day that misses some of them is filled with the deviation
of those it has, so a skipped low item does not look like a rise.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import accumulate
from math import fsum, sqrt
from types import MappingProxyType
from typing import NamedTuple

from server.clinical.line import Line
from server.clinical.policy import Policy
from server.clinical.readings import History, Reading
from server.clinical.vocabulary import ITEMS, Arm, Direction

COMPOSITE, UNREST = "composite", "unrest"

COMPOSITE_ITEMS: Mapping[Arm, tuple[str, ...]] = MappingProxyType(
    {
        Arm.MOOD: ("mood", "interest", "anxiety", "restlessness", "sleep_quality"),
        Arm.PAIN: ("pain_average", "pain_interference"),
    }
)
UNREST_ITEMS: Mapping[Arm, tuple[str, ...]] = MappingProxyType(
    {Arm.MOOD: ("irritability", "restlessness", "agitation"), Arm.PAIN: ()}
)
SINGLE_ITEMS: Mapping[Arm, tuple[str, ...]] = MappingProxyType(
    {
        Arm.MOOD: (
            *("mood", "interest", "anxiety", "restlessness"),
            *("irritability", "agitation", "worry", "sleep_quality"),
        ),
        Arm.PAIN: ("pain_average", "pain_worst", "pain_interference"),
    }
)

Points = tuple[tuple[date, float], ...]
_NO_SPREAD = 1e-9


class Level(NamedTuple):
    """Where a series lies: mean and SD in points, lag-1 correlation, days it rests on."""

    mean: float
    sd: float
    phi: float
    n: int


def item_points(history: History, key: str) -> Points:
    """Return the days that have item ``key``, as higher-is-worse values."""
    item = ITEMS[key]
    if item.direction is Direction.HIGH_GOOD:
        return tuple([(r.day, item.high - r.items[key]) for r in history.readings if key in r.items])
    return tuple([(r.day, r.items[key]) for r in history.readings if key in r.items])


def blend(reading: Reading, means: Mapping[str, float], min_share: float) -> float | None:
    """Return the composite of one day in points, or None where too few of its items are present.

    ``means`` gives the items of the composite and their baseline means; with all items present the
    result is their plain mean.
    """
    return next((value for _, value in blend_points(History((reading,)), means, min_share)), None)


def blend_points(history: History, means: Mapping[str, float], min_share: float) -> Points:
    """Return the composite (`blend`) of every day that has one."""
    columns = [[r.items.get(key) for r in history.readings] for key in means]
    values = blended(columns, means, min_share)
    return tuple([(r.day, v) for r, v in zip(history.readings, values, strict=False) if v is not None])


def blended(
    columns: Sequence[Sequence[float | None]], means: Mapping[str, float], min_share: float
) -> Sequence[float | None]:
    """Return the composite (`blend`) of every day, or None; ``columns``: what the items of ``means`` were."""
    if not means:
        return ()
    level, need = fsum(means.values()) / len(means), min_share * len(means)
    days = zip(*map(_gaps, columns, means.items()), strict=True)
    if any(None in column for column in columns):
        return [_blended(level, gaps, need) for gaps in days]
    return [level + sum(gaps) / len(gaps) for gaps in days]


def _gaps(column: Sequence[float | None], of: tuple[str, float]) -> Sequence[float | None]:
    """Return how far symptoms lay above the mean of an item, day by day."""
    key, mean = of
    item = ITEMS[key]
    if item.direction is Direction.HIGH_GOOD:
        # A high answer lies that much below its mean, not above it.
        middle = item.high - mean
        return [None if value is None else middle - value for value in column]
    return [None if value is None else value - mean for value in column]


def _blended(level: float, gaps: Sequence[float | None], need: float) -> float | None:
    """Return the composite of a day that misses some of its items, or None where it misses too many."""
    there = [gap for gap in gaps if gap is not None]
    return level + sum(there) / len(there) if there and len(there) >= need else None


def symptoms(key: str, column: Sequence[float | None]) -> Sequence[float | None]:
    """Return the column of an item as "higher is worse"."""
    item = ITEMS[key]
    if item.direction is not Direction.HIGH_GOOD:
        return column
    return [None if value is None else item.high - value for value in column]


class Prior(NamedTuple):
    """The usual spread and correlation of days that a level is drawn to; weights are in days."""

    days: float
    squares: float
    sd_floor: float
    phi_days: float
    phi: float
    phi_max: float


def prior_of(sd: float, policy: Policy) -> Prior:
    """Return the policy's own, ``sd`` (points) being the usual spread."""
    days, phi_days = policy["baseline.prior_days"], policy["baseline.prior_phi_days"]
    phi, phi_max = phi_days * policy["baseline.prior_phi"], policy["baseline.phi_max"]
    return Prior(days, days * sd**2, policy["baseline.sd_floor"], phi_days, phi, phi_max)


def level_of(points: Points, prior_sd: float, policy: Policy) -> Level:
    """Return the level of at least one point, its spread and correlation drawn to the usual ones.

    Two weeks say little about a person's spread: the SD is a mean of the observed one and
    ``prior_sd`` (points), weighted by days; likewise the correlation. Source: docs/clinical.md, "Baseline".
    """
    line = Line([day.toordinal() for day, _ in points], [value for _, value in points])
    return Growing(line, prior_of(prior_sd, policy)).level(len(points))


class _Sums(NamedTuple):
    """Of the first points: the sum of squares; of pairs of days in a row how many there are, the sum of both
    ends and that of products."""

    squared: float = 0.0
    pairs: int = 0
    ends: float = 0.0
    products: float = 0.0


class Growing:
    """The level of the first so many points of a series; a longer one goes on where a shorter one ended."""

    __slots__ = ("_line", "_newest", "_prior", "_totals")

    def __init__(self, line: Line, prior: Prior) -> None:
        self._line, self._prior = line, prior
        self._totals = [0.0, *accumulate(line.values)]
        self._newest = 0, _Sums()

    def count(self, last: int) -> int:
        """Return how many points lie on day ``last`` (an ordinal) or before it."""
        return bisect_right(self._line.days, last)

    def mean(self, count: int) -> float:
        """Return that of the level of the first ``count`` (>= 1) points."""
        return self._totals[count] / count

    def mean_between(self, first: int, last: int, default: float) -> float:
        """Return the mean of the points on ``first`` .. ``last`` (ordinals), or ``default`` without any."""
        start, stop = bisect_left(self._line.days, first), bisect_right(self._line.days, last)
        if start == stop:
            return default
        return (self._totals[stop] - self._totals[start]) / (stop - start)

    def level(self, count: int) -> Level:
        """Return the level of the first ``count`` (>= 1) points."""
        squared, pairs, ends, products = self._upto(count)
        mean, prior = self.mean(count), self._prior
        squares = max(squared - self._totals[count] * mean, 0.0)
        sd = sqrt((prior.squares + squares) / max(prior.days + count - 1, 1))
        together = products - mean * ends + pairs * mean * mean
        phi = _phi(together, squares / count, pairs, prior)
        return Level(mean, max(sd, prior.sd_floor), phi, count)

    def _upto(self, count: int) -> _Sums:
        start, sums = self._newest if self._newest[0] <= count else (0, _Sums())
        self._newest = count, _more(sums, self._line, start, count)
        return self._newest[1]


def _more(sums: _Sums, line: Line, start: int, stop: int) -> _Sums:
    """Return the sums of the first ``start`` points with those up to ``stop`` - 1 added."""
    squared, pairs, ends, products = sums
    next_day, last = (line.days[start - 1] + 1, line.values[start - 1]) if start else (0, 0.0)
    for day, value in zip(line.days[start:stop], line.values[start:stop], strict=True):
        squared += value * value
        if day == next_day:
            pairs += 1
            ends += last + value
            products += last * value
        next_day, last = day + 1, value
    return _Sums(squared, pairs, ends, products)


def _phi(together: float, variance: float, pairs: int, prior: Prior) -> float:
    # What rounding leaves of days that are all alike is no spread.
    moves = variance > _NO_SPREAD
    seen, days = (together / variance, pairs) if moves else (0.0, 0)
    phi = (prior.phi + seen) / max(prior.phi_days + days, 1)
    return min(max(phi, 0.0), prior.phi_max)


def span_of(name: str) -> float:
    """Return the width in points of the scale of a series (an item, or a composite of 0-10 items)."""
    item = ITEMS.get(name)
    return item.high - item.low if item else 10.0
