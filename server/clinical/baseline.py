"""The patient's own level after a session, from a window that is then left alone.

The window opens some days after the session, closes at the first moment it holds enough observed
days, and nothing outside it can change the result. Source: docs/clinical.md, "Baseline".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import fsum
from types import MappingProxyType

from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.series import (
    COMPOSITE,
    COMPOSITE_ITEMS,
    SINGLE_ITEMS,
    UNREST,
    UNREST_ITEMS,
    Level,
    Points,
    blend_points,
    item_points,
    level_of,
)
from server.clinical.vocabulary import Arm

# The policy's share of improvement that is a response.
RESPONSE_KEY = {Arm.MOOD: "baseline.response_mood", Arm.PAIN: "baseline.response_pain"}


@dataclass(frozen=True, slots=True)
class Treatment:
    """One delivered session of the patient's course, on a local day."""

    day: date


@dataclass(frozen=True, slots=True)
class Baseline:
    """A level per series, in a stated window after a stated session.

    ``levels`` has a `Level` for the composite, for unrest and for each single item that the window
    holds often enough. ``pre_level`` is the composite before the course (points), ``responded``
    None where that is not known.
    """

    arm: Arm
    anchor_day: date
    first_day: date
    last_day: date
    days_observed: int
    levels: Mapping[str, Level]
    pre_level: float | None
    responded: bool | None
    policy_version: int

    def means(self, series: str) -> Mapping[str, float]:
        """Return the items of a composite series and their baseline means."""
        parts = UNREST_ITEMS[self.arm] if series == UNREST else COMPOSITE_ITEMS[self.arm]
        return {key: self.levels[key].mean for key in parts if key in self.levels}


def fit(
    history: History, arm: Arm, treatments: Sequence[Treatment], policy: Policy, today: date
) -> Baseline | None:
    """Return the newest complete baseline as of ``today``, or None while there is none.

    ``treatments`` are the delivered sessions of the current course, in any order; later ones than
    ``today`` are ignored, as are later readings. Sessions come first from the newest to the oldest,
    each with the days up to the next one; where sessions follow so closely that no such window
    fills, the first window that fills across them is taken and kept.
    """
    seen = history.between(date.min, today)
    days = sorted({t.day for t in treatments if t.day <= today})
    for anchor, until in _spans(days, today):
        for window in _windows(seen.between(anchor, until), arm, days, policy):
            found = _baseline(seen, arm, (days[0], anchor), window, policy)
            if found:
                return _extended(found, seen.between(anchor, until), days, policy, until)
    return None


def settled(history: History, days: Sequence[date], policy: Policy) -> History:
    """Return ``history`` without the session days and the days right after, which say little."""
    settle = policy.whole("baseline.settle_days")
    unsettled = {day + timedelta(days=k) for day in days for k in range(settle)}
    return History(tuple(r for r in history.readings if r.day not in unsettled))


def _spans(days: Sequence[date], today: date) -> Sequence[tuple[date, date]]:
    ends = [*(day - timedelta(days=1) for day in days[1:]), today]
    apart = list(zip(days, ends, strict=False))
    return [*reversed(apart), *((day, today) for day in days)]


def _windows(history: History, arm: Arm, days: Sequence[date], policy: Policy) -> Iterator[History]:
    """Yield the readings of each window that is full, earliest first."""
    parts = COMPOSITE_ITEMS[arm]
    usable = [r for r in settled(history, days, policy).readings if any(p in r.items for p in parts)]
    need, longest = policy.whole("baseline.min_days"), policy.whole("baseline.max_days")
    for count in range(need, len(usable) + 1):
        last = usable[count - 1].day
        inside = [r for r in usable[:count] if (last - r.day).days < longest]
        # The whole span must have passed, or a keen logger would be judged on ten days.
        if len(inside) >= need and (last - inside[0].day).days + 1 >= policy["baseline.window_days"]:
            yield History(tuple(inside))


