"""The guards before a visit that rest on what the care team has recorded: precautions, blood pressure.

Each returns what a clinician should read, or None. Source: docs/clinical.md, "Guards".
"""

from datetime import date

from server.clinical.facts import Facts, Known, Pressure
from server.clinical.policy import Policy
from server.clinical.vocabulary import PrecautionCode

_AT_ONCE = ("maintenance.systolic_urgent", "maintenance.diastolic_urgent", "needs care at once")
# From the gravest down: what is said of a pressure that reaches either limit.
_PRESSURES = (
    _AT_ONCE,
    ("maintenance.systolic_hard", "maintenance.diastolic_hard", "too high for a session"),
    ("maintenance.systolic", "maintenance.diastolic", "not controlled"),
)


def recorded(facts: Facts, today: date, *codes: PrecautionCode) -> str | None:
    """Return a sentence where one of ``codes`` holds on ``today``: the one that is known longest."""
    held = [known for known in facts.precautions if known.code in codes and _holds(known, today)]
    if not held:
        return None
    first = min(held, key=lambda known: (known.since, known.code))
    return f"{first.code.replace('_', ' ')} recorded, since {first.since}"


def pressure(facts: Facts, policy: Policy, today: date) -> str | None:
    """BP: the newest blood pressure at rest is high, or uncontrolled hypertension is recorded."""
    measured = facts.pressure
    if measured is not None and _counts(measured, policy, today):
        found = (_said(measured, policy, limit) for limit in _PRESSURES)
        if (told := next((one for one in found if one is not None), None)) is not None:
            return told
    return recorded(facts, today, PrecautionCode.BLOOD_PRESSURE)


def vascular(facts: Facts, policy: Policy, today: date) -> str | None:
    """VASC: aneurysm, malformation, haemorrhage; a recent infarction or stroke; heart failure."""
    return recorded(facts, today, PrecautionCode.VASCULAR)


def allergy(facts: Facts, policy: Policy, today: date) -> str | None:
    """ALLERGY: hypersensitivity to ketamine or esketamine."""
    return recorded(facts, today, PrecautionCode.HYPERSENSITIVITY)


def pregnancy(facts: Facts, policy: Policy, today: date) -> str | None:
    """PREG: pregnant, trying, breast-feeding, or not known."""
    return recorded(facts, today, PrecautionCode.PREGNANCY)


def liver(facts: Facts, policy: Policy, today: date) -> str | None:
    """LIVER: severe impairment, or values above three times the limit."""
    return recorded(facts, today, PrecautionCode.LIVER)


def interaction(facts: Facts, policy: Policy, today: date) -> str | None:
    """INTERACT: a drug that was begun or changed lately; the diary says so of opioids."""
    changed = facts.opioid_changed
    if changed is not None and 0 <= (today - changed).days < policy["maintenance.recent_days"]:
        return f"opioid changed on {changed}"
    return recorded(facts, today, PrecautionCode.INTERACTION)


def consent(facts: Facts, policy: Policy, today: date) -> str | None:
    """CONSENT: consent has expired, or the patient is not enrolled where the drug's programme asks for it."""
    return recorded(facts, today, PrecautionCode.CONSENT_EXPIRED, PrecautionCode.NOT_ENROLLED)


def _holds(known: Known, today: date) -> bool:
    return known.since <= today and (known.until is None or today <= known.until)


def pressure_at_once(measured: Pressure, policy: Policy, today: date) -> str | None:
    """Return what the care team must hear at once (P0) of a blood pressure that still counts, or None."""
    return _said(measured, policy, _AT_ONCE) if _counts(measured, policy, today) else None


def _counts(measured: Pressure, policy: Policy, today: date) -> bool:
    return (today - measured.day).days < policy["maintenance.pressure_days"]


def _said(measured: Pressure, policy: Policy, limit: tuple[str, str, str]) -> str | None:
    systolic, diastolic, said = limit
    if measured.systolic < policy[systolic] and measured.diastolic < policy[diastolic]:
        return None
    return f"blood pressure {measured.systolic}/{measured.diastolic} on {measured.day}: {said}"
