"""A series as two columns, and what rests on its points alone, whatever limits they are held to.

All of it is worked out once for each of the numbers it is made with: policies that share those share it.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from math import inf
from typing import NamedTuple


class Recent(NamedTuple):
    """For each point: how many there are within so many days up to it, and a mean of the last of those."""

    seen: Sequence[int]
    means: Sequence[float]


class Line:
    """The points of one series: ``days`` (ordinals, rising) and ``values`` (points, higher is worse)."""

    __slots__ = ("_averages", "_lows", "_recent", "days", "values")

    def __init__(self, days: Sequence[int], values: Sequence[float]) -> None:
        self.days, self.values = days, values
        self._averages: dict[float, Sequence[float]] = {}
        self._lows: dict[int, Sequence[float]] = {}
        self._recent: dict[tuple[int, int], Recent] = {}

    def averages(self, weight: float) -> Sequence[float]:
        """Return the moving average at each value: later ones weigh more, and the weights sum to 1."""
        if weight not in self._averages:
            self._averages[weight] = _averages(self.values, weight)
        return self._averages[weight]

    def lows(self, count: int) -> Sequence[float]:
        """Return the lowest of the last ``count`` values, up to each; -inf where there are fewer."""
        if count not in self._lows:
            filled = [*repeat(-inf, count - 1), *self.values]
            self._lows[count] = [*map(min, *(filled[start:] for start in range(count)), self.values)]
        return self._lows[count]

    def recent(self, span: int, most: int) -> Recent:
        """Return the mean of at most the ``most`` last points within ``span`` days, up to each point."""
        if (span, most) not in self._recent:
            self._recent[span, most] = _recent(self, span, most)
        return self._recent[span, most]


def _averages(values: Sequence[float], weight: float) -> Sequence[float]:
    summed, filled = 0.0, _filled(weight, len(values))
    return [
        (summed := summed + weight * (value - summed)) / full
        for value, full in zip(values, filled, strict=True)
    ]


def _recent(line: Line, span: int, most: int) -> Recent:
    sums, seen = [0.0, *accumulate(line.values)], _seen(line.days, span)
    taken = [count if count < most else most for count in seen]
    means = [(sums[stop] - sums[stop - count]) / count for stop, count in enumerate(taken, 1)]
    return Recent(seen, means)


def _seen(days: Sequence[int], span: int) -> Sequence[int]:
    """Return, for each day, how many there are of the ``span`` days up to it."""
    found, first = [], 0
    for stop, day in enumerate(days, 1):
        while day - days[first] >= span:
            first += 1
        found.append(stop - first)
    return found


@lru_cache(maxsize=1024)
def _filled(weight: float, count: int) -> Sequence[float]:
    """Return what the weights of the first values of a moving average sum to."""
    return [1 - (1 - weight) ** n for n in range(1, count + 1)]
