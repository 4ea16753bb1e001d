"""The watch: has the benefit of the last session begun to fade, and what says so.

`assess` is a function of its arguments alone: the same readings give the same answer on every
machine, in whatever order they arrived. Source: docs/clinical.md, "The watch".
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.baseline import Baseline, Treatment, fit
from server.clinical.detectors import Rule, RuleHit
from server.clinical.evidence import Facts, describe, snapshot
from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.series import COMPOSITE
from server.clinical.vocabulary import Arm, WatchState
from server.clinical.walk import ALARMED, calm, points_of, walk

__all__ = ["Assessment", "Rule", "RuleHit", "assess", "watch"]


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
    baseline = fit(history, arm, treatments, policy, today)
    if baseline is not None:
        return assess(history, baseline, policy, today, treatments)
    return _waiting(arm, treatments, policy, today)


def assess(
    history: History, baseline: Baseline, policy: Policy, today: date, treatments: Sequence[Treatment]
) -> Assessment:
    """Judge ``today`` against ``baseline``, walking at most ``relapse.window_days`` back.

    Readings and sessions later than ``today`` are ignored. A patient who did not respond has no
    benefit to lose: the state is ``no_response`` and no signal is given. Too few logged days are
    ``insufficient_data`` whatever came before, unless what was logged today is itself a signal.
    """
    last = deque(walk(history, baseline, policy, today, treatments), maxlen=1)
    missing = _missing(history, baseline, policy, today)
    state = last[0].state if last else calm(baseline, today, policy)
    hits = last[0].hits if last and last[0].day == today else ()
    if baseline.responded is False:
        state, hits = WatchState.NO_RESPONSE, ()
    elif not (hits and state in ALARMED) and missing > policy["data.window_days"] - policy["data.min_days"]:
        state = WatchState.INSUFFICIENT_DATA
    facts = Facts(today, state, hits, missing, last[0] if last else None)
    return Assessment(
        arm=baseline.arm,
        day=today,
        state=state,
        signal=bool(hits) and state in ALARMED,
        rules=hits,
        evidence=snapshot(facts, baseline, policy),
        text=describe(facts, baseline, policy),
    )


def _missing(history: History, baseline: Baseline, policy: Policy, today: date) -> int:
    """Return how many of the last days say nothing, counting a day right after a session as any."""
    span = policy.whole("data.window_days")
    recent = history.between(today - timedelta(days=span - 1), today)
    return span - len(points_of(recent, COMPOSITE, baseline, policy))


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
