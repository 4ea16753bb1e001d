"""The level, spread and correlation of a simulated person's days, from what they were drawn from.

Stored answers are whole numbers within 0-10: where somebody feels best or worst, the bounds move the
mean and narrow the spread, so both are worked out from the chance of each answer.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from statistics import NormalDist, fmean, pvariance
from types import MappingProxyType

from server.clinical.series import COMPOSITE, COMPOSITE_ITEMS, UNREST, UNREST_ITEMS, Level
from server.clinical.vocabulary import Arm
from server.simulator.cohorts import DiaryProcess
from server.simulator.course import Person

# So many days that the error of the level itself is nothing.
ALL_DAYS = 10**9
_HIGHEST = 10
# The variance that rounding to whole numbers adds.
_ROUNDING = 1 / 12


def true_levels(person: Person, process: DiaryProcess, items: Sequence[str]) -> Mapping[str, Level]:
    """Return the true level of every series that ``items``, all of one arm, make without a relapse.

    Points of 0-10, higher is worse. All items of a reference person have the same.
    """
    answers = [_answer(person.level + offset, person.sd) for offset in person.weekday]
    mean = fmean(one for one, _ in answers)
    weekday = pvariance([one for one, _ in answers], mean)
    within = fmean(spread for _, spread in answers)
    levels = {}
    for name, parts in _parts(items).items():
        shared = process.item_correlation + (1 - process.item_correlation) / len(parts)
        own = max(within - _ROUNDING, 0.0) * shared + _ROUNDING / len(parts)
        levels[name] = Level(mean, sqrt(weekday + own), person.phi, ALL_DAYS)
    return MappingProxyType(levels)


def _parts(items: Sequence[str]) -> Mapping[str, Sequence[str]]:
    parts: dict[str, Sequence[str]] = {key: [key] for key in items}
    parts[COMPOSITE] = [key for named in COMPOSITE_ITEMS.values() for key in named if key in items]
    unrest = [key for key in UNREST_ITEMS[Arm.MOOD] if key in items]
    return parts | ({UNREST: unrest} if len(unrest) > 1 else {})


def _answer(level: float, sd: float) -> tuple[float, float]:
    """Return mean and variance of the whole-number answer to a normal feeling."""
    felt = NormalDist(level, sd)
    below = [0.0, *(felt.cdf(answer + 0.5) for answer in range(_HIGHEST)), 1.0]
    chances = [high - low for low, high in pairwise(below)]
    mean = sum(answer * chance for answer, chance in enumerate(chances))
    return mean, sum((answer - mean) ** 2 * chance for answer, chance in enumerate(chances))
