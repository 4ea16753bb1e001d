"""The activation watch: does something look like a rise towards mania?

`assess` is a function of its arguments alone. It names a pattern for a clinician to look at; it is no
diagnosis. Source: docs/clinical.md, "Activation".
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from server.clinical.mania_levels import (
    ActivationFacts,
    OwnLevel,
    OwnLevels,
    calm_days,
    chart,
    is_unsettled,
    watched_days,
)
from server.clinical.policy import Policy
from server.clinical.reaching import reaches
from server.clinical.readings import Reading
from server.clinical.vocabulary import AlertClass

_DIGITS = 2
SPIKE = "High mood soon after a session is not a response to it where sleep falls."
HOLD = "Suggested visits wait for a clinician while this is open."


class ActivationRule(StrEnum):
    """The rules, by the names of docs/clinical.md."""

    H1 = "H1"
    H2 = "H2"
    H3 = "H3"
    H4 = "H4"
    H5 = "H5"


class Verdict(StrEnum):
    """What became of one rule on one day. What is missing is said, never taken for calm."""

    HELD = "held"
    NOT_HELD = "not_held"
    INSUFFICIENT_DATA = "insufficient_data"
    NOT_APPLIED = "not_applied"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule on one day, and the words for it."""

    rule: ActivationRule
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Activation:
    """The judgement of one day.

    ``urgency`` None: nothing to tell. ``evidence`` is plain data, stored as it is; ``text`` is for a
    clinician.
    """

    day: date
    urgency: AlertClass | None
    rulings: tuple[Ruling, ...]
    evidence: Mapping[str, object]
    text: str

    @property
    def rules(self) -> tuple[ActivationRule, ...]:
        """The rules that held."""
        return tuple(ruling.rule for ruling in self.rulings if ruling.verdict is Verdict.HELD)


@dataclass(frozen=True)
class _Day:
    """What the rules look at: the day, the last days without those of a session, and the own levels."""

    facts: ActivationFacts
    policy: Policy
    today: date
    calm: Sequence[Reading]
    own: OwnLevels

    def last(self, key: str, span: str) -> Mapping[date, float]:
        """Return item ``key`` on the last days, as many as the threshold ``span`` says."""
        first = self.today - timedelta(days=self.policy.whole(span) - 1)
        return {r.day: r.items[key] for r in self.calm if r.day >= first and key in r.items}

    @property
    def said(self) -> Collection[str]:
        """The items of the day itself."""
        return self.calm[-1].items if self.calm and self.calm[-1].day == self.today else ()


def assess(facts: ActivationFacts, policy: Policy, today: date) -> Activation:
    """Judge ``today``. Looks at a few days and, where they give reason to, at the own level."""
    recent = facts.history.between(today - timedelta(days=watched_days(policy) - 1), today)
    calm = calm_days(recent, facts, policy).readings
    day = _Day(facts, policy, today, calm, OwnLevels(facts, policy, today))
    rulings = tuple(Ruling(rule, *judge(day)) for rule, judge in _RULES.items())
    held = frozenset(ruling.rule for ruling in rulings if ruling.verdict is Verdict.HELD)
    urgency = urgency_of(held, facts.at_risk)
    text = _text(day, rulings, urgency)
    return Activation(today, urgency, rulings, _evidence(day, rulings, urgency, text), text)


def urgency_of(held: frozenset[ActivationRule], at_risk: bool) -> AlertClass | None:
    """Return how urgent the rules that hold together are; None where none holds."""
    if not held:
        return None
    sure = held & {ActivationRule.H1, ActivationRule.H5}
    if sure or (ActivationRule.H2 in held and len(held) > 1):
        return AlertClass.P1
    return AlertClass.P2 if at_risk or len(held) > 1 else AlertClass.P3


_Judged = tuple[Verdict, str]


def _asrm(day: _Day) -> _Judged:
    total = day.facts.asrm.get(day.today)
    if total is None:
        return Verdict.NOT_APPLIED, "no ASRM filled on this day"
    limit, is_open = day.policy["mania.asrm"], day.today in day.facts.asrm_open
    told = f"ASRM {'left open, at least ' if is_open else ''}{total:g} (positive from {limit:g})"
    if is_open and total < limit:
        return Verdict.INSUFFICIENT_DATA, told
    return _verdict(total >= limit), told


