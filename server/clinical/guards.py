"""The guards before a visit: one small function each, in one table.

Each returns what a clinician should read, or None. Source: docs/clinical.md, "Guards".
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from server.clinical import recorded_guards
from server.clinical.facts import Facts, Screen, Trouble
from server.clinical.policy import Policy
from server.clinical.recorded_guards import recorded
from server.clinical.redflags import is_late
from server.clinical.vocabulary import AlertClass, AlertFamily, PrecautionCode

_URINARY = frozenset(
    {"painful_urination", "urinary_frequency", "urinary_urgency", "pelvic_pain", "incontinence"}
)
_URGENT = frozenset({AlertClass.P0, AlertClass.P1})


class BlockCode(StrEnum):
    """Why a clinician must look first, in the order of gravity."""

    SI_ACUTE = "SI_ACUTE"
    MANIA = "MANIA"
    PSYCHOSIS = "PSYCHOSIS"
    BP = "BP"
    VASC = "VASC"
    ALLERGY = "ALLERGY"
    PREG = "PREG"
    URO = "URO"
    MISUSE = "MISUSE"
    LIVER = "LIVER"
    COG = "COG"
    AE_OPEN = "AE_OPEN"
    INTERVAL = "INTERVAL"
    INTERACT = "INTERACT"
    NORESP = "NORESP"
    AGE = "AGE"
    CONSENT = "CONSENT"
    PLAN = "PLAN"
    DATA = "DATA"


# Safety before booking: while it may be that somebody is in danger, no reason makes a date more urgent.
NEVER_OVERRIDDEN = frozenset({BlockCode.SI_ACUTE})


@dataclass(frozen=True, slots=True)
class Block:
    """One guard that holds, and the sentence for the clinician."""

    code: BlockCode
    detail: str


Guard = Callable[[Facts, Policy, date], str | None]


def blocks_of(facts: Facts, policy: Policy, today: date) -> tuple[Block, ...]:
    """Return every guard that holds on ``today``, gravest first."""
    found = ((code, guard(facts, policy, today)) for code, guard in GUARDS.items())
    return tuple(Block(code, detail) for code, detail in found if detail is not None)


def _si_acute(facts: Facts, policy: Policy, today: date) -> str | None:
    safety = any(urgency in _URGENT and family is AlertFamily.SAFETY for urgency, family in facts.open_alerts)
    return "an urgent safety alert is open" if safety else None


def _mania(facts: Facts, policy: Policy, today: date) -> str | None:
    if any(u in _URGENT and family is AlertFamily.ACTIVATION for u, family in facts.open_alerts):
        return "an urgent activation alert is open"
    told = frozenset({"mania"})
    asrm = _positive(facts.asrm, "ASRM", "mania.asrm", policy, today)
    return asrm or _recent(facts, policy, today, told, "redflag.any_grade")


def _positive(given: Sequence[Screen], scale: str, cut: str, policy: Policy, today: date) -> str | None:
    """Say so where one of ``given``, newest first, is positive and recent."""
    for one in given:
        recent = (today - one.day).days < policy["maintenance.recent_days"]
        if recent and one.total >= policy[cut]:
            return f"{scale} {one.total:g}{'' if one.is_whole else ' or more'} on {one.day}"
    return None


def _psychosis(facts: Facts, policy: Policy, today: date) -> str | None:
    late = [t for t in facts.troubles if t.term == "psychosis" or _outside_session(t, policy)]
    told = _reported(late, policy, today, "redflag.any_grade")
    return told or recorded(facts, today, PrecautionCode.PSYCHOTIC_DISORDER)


def _outside_session(trouble: Trouble, policy: Policy) -> bool:
    """Say whether a hallucination is too late to be the session's own effect, to the hour as its red flag."""
    return trouble.term == "hallucination" and is_late(trouble.hours, policy["redflag.late_hours"])


def _uro(facts: Facts, policy: Policy, today: date) -> str | None:
    return (
        _recent(facts, policy, today, frozenset({"blood_in_urine"}), "redflag.any_grade")
        or _recent(facts, policy, today, _URINARY, "maintenance.severe_grade")
        or _lasting(facts, policy, today, _URINARY, "maintenance.urinary_days")
        or recorded(facts, today, PrecautionCode.UROLOGICAL)
    )


def _misuse(facts: Facts, policy: Policy, today: date) -> str | None:
    if facts.craving is not None and facts.craving >= policy["maintenance.craving"]:
        return f"craving {facts.craving:g}"
    return (
        _recent(facts, policy, today, frozenset({"non_prescribed_use"}), "redflag.any_grade")
        or _positive(facts.audit_c, "AUDIT-C", "maintenance.audit_c", policy, today)
        or recorded(facts, today, PrecautionCode.MISUSE)
    )


