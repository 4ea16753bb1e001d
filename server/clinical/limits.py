"""How far an average must lie above a level to be more than chance: the limits of R1 and R2.

They allow for correlated days, a short baseline and missing days. Formulas: docs/clinical.md, "The watch".
"""

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

from server.clinical.series import Level


@dataclass(frozen=True, slots=True)
class Margin:
    """A limit lies ``rise`` points and ``errors`` standard errors above the level, ``least`` at any rate."""

    rise: float
    errors: float
    least: float = 0.0

    @property
    def clear(self) -> float:
        """How far above the level every limit lies, however small the error."""
        return max(self.rise, self.least)


class Limits:
    """The limits that a margin sets around one level."""

    __slots__ = ("_errors", "_least", "_level", "_of_baseline", "_rise")

    def __init__(self, margin: Margin, level: Level) -> None:
        self._level, self._of_baseline = level, _of_baseline(level)
        self._rise, self._errors, self._least = margin.rise, margin.errors, margin.least

    def above(self, variance: float) -> float:
        """Return the limit for an average whose error is ``variance`` of a day's."""
        error = self._level.sd * sqrt(variance + self._of_baseline)
        return self._level.mean + max(self._least, self._rise + self._errors * error)


@lru_cache(maxsize=4096)
def _squares(weight: float, count: int) -> float:
    """Return the sum of the squared weights of a moving average of ``count`` values."""
    kept = (1 - weight) ** count
    return weight / (2 - weight) * (1 - kept * kept) / (1 - kept) ** 2


def variance_of_average(weight: float, phi: float, count: int) -> float:
    """Return the variance of a moving average of ``count`` days, in that of one day."""
    damped = phi * (1 - weight)
    return _squares(weight, count) * (1 + damped) / (1 - damped)


def settled_variance(weight: float, phi: float) -> float:
    """Return what that of a moving average falls to as it takes in more days."""
    damped = phi * (1 - weight)
    return weight / (2 - weight) * (1 + damped) / (1 - damped)


def variance_of_mean(phi: float, count: int) -> float:
    """Return the variance of the mean of ``count`` days in a row, in that of one day."""
    near = 2 * phi * (1 - phi**count) / (count * (1 - phi) ** 2)
    return ((1 + phi) / (1 - phi) - near) / count


def _of_baseline(level: Level) -> float:
    """Return what the error of the baseline's own mean adds."""
    return (1 + level.phi) / (1 - level.phi) / level.n