def _short_nights(day: _Day) -> _Judged:
    if unsettled := _unsettled(day, "sleep_hours", "energy"):
        return unsettled
    policy = day.policy
    nights, span = day.last("sleep_hours", "mania.nights"), policy.whole("mania.nights")
    hours, need = policy["mania.short_night_hours"], policy.whole("mania.short_nights")
    short = sum(value < hours for value in nights.values())
    found = f"{short} of {len(nights)} logged nights under {hours:g} h in the last {span}"
    if short + span - len(nights) < need:
        return Verdict.NOT_HELD, found
    if short < need:
        return Verdict.INSUFFICIENT_DATA, found
    return _high_energy(day, found)


def _high_energy(day: _Day, found: str) -> _Judged:
    """Return the second half of H2: energy on the newest of the days that has it."""
    seen = day.last("energy", "mania.nights")
    if not seen:
        return Verdict.INSUFFICIENT_DATA, f"{found}, energy not logged"
    energy, own = seen[max(seen)], day.own.of("energy")
    told = f"{found}, energy {energy:g} ({_own_words(own)})"
    if energy >= day.policy["mania.energy"]:
        return Verdict.HELD, told
    if own is None:
        return Verdict.INSUFFICIENT_DATA, told
    return _verdict(reaches(energy - own.mean, day.policy["mania.energy_rise"])), told


def _digibp(day: _Day) -> _Judged:
    policy, span = day.policy, day.policy.whole("mania.digibp_days")
    lately = watched_days(policy) + policy.whole("mania.own_days")
    if not any(0 <= (day.today - d).days < lately for d, _ in day.facts.digibp):
        return Verdict.NOT_APPLIED, "no digiBP filled lately"
    if is_unsettled(day.facts, day.policy, day.today):
        return Verdict.NOT_APPLIED, "a session's own day"
    calm = [(d, value) for d, value in day.facts.digibp if d not in day.facts.unsettled(policy)]
    seen = {d: value for d, value in calm if 0 <= (day.today - d).days < span}
    own = day.own.of_digibp()
    if day.today not in seen or own is None:
        return Verdict.INSUFFICIENT_DATA, f"digiBP on {len(seen)} of the last {span} days ({_own_words(own)})"
    limit = own.mean + policy["mania.digibp_limit"] * own.sd
    high, need = sum(reaches(value, limit) for value in seen.values()), policy.whole("mania.digibp_high_days")
    told = f"digiBP energy, speech and irritability at or above {limit:.1f} on {high} of {len(seen)} days"
    if high < need <= high + span - len(seen):
        return Verdict.INSUFFICIENT_DATA, f"{told} ({_own_words(own)})"
    return _verdict(high >= need), f"{told} ({_own_words(own)})"


def _high_mood(day: _Day) -> _Judged:
    if unsettled := _unsettled(day, "mood"):
        return unsettled
    policy, span = day.policy, day.policy.whole("mania.mood_days")
    moods, nights = day.last("mood", "mania.mood_days"), day.last("sleep_hours", "mania.mood_days")
    low = min(moods.values())
    found = f"mood {low:g} or more on {len(moods)} of the last {span} days"
    if low < policy["mania.mood"]:
        return Verdict.NOT_HELD, found
    own, less = day.own.of("sleep_hours"), policy["mania.less_sleep_hours"]
    told = f"{found}, {len(nights)} nights logged ({_own_words(own, ' h')})"
    if own is not None and any(not reaches(own.mean - value, less) for value in nights.values()):
        return Verdict.NOT_HELD, f"{told}, not all with {less:g} h less sleep"
    if own is None or min(len(moods), len(nights)) < span:
        return Verdict.INSUFFICIENT_DATA, told
    return Verdict.HELD, f"{told}, each with {less:g} h less sleep or more"


def _late_signs(day: _Day) -> _Judged:
    terms = day.facts.late_signs.get(day.today, ())
    if not terms:
        return Verdict.NOT_HELD, "no lasting high spirits reported"
    hours = day.policy["redflag.euphoria_hours"]
    words = " and ".join(sorted(set(terms)))
    return Verdict.HELD, f"{words} reported, more than {hours:g} h after a session or whatever its time"