def _extended(
    found: Baseline, history: History, days: Sequence[date], policy: Policy, until: date
) -> Baseline:
    """Return ``found`` over its longest span, once that has passed and did not bring a rise.

    More days make a steadier baseline, but days on which symptoms return must not become part of
    what they are measured against.
    """
    last = found.first_day + timedelta(days=policy.whole("baseline.max_days") - 1)
    if last > until or last == found.last_day:
        return found
    window = settled(history.between(found.first_day, last), days, policy)
    levels = _levels(window, found.arm, policy)
    added = settled(history.between(found.last_day + timedelta(days=1), last), days, policy)
    rises = (_rise(added, name, found, policy) for name in (COMPOSITE, UNREST) if name in found.levels)
    if max(rises) >= policy["baseline.extend_rise"]:
        return found
    return replace(
        found,
        last_day=last,
        days_observed=levels[COMPOSITE].n,
        levels=levels,
        responded=shows_response(found.pre_level, levels[COMPOSITE].mean, policy[RESPONSE_KEY[found.arm]]),
    )


def _rise(added: History, name: str, found: Baseline, policy: Policy) -> float:
    """Return how far the mean of ``added`` lies above the level of a composite series, in points."""
    points = blend_points(added, found.means(name), policy["composite.min_share"])
    if not points:
        return 0.0
    return fsum(value for _, value in points) / len(points) - found.levels[name].mean


def _baseline(
    history: History, arm: Arm, course: tuple[date, date], window: History, policy: Policy
) -> Baseline | None:
    levels = _levels(window, arm, policy)
    if COMPOSITE not in levels:
        return None
    first, anchor = course
    parts = {key: levels[key].mean for key in COMPOSITE_ITEMS[arm] if key in levels}
    pre = _pre_level(history, parts, first, policy)
    return Baseline(
        arm=arm,
        anchor_day=anchor,
        first_day=window.readings[0].day,
        last_day=window.readings[-1].day,
        days_observed=levels[COMPOSITE].n,
        levels=levels,
        pre_level=pre,
        responded=shows_response(pre, levels[COMPOSITE].mean, policy[RESPONSE_KEY[arm]]),
        policy_version=policy.version,
    )


def _levels(window: History, arm: Arm, policy: Policy) -> Mapping[str, Level]:
    """Return the level of every series with enough days in ``window``; a composite of them last."""
    need, share = policy.whole("baseline.min_days"), policy["composite.min_share"]
    item_sd, blend_sd = policy["baseline.prior_sd_item"], policy["baseline.prior_sd_composite"]
    levels: dict[str, Level] = {}

    def keep(name: str, points: Points, prior_sd: float) -> None:
        if len(points) >= need:
            levels[name] = level_of(points, prior_sd, policy)

    for key in SINGLE_ITEMS[arm]:
        keep(key, item_points(window, key), item_sd)
    for name, items in ((COMPOSITE, COMPOSITE_ITEMS[arm]), (UNREST, UNREST_ITEMS[arm])):
        means = {key: levels[key].mean for key in items if key in levels}
        # One item of unrest is that item; called unrest it would be held to a looser limit.
        if len(means) > (name == UNREST):
            keep(name, blend_points(window, means, share), blend_sd if len(means) > 1 else item_sd)
    return MappingProxyType(levels)


def _pre_level(history: History, parts: Mapping[str, float], first: date, policy: Policy) -> float | None:
    """Return the mean composite of the days before the course, on the items of the baseline."""
    before = history.between(
        first - timedelta(days=policy.whole("baseline.pre_days")), first - timedelta(days=1)
    )
    points = blend_points(before, parts, policy["composite.min_share"])
    if len(points) < policy["baseline.pre_min_days"]:
        return None
    return fsum(value for _, value in points) / len(points)


def shows_response(pre: float | None, after: float, share: float) -> bool | None:
    """Say whether the composite improved by ``share``; None where a share has no meaning."""
    if pre is None or pre <= 0:
        return None
    return (pre - after) / pre >= share
