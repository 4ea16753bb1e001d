"""The series the watch follows, made from readings, and the level of a series.

A composite holds the items the patient used during the baseline, and only those: it must not move
because another question was answered. A day that misses some of them is filled with the deviation
of those it has, so a skipped low item does not look like a rise.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from math import fsum, sqrt
from types import MappingProxyType
from typing import NamedTuple

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
    if not means:
        return ()
    need, level = min_share * len(means), fsum(means.values()) / len(means)
    # A high answer to an item whose high end is good lies that much below its mean, not above it.
    parts = [(key, *_turned(key, mean)) for key, mean in means.items()]
    found = []
    for reading in history.readings:
        items = reading.items
        gaps = [sign * (items[key] - middle) for key, sign, middle in parts if key in items]
        if gaps and len(gaps) >= need:
            found.append((reading.day, level + sum(gaps) / len(gaps)))
    return tuple(found)


def _turned(key: str, mean: float) -> tuple[float, float]:
    """Return sign and middle: ``sign * (value - middle)`` is how far symptoms lie above ``mean``."""
    item = ITEMS[key]
    return (-1.0, item.high - mean) if item.direction is Direction.HIGH_GOOD else (1.0, mean)


def level_of(points: Points, prior_sd: float, policy: Policy) -> Level:
    """Return the level of at least one point, its spread and correlation drawn to the usual ones.

    Two weeks say little about a person's spread: the SD is a mean of the observed one and
    ``prior_sd`` (points), weighted by days; likewise the correlation. Source: docs/clinical.md, "Baseline".
    """
    return Growing(points, prior_sd, policy).level(len(points))


class Growing:
    """The level of the first so many points of a series, each in the same short time."""

    __slots__ = ("_days", "_policy", "_prior_sd", "_sums")

    def __init__(self, points: Points, prior_sd: float, policy: Policy) -> None:
        self._prior_sd, self._policy = prior_sd, policy
        self._days = [day for day, _ in points]
        self._sums = _sums(points)

    def count(self, last: date) -> int:
        """Return how many points lie on ``last`` or before it."""
        return bisect_right(self._days, last)

    def mean(self, first: date, last: date, default: float) -> float:
        """Return the mean of the points on ``first`` .. ``last``, or ``default`` where there is none."""
        start, stop = bisect_left(self._days, first), bisect_right(self._days, last)
        if start == stop:
            return default
        return (self._sums[stop][0] - self._sums[start][0]) / (stop - start)

    def level(self, count: int) -> Level:
        """Return the level of the first ``count`` (>= 1) points."""
        total, squared, pairs, ends, products = self._sums[count]
        mean, policy = total / count, self._policy
        squares = max(squared - total * mean, 0.0)
        weight = policy["baseline.prior_days"]
        sd = sqrt((weight * self._prior_sd**2 + squares) / max(weight + count - 1, 1))
        together = products - mean * ends + pairs * mean * mean
        phi = _phi(together, squares / count, pairs, policy)
        return Level(mean, max(sd, policy["baseline.sd_floor"]), phi, count)


def _sums(points: Points) -> Sequence[tuple[float, float, int, float, float]]:
    """Return, for each number of first points: the sum, that of squares, and of the pairs of days in a
    row their number, the sum of both ends and that of products."""
    total, squared, pairs, ends, products = 0.0, 0.0, 0, 0.0, 0.0
    found = [(total, squared, pairs, ends, products)]
    before, last = -1, 0.0
    for day, value in points:
        total += value
        squared += value * value
        ordinal = day.toordinal()
        if ordinal - before == 1:
            pairs += 1
            ends += last + value
            products += last * value
        before, last = ordinal, value
        found.append((total, squared, pairs, ends, products))
    return found


def _phi(together: float, variance: float, pairs: int, policy: Policy) -> float:
    weight = policy["baseline.prior_phi_days"]
    # What rounding leaves of days that are all alike is no spread.
    moves = variance > _NO_SPREAD
    seen, days = (together / variance, pairs) if moves else (0.0, 0)
    phi = (weight * policy["baseline.prior_phi"] + seen) / max(weight + days, 1)
    return min(max(phi, 0.0), policy["baseline.phi_max"])


def span_of(name: str) -> float:
    """Return the width in points of the scale of a series (an item, or a composite of 0-10 items)."""
    item = ITEMS.get(name)
    return item.high - item.low if item else 10.0
