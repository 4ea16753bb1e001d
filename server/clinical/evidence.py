"""What an assessment rests on, as plain data to store and as a sentence to read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from server.clinical.baseline import Baseline
from server.clinical.detectors import Mark, RuleHit
from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.series import COMPOSITE, SINGLE_ITEMS, Level, span_of
from server.clinical.vocabulary import WatchState
from server.clinical.walk import WatchedDay

_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found on ``day``; ``last`` is the last watched day, None before the first."""

    day: date
    state: WatchState
    hits: tuple[RuleHit, ...]
    missing: int
    last: WatchedDay | None
    marks: Mapping[str, Mark]


def snapshot(facts: Facts, baseline: Baseline, policy: Policy) -> Mapping[str, object]:
    """Return the evidence as JSON-ready data: everything a clinician needs to check the judgement."""
    shown = [COMPOSITE, *sorted({hit.series for hit in facts.hits} - {COMPOSITE})]
    return {
        "arm": str(baseline.arm),
        "day": facts.day.isoformat(),
        "state": str(facts.state),
        "since": _since(facts),
        "as_of": facts.last.day.isoformat() if facts.last else None,
        "rules": [_hit(hit) for hit in facts.hits],
        "series": {name: _series(baseline.levels[name], facts.marks.get(name)) for name in shown},
        "items_up": _items_up(facts, baseline, policy),
        "missing_days": facts.missing,
        "missing_of": policy.whole("data.window_days"),
        "baseline": _baseline(baseline),
        "policy_version": policy.version,
    }


def describe(facts: Facts, baseline: Baseline, policy: Policy) -> str:
    """Return one sentence: what is where, against which own level, what is missing, which rule."""
    name = facts.hits[0].series if facts.hits else COMPOSITE
    days = policy.whole("relapse.mean_days")
    first = (baseline.first_day - baseline.anchor_day).days
    last = (baseline.last_day - baseline.anchor_day).days
    parts = [
        f"{baseline.arm} {_words(name)} {_now(facts, name, days)} against own baseline "
        f"{baseline.levels[name].mean:.1f} (days {first}-{last} after the session of {baseline.anchor_day})",
        f"{_items_up(facts, baseline, policy)} items up",
        f"{facts.missing} days missing",
    ]
    if facts.hits:
        rules = dict.fromkeys(f"{hit.rule} on {_words(hit.series)}" for hit in facts.hits)
        parts.append("rule " + ", ".join(rules) + f" v{policy.version}")
    return ", ".join(parts) + f": {_verdict(facts.state)}"


def _verdict(state: WatchState) -> str:
    if state is WatchState.NO_RESPONSE:
        return "did not respond: there is nothing to lose, relapse detection is off"
    return _words(state)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _now(facts: Facts, name: str, days: int) -> str:
    mark = facts.marks.get(name)
    if mark is None:
        return "not reported since"
    if mark.mean is None:
        return f"moving average {mark.ewma:.1f}"
    return f"{days}-day mean {mark.mean:.1f}"


def _since(facts: Facts) -> str | None:
    since = facts.last.since if facts.last else None
    return since.isoformat() if since else None


def _items_up(facts: Facts, baseline: Baseline, policy: Policy) -> str:
    """Return "4 of 5": items whose recent level is a clear step above their own baseline."""
    marks = facts.marks
    items = [key for key in SINGLE_ITEMS[baseline.arm] if key in marks and key in baseline.levels]
    share = policy["relapse.item_rise_share"]
    up = sum(reaches(_recent(marks[key]) - baseline.levels[key].mean, share * span_of(key)) for key in items)
    return f"{up} of {len(items)}"


def _recent(mark: Mark) -> float:
    return mark.ewma if mark.mean is None else mark.mean


def _hit(hit: RuleHit) -> Mapping[str, object]:
    return {
        "rule": str(hit.rule),
        "series": hit.series,
        "value": round(hit.value, _DIGITS),
        "limit": round(hit.limit, _DIGITS),
    }


def _series(level: Level, mark: Mark | None) -> Mapping[str, object]:
    own = {
        "baseline_mean": round(level.mean, _DIGITS),
        "baseline_sd": round(level.sd, _DIGITS),
        "baseline_phi": round(level.phi, _DIGITS),
        "baseline_days": level.n,
    }
    if mark is None:
        return own
    mean = None if mark.mean is None else round(mark.mean, _DIGITS)
    return {
        **own,
        "ewma": round(mark.ewma, _DIGITS),
        "ewma_limit": round(mark.ewma_limit, _DIGITS),
        "mean": mean,
    }


def _baseline(baseline: Baseline) -> Mapping[str, object]:
    pre = baseline.pre_level
    return {
        "session": baseline.anchor_day.isoformat(),
        "first_day": baseline.first_day.isoformat(),
        "last_day": baseline.last_day.isoformat(),
        "days_observed": baseline.days_observed,
        "pre_level": None if pre is None else round(pre, _DIGITS),
        "responded": baseline.responded,
        "policy_version": baseline.policy_version,
    }
