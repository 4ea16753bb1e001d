"""Which baseline is in force when: one after each session, which grows for a while as long as it is calm.

The first window opens some days after a session and closes as soon as it is long and full enough.
More days make a steadier baseline, but days on which symptoms return must not become part of what
they are measured against: so it takes in one more stretch after another until one of them lies
higher than the first window (held against what has grown, a slow rise would carry its own yardstick
along), and is frozen from then on. Nothing that comes later changes it. Source: docs/clinical.md, "Baseline".
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from server.clinical.baseline import Baseline, Measure, Treatment, pre_level
from server.clinical.columns import Columns, Logged, answered, logged
from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.readings import History
from server.clinical.series import COMPOSITE, COMPOSITE_ITEMS, UNREST
from server.clinical.vocabulary import Arm

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Era:
    """The time of one anchor: its baseline as it grew, and the last day it is in force.

    A stage judges the days after its own ``last_day`` up to the ``last_day`` of the next one.
    """

    stages: tuple[Baseline, ...]
    until: date

    @property
    def since(self) -> date:
        """The day on which the first window was full."""
        return self.stages[0].last_day

    def on(self, day: date) -> Baseline:
        """Return the baseline ``day`` (not before ``since``) is measured against."""
        return next(s for s in reversed(self.stages) if s.last_day < day or s is self.stages[0])


def eras(
    history: History, arm: Arm, treatments: Sequence[Treatment], policy: Policy, today: date
) -> tuple[Era, ...]:
    """Return what was in force up to ``today``, oldest first; none while no window is full.

    ``treatments`` are the delivered sessions of the current course, in any order; later ones than
    ``today`` are ignored, as are later readings. Each session has the days up to the next one; where
    sessions follow so closely that no such window fills, the first window that fills across them is
    taken, until a session's own is full. Sessions of before the first reading, but for the last of them, say
    nothing: who came to us in the midst of a treatment is measured from there on.
    """
    return eras_of(logged(history, (t.day for t in treatments), policy), arm, policy, today)


def eras_of(said: Logged, arm: Arm, policy: Policy, today: date) -> tuple[Era, ...]:
    """Return the same of what is in columns already."""
    if not said.days.days:
        return ()
    begun = date.fromordinal(said.days.days[0])
    days = answered([day for day in said.sessions if day <= today], begun)
    if not days:
        return ()
    usable = said.settled.between(days[0], today).saying(COMPOSITE_ITEMS[arm])
    maker = _Maker(said.days, usable, arm, days[0], policy)
    found = [stages for span in _spans(days, today) if (stages := maker.stages(*span))]
    # Across close sessions only what was full before any session's own window was; the first session's own is
    # the first of all.
    own = found and found[0][0].anchor_day == days[0]
    across = () if own else maker.stages(days[0], today)
    if across and (not found or across[0].last_day < found[0][0].last_day):
        found.insert(0, across)
    return _until(found, today)


def _until(found: Sequence[tuple[Baseline, ...]], today: date) -> tuple[Era, ...]:
    """Return an era of each anchor's stages: in force until the next one's first window is full."""
    ends = (*(stages[0].last_day - _ONE for stages in found[1:]), today)
    return tuple(Era(stages, end) for stages, end in zip(found, ends, strict=False))


def eras_by_day(
    said: Logged, arm: Arm, policy: Policy, days: Sequence[date]
) -> Iterator[tuple[date, tuple[Era, ...]]]:
    """Yield each of ``days`` (oldest first) with what `eras` says of it.

    Nothing that comes later changes a baseline, so days with the same sessions behind them share one.
    """
    for _, alike in groupby(days, lambda day: bisect_right(said.sessions, day)):
        shared = list(alike)
        found = eras_of(said, arm, policy, shared[-1])
        for day in shared:
            yield day, _as_of(found, day)


def _as_of(found: Sequence[Era], day: date) -> tuple[Era, ...]:
    """Return what of ``found`` was there on ``day``, the last of them in force."""
    return _until(
        [grown for era in found if (grown := tuple(s for s in era.stages if s.last_day <= day))], day
    )


def fit(
    history: History, arm: Arm, treatments: Sequence[Treatment], policy: Policy, today: date
) -> Baseline | None:
    """Return the baseline in force at the end of ``today``, or None while there is none. See `eras`."""
    found = eras(history, arm, treatments, policy, today)
    return found[-1].stages[-1] if found else None


def _spans(days: Sequence[date], today: date) -> Iterator[tuple[date, date]]:
    return zip(days, [*(day - _ONE for day in days[1:]), today], strict=True)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the stages of one anchor. ``usable``: settled days with an item of the composite."""

    seen: Columns
    usable: Columns
    arm: Arm
    first_session: date
    policy: Policy

    def stages(self, anchor: date, until: date) -> tuple[Baseline, ...]:
        """Return the baseline after session ``anchor`` as it grew up to ``until``; empty if none is full."""
        span = self.usable.between(anchor, until)
        for start, stop in _windows(span.days, anchor, self.policy):
            first = date.fromordinal(span.days[start])
            longest = first + timedelta(days=self.policy.whole("baseline.grow_days") - 1)
            made = self._grown(span.between(first, longest), stop - start, (anchor, min(longest, until)))
            if made:
                return made
        return ()

    def _grown(self, stretch: Columns, window: int, span: tuple[date, date]) -> tuple[Baseline, ...]:
        policy = self.policy
        measure = Measure(self.arm, stretch, window, policy)
        if COMPOSITE not in measure.blends:
            return ()
        pre = pre_level(self.seen, measure.blends[COMPOSITE], self.first_session, policy)
        course = self.first_session, span[0]
        first = measure.on(date.fromordinal(stretch.days[window - 1]), course, pre)
        stages = [] if first is None else [first]
        step = timedelta(days=policy.whole("baseline.grow_every_days"))
        while stages and (last := stages[-1].last_day + step) <= span[1]:
            if _rises(measure, stages, last, policy):
                break
            grown = measure.on(last, course, pre)
            assert grown is not None  # it has all the days of the one before
            stages.append(grown)
        return tuple(stages)


def _windows(days: Sequence[int], anchor: date, policy: Policy) -> Iterator[tuple[int, int]]:
    """Yield the places of the days of each window that is full soon after ``anchor``, earliest first."""
    need, shortest = policy.whole("baseline.min_days"), policy.whole("baseline.window_days")
    longest = policy.whole("baseline.max_days")
    start, latest = 0, anchor.toordinal() + policy.whole("baseline.latest_days")
    for stop, day in enumerate(days, 1):
        if day > latest:
            return
        while day - days[start] >= longest:
            start += 1
        # The whole span must have passed, or a keen logger would be judged on ten days.
        if stop - start >= need and day - days[start] + 1 >= shortest:
            yield start, stop


def _rises(measure: Measure, stages: Sequence[Baseline], last: date, policy: Policy) -> bool:
    """Return whether the days after the last of ``stages`` up to ``last`` lie higher than the first one.

    See the module: not higher than what has grown.
    """
    first = stages[-1].last_day + _ONE
    means = stages[0].means
    rises = (measure.rise(name, first, last, means[name]) for name in (COMPOSITE, UNREST) if name in means)
    return reaches(max(rises), policy["baseline.extend_rise"])
