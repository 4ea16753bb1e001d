"""Rules on the totals of a validated scale: R4 confirms, R5 and R6 are signals of their own. Pure.

Each score is judged as of its own day against the person's own level after a session, so the answer
is the same in whatever order the scores arrived. Source: docs/clinical.md, "Scale rules".
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import fmean

from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.vocabulary import Arm
from server.clinical.yardstick import Yardstick


class ScaleRule(StrEnum):
    """What may hold on the day of a score."""

    R4 = "R4"
    R5 = "R5"
    R6 = "R6"


SIGNALS = frozenset({ScaleRule.R5, ScaleRule.R6})


@dataclass(frozen=True, slots=True)
class Score:
    """One filled scale: its day, its total turned so that higher is worse (points of the scale)."""

    day: date
    value: float


Scores = Sequence[Score]


@dataclass(frozen=True, slots=True)
class Level:
    """Two scores in a row that were well, their days and their mean: once chosen, nothing moves it.

    ``session`` is the number of the session they follow, None where another one lies between them.
    """

    value: float
    first: date
    last: date
    session: int | None


@dataclass(frozen=True, slots=True)
class ScoredDay:
    """What one score says. ``best`` and ``level`` are those known on its day, higher is worse."""

    yardstick: Yardstick
    day: date
    value: float
    best: float | None
    level: float | None
    average: float | None
    rules: tuple[ScaleRule, ...]


def scored_days(
    scores: Scores, sessions: Sequence[date], yardstick: Yardstick, policy: Policy, first: date = date.min
) -> Sequence[ScoredDay]:
    """Judge every score from ``first`` on; at most one score a day, scores and sessions in any order.

    Nobody without a session has a benefit to lose, and the days right after one count nowhere.
    """
    ordered = sorted(scores, key=lambda score: score.day)
    begun = sorted(set(sessions))
    measure = _Measure(yardstick, policy, _pre_treatment(ordered, begun, policy))
    counted = [score for score in ordered if _settled(score.day, begun, policy)]
    pairs = _well_pairs(counted, begun, measure)
    return [_judged(counted, score, pairs, measure) for score in counted if score.day >= first]


@dataclass(frozen=True, slots=True)
class _Measure:
    """What one person's scores on one scale are measured with; ``pre`` is the pre-treatment score."""

    yardstick: Yardstick
    policy: Policy
    pre: float | None

    def is_well(self, value: float) -> bool:
        """Return whether a score leaves something to lose."""
        if self.yardstick.cut is not None:
            return value < self.yardstick.cut
        return self.pre is None or not self.lost(value)

    def limit(self, level: float) -> float:
        """Return what is clearly worse than ``level``: by the scale's own change, and ill by its cut."""
        rise = self.yardstick.rise or 0.0
        if self.yardstick.cut is not None:
            return max(self.yardstick.cut, level + rise)
        gain = level if self.pre is None else self.pre - level
        return level + max(rise, self.policy["scale.gain_lost"] * gain)

    def lost(self, value: float) -> bool:
        """Return whether ``value`` is no response any more, against the score before treatment."""
        if self.pre is None or self.pre <= 0 or not self.yardstick.has_percent:
            return False
        share = self.policy[f"baseline.response_{self.yardstick.arm}"]
        return not reaches((1 - share) * self.pre, value)


def _judged(scores: Scores, score: Score, pairs: Sequence[Level], measure: _Measure) -> ScoredDay:
    first = score.day - timedelta(days=measure.policy.whole("scale.window_days"))
    known = [one for one in scores if first <= one.day < score.day]
    level = _level([pair for pair in pairs if first <= pair.first and pair.last < score.day])
    best = min((one.value for one in known), default=None)
    rules = [ScaleRule.R4] if best is not None and _confirms(known, score, best, measure) else []
    average = None
    if level is not None:
        later = [*(one for one in known if one.day > level.last), score]
        rules += signals(later, level.value, measure.yardstick, measure.policy, measure.pre)
        average = _averages(later, level.value, measure.policy)[-1]
    return ScoredDay(
        yardstick=measure.yardstick,
        day=score.day,
        value=score.value,
        best=best,
        level=None if level is None else level.value,
        average=average,
        rules=tuple(rules),
    )


