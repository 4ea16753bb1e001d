"""The watch: has the benefit of the last session begun to fade, and what says so.

`watch` is a function of its arguments alone: the same readings give the same answer on every
machine, in whatever order they arrived. Source: docs/clinical.md, "The watch".
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from server.clinical.baseline import Baseline, Treatment
from server.clinical.detectors import Rule, RuleHit
from server.clinical.era import Era, eras, eras_by_day
from server.clinical.evidence import Facts, describe, snapshot
from server.clinical.policy import Policy
from server.clinical.reach import walk_start
from server.clinical.readings import History
from server.clinical.series import COMPOSITE
from server.clinical.vocabulary import Arm, WatchState
from server.clinical.walk import ALARMED, Walk, WatchedDay, calm, points_of, walk

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
    judged = eras_by_day(history, arm, treatments, policy, days)
    for _, together in groupby(judged, lambda one: _walk_of(one[0], one[1], policy)):
        yield from _judged(history, arm, treatments, policy, tuple(together))


def _judged(
    history: History,
    arm: Arm,
    treatments: Sequence[Treatment],
    policy: Policy,
    days: Sequence[tuple[date, Sequence[Era]]],
) -> Iterator[Assessment]:
    """Yield the judgements of days that one walk serves."""
    until, found = days[-1]
    if not found:
        yield from (_waiting(arm, treatments, policy, day) for day, _ in days)
        return
    walked = _walk(history, found[-1], policy, until, treatments)
    for day, known in days:
        yield _assessed(history, walked, known[-1], policy, day)


def _walk_of(day: date, found: Sequence[Era], policy: Policy) -> object:
    """Return what days have in common that one walk serves."""
    if not found:
        return None
    first, last = found[-1].stages[0], found[-1].stages[-1]
    own = first.anchor_day, first.first_day, first.last_day, walk_start(first.first_day, day, policy)
    return own, tuple(last.levels)


def _walk(history: History, era: Era, policy: Policy, today: date, treatments: Sequence[Treatment]) -> Walk:
    return walk(history, era, policy, (walk_start(era.stages[0].first_day, today, policy), today), treatments)


def _assessed(history: History, walked: Walk, era: Era, policy: Policy, today: date) -> Assessment:
    """Judge ``today``, a day of ``era``; readings and sessions later than it are ignored.

    A patient who did not respond has no benefit to lose: the state is ``no_response`` and no signal is
    given. Too few logged days are ``insufficient_data`` whatever came before, unless what was logged today
    is itself a signal.
    """
    baseline, last = era.on(today), walked.last(today)
    verdict = verdict_on(today, last, _days_said(history, baseline, policy, today), baseline, policy)
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


def verdicts(
    history: History, arm: Arm, treatments: Sequence[Treatment], policy: Policy, last: date
) -> Iterator[tuple[date, Verdict]]:
    """Yield every day up to ``last`` that has a baseline with what `watch` says of it, oldest first.

    Each day knows only what was known then, and all of them together cost little more than one. Only
    what lies ``relapse.window_days`` back and more may weigh on a day here and not there.
    """
    for era in eras(history, arm, treatments, policy, last):
        yield from _verdicts_of(era, history, treatments, policy)


def _verdicts_of(
    era: Era, history: History, treatments: Sequence[Treatment], policy: Policy
) -> Iterator[tuple[date, Verdict]]:
    walked = {seen.day: seen for seen in walk(history, era, policy, (date.min, era.until), treatments).days}
    span = timedelta(days=policy.whole("data.window_days"))
    said = [day for day, _ in points_of(history, COMPOSITE, era.stages[0], policy)]
    newest: WatchedDay | None = None
    for number in range((era.until - era.since).days + 1):
        day = era.since + timedelta(days=number)
        newest = walked.get(day, newest)
        count = bisect_right(said, day) - bisect_right(said, day - span)
        yield day, verdict_on(day, newest, count, era.on(day), policy)


def _days_said(history: History, baseline: Baseline, policy: Policy, today: date) -> int:
    """Return how many of the last days have a composite, counting a day right after a session as any."""
    recent = history.between(today - timedelta(days=policy.whole("data.window_days") - 1), today)
    return len(points_of(recent, COMPOSITE, baseline, policy))


def _waiting(arm: Arm, treatments: Sequence[Treatment], policy: Policy, today: date) -> Assessment:
    """Return the assessment of a day that has no baseline to be measured against."""
    sessions = [t.day for t in treatments if t.day <= today]
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
