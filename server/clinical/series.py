"""The series the watch follows, made from readings, and the level of a series.

A composite holds the items the patient used during the baseline, and only those: it must not move
because another question was answered. A day that misses some of them is filled with the deviation
of those it has, so a skipped low item does not look like a rise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import fsum, sqrt
from types import MappingProxyType

from server.clinical.policy import Policy
from server.clinical.readings import History, Reading
from server.clinical.vocabulary import ITEMS, Arm

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


@dataclass(frozen=True, slots=True)
class Level:
    """Where a series lies: mean and SD in points, lag-1 correlation, days it rests on."""

    mean: float
    sd: float
    phi: float
    n: int


def item_points(history: History, key: str) -> Points:
    """Return the days that have item ``key``, as higher-is-worse values."""
    found = ((r.day, r.symptom(key)) for r in history.readings)
    return tuple((day, value) for day, value in found if value is not None)


def blend(reading: Reading, means: Mapping[str, float], min_share: float) -> float | None:
    """Return the composite of one day in points, or None where too few of its items are present.

    ``means`` gives the items of the composite and their baseline means; with all items present the
    result is their plain mean.
    """
    gaps = [value - mean for key, mean in means.items() if (value := reading.symptom(key)) is not None]
    if not gaps or len(gaps) < min_share * len(means):
        return None
    return fsum(means.values()) / len(means) + fsum(gaps) / len(gaps)


def blend_points(history: History, means: Mapping[str, float], min_share: float) -> Points:
    """Return the composite of every day that has one."""
    found = ((r.day, blend(r, means, min_share)) for r in history.readings)
    return tuple((day, value) for day, value in found if value is not None)


def level_of(points: Points, prior_sd: float, policy: Policy) -> Level:
    """Return the level of at least one point, its spread and correlation drawn to the usual ones.

    Two weeks say little about a person's spread: the SD is a mean of the observed one and
    ``prior_sd`` (points), weighted by days; likewise the correlation. Source: docs/clinical.md, "Baseline".
    """
    values = [value for _, value in points]
    mean = fsum(values) / len(values)
    squares = fsum((v - mean) ** 2 for v in values)
    weight = policy["baseline.prior_days"]
    sd = sqrt((weight * prior_sd**2 + squares) / max(weight + len(values) - 1, 1))
    return Level(mean, max(sd, policy["baseline.sd_floor"]), _phi(points, mean, policy), len(values))


def _phi(points: Points, mean: float, policy: Policy) -> float:
    pairs = _neighbors(points)
    weight = policy["baseline.prior_phi_days"]
    total = fsum((v - mean) ** 2 for _, v in points) * len(pairs) / len(points)
    seen = fsum((a - mean) * (b - mean) for a, b in pairs) / total if total > 0 else 0.0
    days = len(pairs) if total > 0 else 0
    phi = (weight * policy["baseline.prior_phi"] + days * seen) / max(weight + days, 1)
    return min(max(phi, 0.0), policy["baseline.phi_max"])


def _neighbors(points: Points) -> Sequence[tuple[float, float]]:
    one = timedelta(days=1)
    later = pairwise(points)
    return [(a, b) for (day, a), (next_day, b) in later if next_day - day == one]


def span_of(name: str) -> float:
    """Return the width in points of the scale of a series (an item, or a composite of 0-10 items)."""
    item = ITEMS.get(name)
    return item.high - item.low if item else 10.0
