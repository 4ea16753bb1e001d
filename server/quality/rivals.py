"""What the watch is measured against: the simple detectors a clinic could use instead.

Each is a function from a series and its level to the days on which it signals. They get the same
diary, the same stretch of days as a baseline and the same quiet time after an alarm as the watch,
and none of its corrections: that is what they are here to show.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor, fsum, sqrt
from statistics import fmean, stdev
from types import MappingProxyType

from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.series import COMPOSITE_ITEMS, Points, blend_points, item_points
from server.clinical.vocabulary import Arm
from server.quality.replay import Alarm, Diary, Replay

# Whole-number answers that never moved have no spread to divide by.
SMALLEST_SD = 0.5
SHEWHART_SD = 3.0
EWMA_WEIGHT, EWMA_LIMIT = 0.2, 2.7
CUSUM_SLACK, CUSUM_LIMIT = 0.5, 5.0
MEAN_DAYS, MEAN_MIN_DAYS, MEAN_RISE = 7, 4, 2.0
# A PHQ-9 as the reference simulation has it: 27 points over 0-10, filled at every second week's visit.
PHQ_PER_POINT, PHQ_EVERY_DAYS, PHQ_CUT, PHQ_RISE = 2.2, 14, 10, 5

Noise = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Usual:
    """The level of a series in the baseline: mean and SD in points."""

    mean: float
    sd: float


Detector = Callable[[Points, Usual], Iterator[date]]


def shewhart(points: Points, usual: Usual) -> Iterator[date]:
    """Yield the days at least 3 SD above the mean."""
    return (day for day, value in points if value >= usual.mean + SHEWHART_SD * usual.sd)


def naive_ewma(points: Points, usual: Usual) -> Iterator[date]:
    """Yield the days whose moving average (weight 0.2) passes 2.7 of its textbook SD."""
    limit = EWMA_LIMIT * usual.sd * sqrt(EWMA_WEIGHT / (2 - EWMA_WEIGHT))
    gap = 0.0
    for day, value in points:
        gap += EWMA_WEIGHT * (value - usual.mean - gap)
        if gap >= limit:
            yield day


def cusum(points: Points, usual: Usual) -> Iterator[date]:
    """Yield the days on which the sum of what exceeds 0.5 SD reaches 5 SD; it then starts again."""
    total = 0.0
    for day, value in points:
        total = max(0.0, total + (value - usual.mean) / usual.sd - CUSUM_SLACK)
        if total >= CUSUM_LIMIT:
            yield day
            total = 0.0


def seven_day_rule(points: Points, usual: Usual) -> Iterator[date]:
    """Yield the days whose 7-day mean, of at least 4 observed days, lies 2 points above the mean."""
    for number, (day, _) in enumerate(points):
        recent = [v for d, v in points[max(0, number + 1 - MEAN_DAYS) : number + 1] if _within(d, day)]
        if len(recent) >= MEAN_MIN_DAYS and fmean(recent) >= usual.mean + MEAN_RISE:
            yield day


def usual_care(points: Points, last_baseline_day: date, noise: Noise) -> Iterator[date]:
    """Yield the visits, every 14 days, with a PHQ-9 of at least 10 and 5 above that of the baseline.

    ``points`` (0-10) include the baseline. The score is 2.2 times their 14-day mean plus ``noise``
    (points of the scale), rounded, 0-27; a visit after two weeks without an entry has none.
    """
    first = None
    for visit, score in _visits(points, last_baseline_day, noise):
        first = score if first is None else first
        if score >= PHQ_CUT and score >= first + PHQ_RISE:
            yield visit


def _visits(points: Points, first: date, noise: Noise) -> Iterator[tuple[date, int]]:
    """Yield the day and the score of each visit from ``first`` on that has one."""
    visit = first
    while points and visit <= points[-1][0]:
        since = visit - timedelta(days=PHQ_EVERY_DAYS)
        recent = [value for day, value in points if since < day <= visit]
        if recent:
            yield visit, min(max(floor(PHQ_PER_POINT * fmean(recent) + noise() + 0.5), 0), 27)
        visit += timedelta(days=PHQ_EVERY_DAYS)


ON_ONE_ITEM: Mapping[str, Detector] = MappingProxyType(
    {
        "Shewhart 3 SD, one item": shewhart,
        "naive EWMA 0.2/2.7, one item": naive_ewma,
        "naive CUSUM 0.5/5, one item": cusum,
        "7-day mean + 2, one item": seven_day_rule,
    }
)
ON_COMPOSITE: Mapping[str, Detector] = MappingProxyType({"7-day mean + 2, composite": seven_day_rule})
USUAL_CARE = "usual care: PHQ-9-like every 14 days"
RIVALS = (USUAL_CARE, *ON_ONE_ITEM, *ON_COMPOSITE)


def rival_replays(diary: Diary, arm: Arm, policy: Policy, noise: Noise) -> Mapping[str, Replay]:
    """Return what each of `RIVALS` says of one arm; without a baseline none of them says anything."""
    window = baseline_window(diary, arm, policy)
    if window is None:
        return {name: Replay(arm, None, (), 0, 0) for name in RIVALS}
    item, composite = _item(diary, arm, window), composite_points(diary, arm, window)
    found = {USUAL_CARE: usual_care(composite, window[1], noise)}
    found |= {name: _signals(detect, item, window) for name, detect in ON_ONE_ITEM.items()}
    found |= {name: _signals(detect, composite, window) for name, detect in ON_COMPOSITE.items()}
    judged = (diary.last - window[1]).days
    return {name: Replay(arm, None, alarms(found[name], name, policy), judged, 0) for name in RIVALS}


def baseline_window(diary: Diary, arm: Arm, policy: Policy) -> tuple[date, date] | None:
    """Return first and last day of the first stretch after the first session that is full enough.

    It begins when the session has settled and ends as soon as it spans ``baseline.window_days`` and
    holds ``baseline.min_days`` days with an entry.
    """
    sessions = [treatment.day for treatment in diary.treatments]
    if not sessions:
        return None
    begin = min(sessions) + timedelta(days=policy.whole("baseline.settle_days"))
    after = diary.history.between(begin, diary.last).readings
    days = [r.day for r in after if any(key in r.items for key in COMPOSITE_ITEMS[arm])]
    need = policy.whole("baseline.min_days")
    if len(days) < need:
        return None
    shortest = begin + timedelta(days=policy.whole("baseline.window_days") - 1)
    return begin, max(shortest, days[need - 1])


def alarms(signals: Iterable[date], name: str, policy: Policy) -> tuple[Alarm, ...]:
    """Return the signals that are alarms: after each, ``alert.lockout_days`` days are quiet."""
    kept: list[Alarm] = []
    for day in signals:
        if not kept or (day - kept[-1].day).days > policy["alert.lockout_days"]:
            kept.append(Alarm(day, (name,), ""))
    return tuple(kept)


def usual_level(points: Points) -> Usual:
    """Return mean and SD of at least one point."""
    values = [value for _, value in points]
    sd = stdev(values) if len(values) > 1 else SMALLEST_SD
    return Usual(fmean(values), max(sd, SMALLEST_SD))


def _signals(detect: Detector, points: Points, window: tuple[date, date]) -> Iterator[date]:
    first, last = window
    before = tuple(point for point in points if first <= point[0] <= last)
    if not before:
        return iter(())
    return detect(tuple(point for point in points if point[0] > last), usual_level(before))


def _within(day: date, today: date) -> bool:
    return (today - day).days < MEAN_DAYS


def _item(diary: Diary, arm: Arm, window: tuple[date, date]) -> Points:
    """Return the item of the composite that the baseline holds most often, the first of equals."""
    inside = diary.history.between(*window)
    key = max(COMPOSITE_ITEMS[arm], key=lambda key: len(item_points(inside, key)))
    return item_points(diary.history, key)


def composite_points(diary: Diary, arm: Arm, window: tuple[date, date]) -> Points:
    means = _means(diary.history.between(*window), arm)
    return blend_points(diary.history, means, 0.5)


def _means(history: History, arm: Arm) -> Mapping[str, float]:
    series = {key: [value for _, value in item_points(history, key)] for key in COMPOSITE_ITEMS[arm]}
    return {key: fsum(values) / len(values) for key, values in series.items() if values}