_RULES: Mapping[ActivationRule, Callable[[_Day], _Judged]] = MappingProxyType(
    {
        ActivationRule.H1: _asrm,
        ActivationRule.H2: _short_nights,
        ActivationRule.H3: _digibp,
        ActivationRule.H4: _high_mood,
        ActivationRule.H5: _late_signs,
    }
)
_SLEEPLESS = frozenset({ActivationRule.H2, ActivationRule.H4})


def _unsettled(day: _Day, *keys: str) -> _Judged | None:
    """Say so where the day is a session's own, or says nothing a rule could newly rest on."""
    if is_unsettled(day.facts, day.policy, day.today):
        return Verdict.NOT_APPLIED, "a session's own day"
    if not any(key in day.said for key in keys):
        words = " or ".join(key.replace("_", " ") for key in keys)
        return Verdict.INSUFFICIENT_DATA, f"no {words} logged on this day"
    return None


def _verdict(holds: bool) -> Verdict:
    return Verdict.HELD if holds else Verdict.NOT_HELD


def _own_words(own: OwnLevel | None, unit: str = "") -> str:
    return "own level not known" if own is None else f"own level {own.mean:.1f}{unit}"


def _text(day: _Day, rulings: Sequence[Ruling], urgency: AlertClass | None) -> str:
    """Return what holds, then what could not be judged."""
    parts = [f"{r.rule}: {r.text}" for r in rulings if r.verdict is Verdict.HELD]
    missing = [f"{r.rule} ({r.text})" for r in rulings if r.verdict is Verdict.INSUFFICIENT_DATA]
    told = "; ".join(parts) if parts else "no rule of activation held"
    said = [f"{told[:1].upper()}{told[1:]}."]
    said += [f"Insufficient data for {', '.join(missing)}."] if missing else []
    said += [SPIKE] if urgency is not None and _is_spike(day, rulings) else []
    said += [HOLD] if urgency is AlertClass.P1 else []
    return " ".join(said)


def _is_spike(day: _Day, rulings: Sequence[Ruling]) -> bool:
    """Say whether high mood with little sleep follows a session closely enough to look like its benefit."""
    sleepless = _SLEEPLESS.intersection(r.rule for r in rulings if r.verdict is Verdict.HELD)
    moods = day.last("mood", "mania.mood_days")
    span = timedelta(days=day.policy.whole("mania.spike_days"))
    after = any(timedelta(0) <= day.today - treatment.day <= span for treatment in day.facts.treatments)
    return bool(sleepless) and after and max(moods.values(), default=0) >= day.policy["mania.mood"]


def _evidence(
    day: _Day, rulings: Sequence[Ruling], urgency: AlertClass | None, text: str
) -> Mapping[str, object]:
    """Return the evidence as JSON-ready data. A calm day needs no own levels, so none are looked for."""
    charted = {} if urgency is None else plain_chart(day.facts, day.policy, day.today)
    return {
        "day": day.today.isoformat(),
        "rules": [{"rule": str(r.rule), "verdict": str(r.verdict), "text": r.text} for r in rulings],
        "nights": _by_day(day.last("sleep_hours", "mania.nights")),
        "levels": charted,
        "at_risk": day.facts.at_risk,
        "policy_version": day.policy.version,
        "text": text,
    }


def plain_chart(facts: ActivationFacts, policy: Policy, today: date) -> Mapping[str, Any]:
    """Return the two-sided chart as JSON-ready data, by item."""
    return {
        key: {
            "own_mean": None if item.own is None else round(item.own.mean, _DIGITS),
            "own_sd": None if item.own is None else round(item.own.sd, _DIGITS),
            "own_days": 0 if item.own is None else item.own.days,
            "own_first_day": None if item.own is None else item.own.first.isoformat(),
            "own_last_day": None if item.own is None else item.own.last.isoformat(),
            "last_days": _by_day(item.last_days),
            "week_mean": None if item.week_mean is None else round(item.week_mean, _DIGITS),
            "week_days": item.week_days,
            "side": item.side,
        }
        for key, item in chart(facts, policy, today).items()
    }


def _by_day(values: Mapping[date, float]) -> Mapping[str, float]:
    return {day.isoformat(): round(value, _DIGITS) for day, value in values.items()}