def _cog(facts: Facts, policy: Policy, today: date) -> str | None:
    memory = frozenset({"memory"})
    return (
        _recent(facts, policy, today, memory, "maintenance.severe_grade")
        or _lasting(facts, policy, today, memory, "maintenance.memory_days")
        or recorded(facts, today, PrecautionCode.COGNITION)
    )


def _ae_open(facts: Facts, policy: Policy, today: date) -> str | None:
    if any(
        u is AlertClass.P0 or (u in _URGENT and f is AlertFamily.SIDE_EFFECT) for u, f in facts.open_alerts
    ):
        return "an urgent alert is open"
    if facts.emergency is not None and (today - facts.emergency).days < policy["maintenance.severe_days"]:
        return f"an emergency on {facts.emergency}"
    since = today - timedelta(days=policy.whole("maintenance.severe_days") - 1)
    severe = [t for t in facts.troubles if t.day >= since]
    return _reported(severe, policy, today, "maintenance.severe_grade")


def _interval(facts: Facts, policy: Policy, today: date) -> str | None:
    past = [(today - day).days for day in facts.sessions if day <= today]
    if facts.plan is not None and past and min(past) < facts.plan.min_days:
        return f"last session {min(past)} days ago, plan minimum {facts.plan.min_days}"
    for days, key in ((7, "maintenance.sessions_week"), (28, "maintenance.sessions_four_weeks")):
        given = sum(age < days for age in past)
        if given >= policy[key]:
            return f"{given} sessions in the last {days} days"
    return None


def _noresp(facts: Facts, policy: Policy, today: date) -> str | None:
    if facts.responded is False:
        return "no response to the last sessions"
    if facts.early_returns >= policy["maintenance.early_returns"]:
        return f"symptoms returned {facts.early_returns} times on this schedule"
    return None


def _age(facts: Facts, policy: Policy, today: date) -> str | None:
    young = facts.age is not None and facts.age < policy["maintenance.min_age"]
    return f"age {facts.age}" if young else None


def _plan(facts: Facts, policy: Policy, today: date) -> str | None:
    return "no active plan" if facts.plan is None else None


def _data(facts: Facts, policy: Policy, today: date) -> str | None:
    asked = facts.questionnaire_day
    fresh = asked is not None and (today - asked).days <= policy["maintenance.questionnaire_days"]
    if fresh or facts.days_logged_last_week >= policy["data.min_days"]:
        return None
    return f"{facts.days_logged_last_week} of the last {policy.whole('data.window_days')} days logged"


GUARDS: Mapping[BlockCode, Guard] = MappingProxyType(
    {
        BlockCode.SI_ACUTE: _si_acute,
        BlockCode.MANIA: _mania,
        BlockCode.PSYCHOSIS: _psychosis,
        BlockCode.BP: recorded_guards.pressure,
        BlockCode.VASC: recorded_guards.vascular,
        BlockCode.ALLERGY: recorded_guards.allergy,
        BlockCode.PREG: recorded_guards.pregnancy,
        BlockCode.URO: _uro,
        BlockCode.MISUSE: _misuse,
        BlockCode.LIVER: recorded_guards.liver,
        BlockCode.COG: _cog,
        BlockCode.AE_OPEN: _ae_open,
        BlockCode.INTERVAL: _interval,
        BlockCode.INTERACT: recorded_guards.interaction,
        BlockCode.NORESP: _noresp,
        BlockCode.AGE: _age,
        BlockCode.CONSENT: recorded_guards.consent,
        BlockCode.PLAN: _plan,
        BlockCode.DATA: _data,
    }
)


def _recent(facts: Facts, policy: Policy, today: date, terms: frozenset[str], grade: str) -> str | None:
    return _reported([t for t in facts.troubles if t.term in terms], policy, today, grade)


def _reported(troubles: Sequence[Trouble], policy: Policy, today: date, grade: str) -> str | None:
    """Return the latest of ``troubles`` of at least ``policy[grade]`` in the recent days, as words."""
    since = today - timedelta(days=policy.whole("maintenance.recent_days") - 1)
    found = [t for t in troubles if t.grade >= policy[grade] and since <= t.day <= today]
    if not found:
        return None
    latest = max(found, key=lambda t: (t.day, t.grade, t.term))
    return f"{latest.term.replace('_', ' ')} grade {latest.grade} on {latest.day}"


def _lasting(facts: Facts, policy: Policy, today: date, terms: frozenset[str], days: str) -> str | None:
    """Say so where moderate trouble is recent and was there ``policy[days]`` before as well."""
    moderate = policy["maintenance.moderate_grade"]
    found = [t.day for t in facts.troubles if t.term in terms and t.grade >= moderate and t.day <= today]
    horizon = policy.whole("maintenance.recent_days")
    if not found or (today - max(found)).days >= horizon:
        return None
    run = [day for day in found if (max(found) - day).days < policy[days] + horizon]
    lasted = (max(run) - min(run)).days
    return f"lasting for {lasted} days" if lasted >= policy[days] else None
