"""The watch: has the benefit of the last session begun to fade, and what says so.

`watch` is a function of its arguments alone: the same readings give the same answer on every
machine, in whatever order they arrived. Source: docs/clinical.md, "The watch".
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from server.clinical.baseline import Baseline, Treatment
from server.clinical.columns import Logged, logged
from server.clinical.detectors import Rule, RuleHit
from server.clinical.era import Era, eras_by_day
from server.clinical.evidence import Facts, describe, snapshot
from server.clinical.policy import Policy
from server.clinical.reach import walk_start
from server.clinical.readings import History
from server.clinical.series import COMPOSITE
from server.clinical.vocabulary import Arm, WatchState
from server.clinical.walk import ALARMED, Walk, WatchedDay, calm, walk_of

__all__ = ["Assessment", "Rule", "RuleHit", "watch", "watch_days"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """The judgement for one arm and day.

    ``signal``: a rule held today and the state calls for attention. ``evidence`` is plain data
    (strings, numbers, lists, objects), stored as it is; ``text`` is one sentence for a clinician.
    """

    arm: Arm
    day: date
    state: WatchState
    signal: bool
    rules: tuple[RuleHit, ...]
    evidence: Mapping[str, object]
    text: str


def watch(
    history: History, arm: Arm, treatments: Sequence[Treatment], policy: Policy, today: date
) -> Assessment:
    """Fit the baseline as of ``today`` and assess the day, also where there is no baseline yet."""
    return next(watch_days(history, arm, treatments, policy, (today,)))


def watch_days(
    history: History, arm: Arm, treatments: Sequence[Treatment], policy: Policy, days: Sequence[date]
) -> Iterator[Assessment]:
    """Yield what `watch` says of each of ``days``, oldest first; what they share is worked out once."""
    said = logged(history, (t.day for t in treatments), policy)
    judged = eras_by_day(said, arm, policy, days)
    for _, together in groupby(judged, lambda one: _walk_of(one[0], one[1], policy)):
        yield from _judged(said, arm, policy, tuple(together))


def _judged(
    said: Logged, arm: Arm, policy: Policy, days: Sequence[tuple[date, Sequence[Era]]]
) -> Iterator[Assessment]:
    """Yield the judgements of days that one walk serves."""
    until, found = days[-1]
    if not found:
        yield from (_waiting(arm, said.sessions, policy, day) for day, _ in days)
        return
    begun = walk_start(found[-1].stages[0].first_day, until, policy)
    walked = walk_of(said, found[-1], policy, (begun, until))
    # A day right after a session counts as any.
    means = found[-1].stages[0].blends[COMPOSITE]
    entries = said.days.enough(means, policy["composite.min_share"])
    for day, known in days:
        yield _assessed(entries, walked, known[-1], policy, day)


def _walk_of(day: date, found: Sequence[Era], policy: Policy) -> object:
    """Return what days have in common that one walk serves."""
    if not found:
        return None
    first, last = found[-1].stages[0], found[-1].stages[-1]
    own = first.anchor_day, first.first_day, first.last_day, walk_start(first.first_day, day, policy)
    return own, tuple(last.levels)


def _assessed(entries: Sequence[int], walked: Walk, era: Era, policy: Policy, today: date) -> Assessment:
    """Judge ``today``, a day of ``era``; readings and sessions later than it are ignored.

    ``entries``: the days (ordinals) that have a composite.

    A patient who did not respond has no benefit to lose: the state is ``no_response`` and no signal is
    given. Too few logged days are ``insufficient_data`` whatever came before, unless what was logged today
    is itself a signal.
    """
    baseline, last = era.on(today), walked.last(today)
    verdict = verdict_on(today, last, _days_said(entries, policy, today), baseline, policy)
    missing = policy.whole("data.window_days") - verdict.said
    marks = walked.marks(today, era.stages[-1])
    facts = Facts(today, verdict.state, verdict.hits, missing, last, marks)
    return Assessment(
        arm=baseline.arm,
        day=today,
        state=verdict.state,
        signal=verdict.signal,
        rules=verdict.hits,
        evidence=snapshot(facts, baseline, policy),
        text=describe(facts, baseline, policy),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one day comes to; ``said``: how many of the last days have a composite."""

    state: WatchState
    hits: tuple[RuleHit, ...]
    said: int

    @property
    def signal(self) -> bool:
        """Return whether a rule held and the state calls for attention."""
        return bool(self.hits) and self.state in ALARMED


def verdict_on(
    today: date, last: WatchedDay | None, said: int, baseline: Baseline, policy: Policy
) -> Verdict:
    """Return the verdict on ``today``, given the ``last`` watched day up to it (None before the first)."""
    state = last.state if last else calm(baseline, today, policy)
    hits = last.hits if last and last.day == today else ()
    if baseline.responded is False:
        return Verdict(WatchState.NO_RESPONSE, (), said)
    if said < policy["data.min_days"] and not (hits and state in ALARMED):
        state = WatchState.INSUFFICIENT_DATA
    return Verdict(state, hits, said)


def _days_said(entries: Sequence[int], policy: Policy, today: date) -> int:
    """Return how many of the last days have a composite."""
    ordinal = today.toordinal()
    before = bisect_right(entries, ordinal - policy.whole("data.window_days"))
    return bisect_right(entries, ordinal) - before


def _waiting(arm: Arm, given: Sequence[date], policy: Policy, today: date) -> Assessment:
    """Return the assessment of a day that has no baseline to be measured against."""
    sessions = [day for day in given if day <= today]
    window = policy["baseline.settle_days"] + policy["baseline.max_days"]
    if sessions and (today - max(sessions)).days < window:
        state = WatchState.BASELINE
        text = f"{arm} baseline after the session of {max(sessions)} is not complete yet"
    elif sessions:
        state = WatchState.NO_BASELINE
        text = f"{arm} has too few entries after the session of {max(sessions)} for a baseline"
    else:
        state = WatchState.NO_BASELINE
        text = f"{arm} has no session to measure from"
    evidence = {"arm": str(arm), "day": today.isoformat(), "policy_version": policy.version}
    return Assessment(arm, today, state, False, (), {**evidence, "state": str(state), "rules": []}, text)
