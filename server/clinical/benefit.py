"""The benefit of one session, from the points of its days: best week, what is left, how it is lost.

All levels are points of the composite, higher is worse; all days are settled ones (`baseline.settled`).
Source: docs/clinical.md, "Response curve".
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import fsum, sqrt
from operator import itemgetter
from statistics import NormalDist

from server.clinical.holding_time import HIGH, Held
from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.series import Level, Points, level_of

_WIDTH = NormalDist().inv_cdf(HIGH)
_DAY = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Retained:
    """What is left of the benefit in percent, with the ends of its 80 % interval.

    Below 0 where it is worse than before the course, above 100 where it is better than the best week.
    """

    percent: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Benefit:
    """The level before the course and that of the best week, whose middle is ``best_day``.

    ``prior_sd`` (points) is what the spread of a few days is drawn to.
    """

    before: Level
    best: Level
    best_day: date
    prior_sd: float

    @property
    def size(self) -> float:
        """Return how many points the best week lies below the days before."""
        return self.before.mean - self.best.mean


def best_week(points: Points, last: date, prior_sd: float, policy: Policy) -> tuple[date, Level] | None:
    """Return middle and level of the lowest week whose middle is no later than ``last``, or None."""
    weeks = (
        (level_of(points[part], prior_sd, policy), day) for day, part in _weeks(points, policy) if day <= last
    )
    best = min(weeks, key=lambda week: (week[0].mean, week[1]), default=None)
    return None if best is None else (best[1], best[0])


def held(points: Points, benefit: Benefit, session: date, policy: Policy) -> Held:
    """Return how long the benefit was there: until a week lies beyond half, and those after it too.

    A week stands for the day in its middle. ``points`` must hold the best week.
    """
    limit = benefit.best.mean + policy["relapse.benefit_lost"] * benefit.size
    weeks = [
        (day, reaches(fsum(value for _, value in points[part]) / (part.stop - part.start), limit))
        for day, part in _weeks(points, policy)
        if day >= benefit.best_day
    ]
    lasting = timedelta(days=policy.whole("relapse.mean_days"))
    seen = benefit.best_day
    for day, lost in weeks:
        if lost and all(later for other, later in weeks if day <= other < day + lasting):
            return Held((seen - session).days, (day - session).days)
        # A single bad week that passed is no loss, and the benefit was there on its days.
        seen = day
    return Held((seen - session).days)


def retained(points: Points, benefit: Benefit, day: date, policy: Policy) -> Retained | None:
    """Return what is left of ``benefit`` in the week that ends on ``day``; None with too few days.

    The interval follows from the errors of the three means (delta method).
    """
    first = day - timedelta(days=policy.whole("relapse.mean_days") - 1)
    recent = tuple(point for point in points if first <= point[0] <= day)
    if len(recent) < policy["relapse.mean_min_days"]:
        return None
    level = level_of(recent, benefit.prior_sd, policy)
    share = (benefit.before.mean - level.mean) / benefit.size
    variance = (
        _error(level) ** 2 + ((1 - share) * _error(benefit.before)) ** 2 + (share * _error(benefit.best)) ** 2
    )
    width = _WIDTH * sqrt(variance) / benefit.size
    return Retained(100 * share, 100 * (share - width), 100 * (share + width))


def fade_speed(points: Points, benefit: Benefit, last: date, policy: Policy) -> float | None:
    """Return the slope of the days up to ``last`` in points a week (least squares); positive is worse.

    None with too few days. The days before the best week are left out.
    """
    first = max(last - timedelta(days=policy.whole("durability.fade_days") - 1), benefit.best_day)
    part = [((day - first).days / 7, value) for day, value in points if first <= day <= last]
    if len(part) < policy["durability.fade_min_days"]:
        return None
    week, level = (fsum(pair[n] for pair in part) / len(part) for n in (0, 1))
    together = fsum((x - week) * (y - level) for x, y in part)
    return together / fsum((x - week) ** 2 for x, _ in part)


def _weeks(points: Points, policy: Policy) -> Iterator[tuple[date, slice]]:
    """Yield each day around which enough days are observed, and which points those are."""
    if not points:
        return
    reach = timedelta(days=policy.whole("relapse.mean_days") // 2)
    for n in range((points[-1][0] - points[0][0]).days + 1):
        day = points[0][0] + timedelta(days=n)
        part = slice(bisect_left(points, day - reach, key=_DAY), bisect_right(points, day + reach, key=_DAY))
        if part.stop - part.start >= policy["relapse.mean_min_days"]:
            yield day, part


def _error(level: Level) -> float:
    """Return the standard error of a mean of days that resemble each other."""
    return level.sd * sqrt((1 + level.phi) / (1 - level.phi) / level.n)
