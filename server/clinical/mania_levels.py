"""Energy, sleep and mood of one patient against their own level: what the activation watch measures by.

The own level is that of the watch's frozen baseline window. Where there is none (during an induction, or
before any session) it is that of the days before those that are looked at. Source: docs/clinical.md,
"Activation".
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from math import fsum, sqrt

from server.clinical.baseline import Treatment
from server.clinical.era import eras
from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.readings import History, Reading
from server.clinical.series import Points
from server.clinical.vocabulary import Arm

_PointsOf = Callable[[date, date], Sequence[tuple[date, float]]]
CHARTED = ("energy", "sleep_hours", "mood")
_WEEK = 7


@dataclass(frozen=True, slots=True)
class ActivationFacts:
    """What activation is judged from; days after the judged one are ignored.

    ``asrm``: highest total by local day; on those of ``asrm_open`` it was left too open for one, and this is
    what the total is at the least. ``digibp``: mean of raised energy, rapid speech and irritability
    (0-3) by day, in order. ``late_signs``: terms of `redflags.ACTIVATION_TERMS` by the day on which they
    were reported too late to be a session's own effect. ``at_risk``: flagged at enrolment.
    """

    history: History
    treatments: Sequence[Treatment] = ()
    asrm: Mapping[date, float] = field(default_factory=dict)
    asrm_open: Set[date] = frozenset()
    digibp: Points = ()
    late_signs: Mapping[date, Sequence[str]] = field(default_factory=dict)
    at_risk: bool = False
    _unsettled: dict[int, Set[date]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def unsettled(self, policy: Policy) -> Set[date]:
        """Return the session days and those right after one, as many as ``policy`` says."""
        settle = policy.whole("mania.settle_days")
        if settle not in self._unsettled:
            days = {t.day + timedelta(days=after) for t in self.treatments for after in range(settle)}
            self._unsettled[settle] = days
        return self._unsettled[settle]


@dataclass(frozen=True, slots=True)
class OwnLevel:
    """Mean and SD (points or hours) of ``days`` observed days between ``first`` and ``last``."""

    mean: float
    sd: float
    days: int
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Charted:
    """One item on its two-sided chart: the own level, the last days, and on which side they lie.

    ``side``: "above" or "below" where the mean of the last days lies beyond the limits, "usual" between
    them, "unknown" without days or without an own level. ``week_mean`` is None without a day.
    """

    own: OwnLevel | None
    last_days: Mapping[date, float]
    week_mean: float | None
    week_days: int
    side: str


@dataclass(frozen=True)
class OwnLevels:
    """The own levels as of ``today``. The window is looked for when a level is first asked for."""

    facts: ActivationFacts
    policy: Policy
    today: date

    def of(self, key: str) -> OwnLevel | None:
        """Return the level of a diary item; None where too few days have it."""
        return self._level(lambda first, last: _points(self._seen.between(first, last).readings, key))

    def of_digibp(self) -> OwnLevel | None:
        """Return the level of the digiBP mean, its SD drawn to the usual one; None with too few days."""
        unsettled = self.facts.unsettled(self.policy)
        calm = [point for point in self.facts.digibp if point[0] not in unsettled]
        found = self._level(lambda first, last: [point for point in calm if first <= point[0] <= last])
        if found is None:
            return None
        weight, prior = self.policy["baseline.prior_days"], self.policy["mania.digibp_prior_sd"]
        squares = found.sd**2 * (found.days - 1)
        sd = sqrt((weight * prior**2 + squares) / (weight + found.days - 1))
        floor = self.policy["mania.digibp_sd_floor"]
        return OwnLevel(found.mean, max(sd, floor), found.days, found.first, found.last)

    def _level(self, points_of: _PointsOf) -> OwnLevel | None:
        """Return the level over the first window that holds enough days."""
        for first, last in self._windows:
            points = points_of(first, last)
            if len(points) >= self.policy["mania.own_min_days"]:
                return _level(points)
        return None

    @cached_property
    def _windows(self) -> Sequence[tuple[date, date]]:
        # The days that are judged must not be part of what they are judged by.
        until = self.today - timedelta(days=watched_days(self.policy))
        before = (until - timedelta(days=self.policy.whole("mania.own_days") - 1), until)
        found = eras(self.facts.history, Arm.MOOD, self.facts.treatments, self.policy, self.today)
        if not found:
            return (before,)
        # Its first window only: a baseline grows while symptoms stay low, and high spirits are low symptoms.
        first = found[-1].stages[0]
        return (first.first_day, min(first.last_day, until)), before

    @cached_property
    def _seen(self) -> History:
        return calm_days(self.facts.history, self.facts, self.policy)


def watched_days(policy: Policy) -> int:
    """Return how many days back, the judged one included, any rule looks."""
    return max(policy.whole(f"mania.{span}") for span in ("nights", "digibp_days", "mood_days"))


def calm_days(history: History, facts: ActivationFacts, policy: Policy) -> History:
    """Return ``history`` without session days and those right after, when high spirits say nothing."""
    unsettled = facts.unsettled(policy)
    return History(tuple([r for r in history.readings if r.day not in unsettled]))


def is_unsettled(facts: ActivationFacts, policy: Policy, day: date) -> bool:
    """Return whether ``day`` is a session's own: the session day or one right after it."""
    return day in facts.unsettled(policy)


def chart(facts: ActivationFacts, policy: Policy, today: date) -> Mapping[str, Charted]:
    """Return the two-sided chart of energy, sleep and mood as of ``today``."""
    own = OwnLevels(facts, policy, today)
    return {key: _charted(facts, key, own.of(key), policy, today) for key in CHARTED}


def last_values(history: History, key: str, days: int, today: date) -> Mapping[date, float]:
    """Return item ``key`` of the last ``days`` days, ``today`` included, oldest first."""
    recent = history.between(today - timedelta(days=days - 1), today)
    return dict(_points(recent.readings, key))


def _charted(facts: ActivationFacts, key: str, own: OwnLevel | None, policy: Policy, today: date) -> Charted:
    last = last_values(facts.history, key, policy.whole("mania.nights"), today)
    week = last_values(facts.history, key, _WEEK, today)
    return Charted(
        own=own,
        last_days=last,
        week_mean=fsum(week.values()) / len(week) if week else None,
        week_days=len(week),
        side=_side(last, own, policy),
    )


def _side(last: Mapping[date, float], own: OwnLevel | None, policy: Policy) -> str:
    if own is None or not last:
        return "unknown"
    off = fsum(last.values()) / len(last) - own.mean
    limit = policy["mania.chart_limit"] * max(own.sd, policy["baseline.sd_floor"])
    if not reaches(abs(off), limit):
        return "usual"
    return "above" if off > 0 else "below"


def _points(readings: Sequence[Reading], key: str) -> Sequence[tuple[date, float]]:
    return [(r.day, r.items[key]) for r in readings if key in r.items]


def _level(points: Sequence[tuple[date, float]]) -> OwnLevel:
    values = [value for _, value in points]
    mean = fsum(values) / len(values)
    squares = fsum((value - mean) ** 2 for value in values)
    return OwnLevel(mean, sqrt(squares / (len(values) - 1)), len(values), points[0][0], points[-1][0])
