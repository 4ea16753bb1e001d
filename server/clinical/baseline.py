"""The patient's own level after a session: what it is made of, and how a window of days becomes one.

Which window, and when it is in force: `server.clinical.era`. Source: docs/clinical.md, "Baseline".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import fsum
from types import MappingProxyType

from server.clinical.columns import Columns
from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.readings import History
from server.clinical.series import (
    COMPOSITE,
    COMPOSITE_ITEMS,
    SINGLE_ITEMS,
    UNREST,
    UNREST_ITEMS,
    Growing,
    Level,
    prior_of,
)
from server.clinical.vocabulary import Arm

# The policy's share of improvement that is a response.
RESPONSE_KEY = {Arm.MOOD: "baseline.response_mood", Arm.PAIN: "baseline.response_pain"}
# Who was not ill before treatment had nothing to respond with, and may have come in the midst of one.
ILL_KEY = {Arm.MOOD: "baseline.ill_mood", Arm.PAIN: "baseline.ill_pain"}

# The items of a composite series and their means when the first window was full: by these a day that
# misses some of them is filled, so that the series stays the same while the baseline grows.
Blends = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Treatment:
    """One delivered session of the patient's course, on a local day."""

    day: date


@dataclass(frozen=True, slots=True)
class Baseline:
    """A level per series, in a stated window after a stated session.

    ``levels`` has a `Level` for the composite, for unrest and for each single item that the window
    holds often enough, ``means`` its mean. ``pre_level`` is the composite before the course (points),
    ``responded`` None where that is not known, as of who was not ill before treatment.
    """

    arm: Arm
    anchor_day: date
    first_day: date
    last_day: date
    days_observed: int
    levels: Mapping[str, Level]
    means: Mapping[str, float]
    blends: Blends
    pre_level: float | None
    responded: bool | None
    policy_version: int


class Levels(Mapping[str, Level]):
    """The level of each series over its first days; spread and correlation are worked out when asked for."""

    def __init__(self, series: Mapping[str, Growing], counts: Mapping[str, int]) -> None:
        self._series, self._counts = series, counts
        self._known: dict[str, Level] = {}

    def __getitem__(self, name: str) -> Level:
        """Return the level of series ``name``; a KeyError where it has too few days."""
        if name not in self._known:
            self._known[name] = self._series[name].level(self._counts[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names, composites last."""
        return iter(self._counts)

    def __len__(self) -> int:
        """Return how many series have a level."""
        return len(self._counts)

    def __contains__(self, name: object) -> bool:
        """Return whether series ``name`` has one."""
        return name in self._counts

    def means(self) -> Mapping[str, float]:
        """Return where each series lies."""
        return {name: self._series[name].mean(count) for name, count in self._counts.items()}


def settled(history: History, days: Sequence[date], policy: Policy) -> History:
    """Return ``history`` without the session days and the days right after, which say little."""
    settle = policy.whole("baseline.settle_days")
    unsettled = {day + timedelta(days=k) for day in days for k in range(settle)}
    return History(tuple(r for r in history.readings if r.day not in unsettled))


def shows_response(pre: float | None, after: float, share: float) -> bool | None:
    """Say whether the composite improved by ``share``; None where a share has no meaning."""
    if pre is None or pre <= 0:
        return None
    return reaches((pre - after) / pre, share)


class Measure:
    """Takes the level of every series over the first days of a stretch that starts with a window.

    ``stretch`` holds settled days only; the first ``window`` of them are the window that was full
    first, and say which items the composites are made of.
    """

    def __init__(self, arm: Arm, stretch: Columns, window: int, policy: Policy) -> None:
        self._arm, self._policy = arm, policy
        self._days = stretch.days
        item = prior_of(policy["baseline.prior_sd_item"], policy)
        blend = prior_of(policy["baseline.prior_sd_composite"], policy)
        self._series = {key: Growing(stretch.item(key), item) for key in SINGLE_ITEMS[arm]}
        self.blends = _blends(arm, self._levels(self._days[window - 1]).means())
        share = policy["composite.min_share"]
        for name, means in self.blends.items():
            line = stretch.blend(means, share)
            self._series[name] = Growing(line, blend if len(means) > 1 else item)

    def on(self, last: date, course: tuple[date, date], pre: float | None) -> Baseline | None:
        """Return the baseline up to ``last``; ``course``: days of its first session and of the anchor.

        None where the composite has too few days.
        """
        levels = self._levels(last.toordinal())
        if COMPOSITE not in levels:
            return None
        means = levels.means()
        return Baseline(
            arm=self._arm,
            anchor_day=course[1],
            first_day=date.fromordinal(self._days[0]),
            last_day=last,
            days_observed=self._series[COMPOSITE].count(last.toordinal()),
            levels=levels,
            means=MappingProxyType(means),
            blends=self.blends,
            pre_level=pre,
            responded=self._responded(pre, means[COMPOSITE]),
            policy_version=self._policy.version,
        )

    def rise(self, name: str, first: date, last: date, mean: float) -> float:
        """Return by how many points series ``name`` lay above ``mean`` on ``first`` .. ``last``."""
        return self._series[name].mean_between(first.toordinal(), last.toordinal(), mean) - mean

    def _responded(self, pre: float | None, mean: float) -> bool | None:
        if pre is not None and pre < self._policy[ILL_KEY[self._arm]]:
            return None
        return shows_response(pre, mean, self._policy[RESPONSE_KEY[self._arm]])

    def _levels(self, last: int) -> Levels:
        """Return the level of every series with enough days up to ``last``; composites last."""
        need = self._policy.whole("baseline.min_days")
        series = self._series.items()
        counts = {name: count for name, one in series if (count := one.count(last)) >= need}
        return Levels(self._series, counts)


def _blends(arm: Arm, of: Mapping[str, float]) -> Blends:
    found: dict[str, Mapping[str, float]] = {}
    for name, items in ((COMPOSITE, COMPOSITE_ITEMS[arm]), (UNREST, UNREST_ITEMS[arm])):
        means = {key: of[key] for key in items if key in of}
        # One item of unrest is that item; called unrest it would be held to a looser limit.
        if len(means) > (name == UNREST):
            found[name] = MappingProxyType(means)
    return MappingProxyType(found)


def pre_level(seen: Columns, means: Mapping[str, float], first: date, policy: Policy) -> float | None:
    """Return the mean composite of the days before session ``first``, on the items of ``means``."""
    before = seen.between(
        first - timedelta(days=policy.whole("baseline.pre_days")), first - timedelta(days=1)
    )
    values = before.blend(means, policy["composite.min_share"]).values
    if len(values) < policy["baseline.pre_min_days"]:
        return None
    return fsum(values) / len(values)