def signals(
    scores: Scores, level: float, yardstick: Yardstick, policy: Policy, pre: float | None = None
) -> Sequence[ScaleRule]:
    """Return which of R5 and R6 hold on the last of ``scores``, oldest first, all after ``level`` was set."""
    measure = _Measure(yardstick, policy, pre)
    found = [ScaleRule.R5] if _twice(scores, measure.limit(level), policy) else []
    return [*found, ScaleRule.R6] if _drifted(scores, level, measure) else found


def _twice(scores: Scores, limit: float, policy: Policy) -> bool:
    """Return whether the last score and one a week or two before it reach ``limit``, and all between."""
    last = scores[-1].day
    for score in reversed(scores):
        apart = (last - score.day).days
        if not reaches(score.value, limit) or apart > policy["scale.apart_max_days"]:
            return False
        if apart >= policy["scale.apart_min_days"]:
            return True
    return False


def _drifted(scores: Scores, level: float, measure: _Measure) -> bool:
    """Return whether the moving average has risen by what matters, carried by more than one score."""
    rise, policy = measure.yardstick.rise, measure.policy
    if rise is None:
        return False
    row = _row(scores, policy)
    raised = sum(reaches(score.value, level + rise) for score in row)
    average = _averages(scores, level, policy)[-1]
    newest_too = reaches(scores[-1].value, level + rise)
    return newest_too and raised >= policy["scale.ewma_scores"] and reaches(average, measure.limit(level))


def _averages(scores: Scores, level: float, policy: Policy) -> Sequence[float]:
    """Return the moving average after each score of the newest row, from ``level`` on."""
    found: list[float] = []
    average = level
    for score in _row(scores, policy):
        average += policy["scale.ewma_weight"] * (score.value - average)
        found.append(average)
    return found


def _row(scores: Scores, policy: Policy) -> Scores:
    """Return the newest scores without a gap in them: one months later says nothing about a row."""
    begin = 0
    for number, (before, score) in enumerate(pairwise(scores)):
        if (score.day - before.day).days > policy["scale.gap_days"]:
            begin = number + 1
    return scores[begin:]


def _confirms(known: Scores, score: Score, best: float, measure: _Measure) -> bool:
    """Return whether one score speaks for a relapse of somebody who was well by the same scale."""
    if not measure.is_well(best):
        return False
    if reaches(score.value, measure.limit(best)):
        return True
    risen = reaches(score.value, best + (measure.yardstick.rise or 0.0))
    if not risen or not measure.lost(score.value):
        return False
    # Points of pain move from day to day less than moods do: there once is enough to confirm.
    if measure.yardstick.arm is Arm.PAIN:
        return True
    apart = (score.day - known[-1].day).days
    return apart <= measure.policy["scale.gap_days"] and measure.lost(known[-1].value)


def _well_pairs(scores: Scores, sessions: Sequence[date], measure: _Measure) -> Sequence[Level]:
    """Return every two scores in a row that were well, oldest first."""
    found = []
    for one, other in pairwise(scores):
        in_a_row = (other.day - one.day).days <= measure.policy["scale.gap_days"]
        if in_a_row and measure.is_well(one.value) and measure.is_well(other.value):
            after, then = bisect_right(sessions, one.day), bisect_right(sessions, other.day)
            mean = fmean((one.value, other.value))
            found.append(Level(mean, one.day, other.day, after if after == then else None))
    return found


def _level(pairs: Sequence[Level]) -> Level | None:
    """Return the first pair after the newest session that has one; the first of all where none has."""
    newest = max((pair.session for pair in pairs if pair.session is not None), default=None)
    return next((pair for pair in pairs if newest is None or pair.session == newest), None)


def _pre_treatment(scores: Scores, sessions: Sequence[date], policy: Policy) -> float | None:
    """Return the last score before the first session, where it is recent enough."""
    if not sessions:
        return None
    oldest = sessions[0] - timedelta(days=policy.whole("scale.pre_days"))
    return next((s.value for s in reversed(scores) if oldest <= s.day <= sessions[0]), None)


def _settled(day: date, sessions: Sequence[date], policy: Policy) -> bool:
    """Return whether ``day`` lies after the first session, and not right after any."""
    number = bisect_right(sessions, day)
    return number > 0 and (day - sessions[number - 1]).days >= policy["baseline.settle_days"]
