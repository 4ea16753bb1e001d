"""What many days come to, counted: the verdicts of `relapse.verdict_on`, without a look at the calm days."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from server.clinical.columns import Logged
from server.clinical.era import Era, eras_of
from server.clinical.line import Line
from server.clinical.policy import Policy
from server.clinical.series import COMPOSITE
from server.clinical.vocabulary import Arm
from server.clinical.walk import Walk, followed, lines_of

# The families of thresholds that baselines and series rest on; what is held against them rests on others.
GROUNDED = ("baseline", "composite")


@dataclass(frozen=True, slots=True)
class Ground:
    """What the verdicts on one arm rest on, whatever limits a policy sets: eras, and the series of each."""

    said: Logged
    eras: Sequence["_Followed"]


class _Followed(NamedTuple):
    """An era, its series, and the days (ordinals) that have a composite, those right after a session too."""

    era: Era
    lines: Mapping[str, Line]
    entries: Sequence[int]


@dataclass(frozen=True, slots=True)
class Tally:
    """Days of one era: how many have a baseline, those of them with too few entries, those with a signal."""

    judged: int
    insufficient: int
    signals: Sequence[date]
    walked: Walk


def ground(said: Logged, arm: Arm, policy: Policy, last: date) -> Ground:
    """Return what days up to ``last`` rest on. Policies that agree in the `GROUNDED` families share it."""
    own = policy.only(*GROUNDED)
    return Ground(said, [_followed(said, era, own) for era in eras_of(said, arm, own, last)])


def tallies(under: Ground, policy: Policy, first: date) -> Sequence[Tally]:
    """Count the days of each era from ``first`` on; each knows only what was known then.

    Only what lies ``relapse.window_days`` back and more may weigh on a day here and not in `relapse.watch`.
    """
    return [
        _tally(under.said, one, policy, max(first, one.era.since))
        for one in under.eras
        if one.era.until >= first
    ]


def _followed(said: Logged, era: Era, policy: Policy) -> _Followed:
    means, share = era.stages[0].blends[COMPOSITE], policy["composite.min_share"]
    lines = lines_of(said, era, policy, (date.min, era.until))
    return _Followed(era, lines, said.days.enough(means, share))


def _tally(said: Logged, of: _Followed, policy: Policy, begun: date) -> Tally:
    era = of.era
    walked = followed(of.lines, era, policy, said.given(era.since, era.until))
    signals = [day for day in walked.signals() if day >= begun and _lost(era, day)]
    known = {day.toordinal() for day in signals}
    thin = _thin(of.entries, policy, begun.toordinal(), era.until.toordinal())
    few = sum(day not in known and _lost(era, date.fromordinal(day)) for day in thin)
    return Tally((era.until - begun).days + 1, few, signals, walked)


def _lost(era: Era, day: date) -> bool:
    """Return whether there was a benefit that ``day`` may have lost, or nobody can tell."""
    return era.on(day).responded is not False


def _thin(entries: Sequence[int], policy: Policy, first: int, last: int) -> Iterator[int]:
    """Yield the days ``first`` .. ``last`` whose last days have too few entries.

    As many as are needed are enough from the day of the newest of them until the oldest is too old.
    """
    span, need = policy.whole("data.window_days"), policy.whole("data.min_days")
    start, stop = bisect_left(entries, first - span), bisect_right(entries, last)
    near = entries[start:stop]
    for oldest, newest in zip(near, near[need - 1 :], strict=False):
        if first < newest < oldest + span:
            yield from range(first, newest)
        if newest < oldest + span > first:
            first = oldest + span
    yield from range(first, last + 1)
