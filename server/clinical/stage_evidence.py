"""What a move of the stage rests on: plain data to store, and the text a clinician reads. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.policy import Policy
from server.clinical.scale_watch import ScoredDay
from server.clinical.stages import Facts, Ground
from server.clinical.vocabulary import Stage

_DIGITS = 2
_NOT_HELD = (Ground.SESSION, Ground.NOTHING_HELD, Ground.LOCKOUT_OVER, Ground.LATE_DATA)


@dataclass(frozen=True, slots=True)
class Judged:
    """The diary's judgement of one day as it is stored: rules ("R2:composite"), sentence, evidence."""

    day: date
    rules: Sequence[str]
    text: str
    evidence: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Support:
    """What spoke up to ``day``, on which ground: the diary's newest rule, the newest score with one."""

    day: date
    ground: Ground
    diary: Judged | None
    scales: Sequence[ScoredDay]


def support(
    facts: Facts, judged: Mapping[date, Judged], day: date, ground: Ground, policy: Policy
) -> Support:
    """Return what ``ground`` on ``day`` rests on; both sides count for ``stage.join_days`` days."""
    if ground in _NOT_HELD:
        return Support(day, ground, judged.get(day), facts.scales.get(day, ()))
    first = day - timedelta(days=policy.whole("stage.join_days"))
    hits = [one for one in facts.diary if first <= one <= day and facts.diary[one].holds and one in judged]
    scored = [one for one in facts.scales if first <= one <= day and _held(facts.scales[one])]
    diary = judged[max(hits)] if hits else None
    return Support(day, ground, diary, _held(facts.scales[max(scored)]) if scored else ())


def codes(found: Support) -> tuple[str, ...]:
    """Return the rules that held, as an alert names them: "R2:composite", "R4:phq-9"."""
    diary = found.diary.rules if found.diary is not None else ()
    scales = (f"{rule}:{scored.yardstick.key}" for scored in found.scales for rule in scored.rules)
    return tuple(dict.fromkeys((*diary, *scales)))


def evidence(found: Support, policy: Policy) -> Mapping[str, object]:
    """Return JSON-ready data: everything needed to check the move."""
    diary = found.diary
    return {
        "day": found.day.isoformat(),
        "ground": str(found.ground),
        "diary": None if diary is None else {**diary.evidence, "text": diary.text},
        "scales": [_scored(scored) for scored in found.scales],
        "policy_version": policy.version,
    }


def text(found: Support, after: Stage, policy: Policy) -> str:
    """Return what a clinician reads."""
    said = {
        Ground.SESSION: "a session was given",
        Ground.LOCKOUT_OVER: f"the {policy.whole('alert.lockout_days')} days after the dismissal are over",
        Ground.NOTHING_HELD: f"no rule held for {policy.whole('stage.calm_days')} days",
        Ground.LATE_DATA: "nothing moves on this day any more",
    }
    if found.ground in said:
        return f"{after}: {said[found.ground]}"
    parts = [] if found.diary is None else [found.diary.text]
    parts += [_sentence(scored, policy) for scored in found.scales]
    return f"{after}: " + "; ".join(parts)


def _sentence(scored: ScoredDay, policy: Policy) -> str:
    """Return "PHQ-9 14 on 2026-05-03, best since the session 5: +9, rule R4 v3"."""
    total = scored.yardstick.worse
    best = scored.value if scored.best is None else scored.best
    change = total(scored.value) - total(best)
    return (
        f"{scored.yardstick.key.upper()} {total(scored.value):.3g} on {scored.day}, "
        f"best since the session {total(best):.3g}: {change:+.3g}, "
        f"rule {', '.join(scored.rules)} v{policy.version}"
    )


def _held(scored: Sequence[ScoredDay]) -> Sequence[ScoredDay]:
    return [one for one in scored if one.rules]


def _scored(scored: ScoredDay) -> Mapping[str, object]:
    def told(value: float | None) -> float | None:
        return None if value is None else round(scored.yardstick.worse(value), _DIGITS)

    return {
        "instrument": scored.yardstick.key,
        "day": scored.day.isoformat(),
        "total": told(scored.value),
        "best_since_session": told(scored.best),
        "level": told(scored.level),
        "moving_average": told(scored.average),
        "rules": [str(rule) for rule in scored.rules],
    }
