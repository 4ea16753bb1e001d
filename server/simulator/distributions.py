"""The shapes the parameter tables are written in."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

from server.simulator.draws import Draws

_STANDARD = NormalDist()


class Duration(Protocol):
    """A time in days that is drawn through its quantiles."""

    def quantile(self, share: float) -> float:
        """Return the days by which ``share`` (0 < share < 1) of patients got there."""
        ...

    def reached_by(self, days: float) -> float:
        """Return the share (0-1) that got there by ``days`` (> 0)."""
        ...


@dataclass(frozen=True, slots=True)
class Weibull:
    """Weibull time with shape ``k`` and ``scale`` in days."""

    k: float
    scale: float

    def quantile(self, share: float) -> float:
        """See ``Duration``."""
        return self.scale * float((-math.log1p(-share)) ** (1.0 / self.k))

    def reached_by(self, days: float) -> float:
        """See ``Duration``."""
        return -math.expm1(-((days / self.scale) ** self.k))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Lognormal with ``median`` and the SD ``sigma`` of its logarithm."""

    median: float
    sigma: float

    def quantile(self, share: float) -> float:
        """See ``Duration``."""
        return self.median * math.exp(self.sigma * _STANDARD.inv_cdf(share))

    def reached_by(self, days: float) -> float:
        """See ``Duration``."""
        return _STANDARD.cdf(math.log(days / self.median) / self.sigma)

    def draw(self, draws: Draws) -> float:
        """Return one value."""
        return self.median * math.exp(self.sigma * draws.normal())


@dataclass(frozen=True, slots=True)
class Exponential:
    """Constant ``rate`` per day; nobody lasts longer than ``cap`` days where one is given."""

    rate: float
    cap: float = math.inf

    def quantile(self, share: float) -> float:
        """See ``Duration``."""
        return min(self.cap, -math.log1p(-share) / self.rate)

    def reached_by(self, days: float) -> float:
        """See ``Duration``."""
        return 1.0 if days >= self.cap else -math.expm1(-self.rate * days)


@dataclass(frozen=True, slots=True)
class ClippedNormal:
    """A normal whose draws beyond ``low`` .. ``high`` are moved onto the bound."""

    mean: float
    sd: float
    low: float
    high: float

    def draw(self, draws: Draws) -> float:
        """Return one value of ``low`` .. ``high``."""
        return min(self.high, max(self.low, draws.normal(self.mean, self.sd)))
