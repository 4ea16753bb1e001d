"""One answer in, flags out: what cannot wait for a trend.

Deterministic routing of what the patient said; no score, no model, no memory of other days. What
depends on more than one answer (a lasting effect, a run of short nights) is not decided here.
Source: docs/clinical.md, "Red flags".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from server.clinical.policy import Policy
from server.clinical.readings import Items
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import AlertClass, AlertFamily, SafetyAnswer


class Notice(StrEnum):
    """What the patient must see in the very response to the answer."""

    NONE = "none"
    CRISIS_LINES = "crisis_lines"
    EMERGENCY = "emergency"
    CALL_CLINIC = "call_clinic"


@dataclass(frozen=True, slots=True)
class Onset:
    """When the patient says that an effect began.

    ``hours`` after the last session before it (None: none is known), and how many hours it had
    ``lasted`` (>= 0) when it was reported.
    """

    hours: float | None
    lasted: float


@dataclass(frozen=True, slots=True)
class Answers:
    """What one entry says. ``hours_since_session`` is None where no session is known.

    ``hours_by_our_clock`` are those hours again, where the phone's clock was off. ``onsets`` are the
    stated ones, by term.
    """

    safety: SafetyAnswer | None
    side_effects: Mapping[str, int]
    items: Items
    hours_since_session: float | None
    onsets: Mapping[str, Onset] = field(default_factory=dict)
    hours_by_our_clock: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class RedFlag:
    """One finding: a stable code, how urgent, which alert episode, what the patient sees."""

    code: str
    urgency: AlertClass
    family: AlertFamily
    notice: Notice


@dataclass(frozen=True, slots=True)
class _Rule:
    """Flag ``term`` from grade ``policy[grade]`` on, and only later than ``policy[after]`` hours."""

    term: str
    grade: str
    urgency: AlertClass
    after: str | None = None
    family: AlertFamily = AlertFamily.SIDE_EFFECT


_ANY, _MODERATE = "redflag.any_grade", "redflag.moderate_grade"
_SEVERE, _EXTREME = "redflag.severe_grade", "redflag.extreme_grade"
_LATE = "redflag.late_hours"
_P0, _P1, _P2 = AlertClass.P0, AlertClass.P1, AlertClass.P2

_EMERGENCIES = (
    "breathing_trouble",
    "chest_pain",
    "fainting",
    "seizure",
    "stroke_signs",
    "thunderclap_headache",
    "unrousable",
)
_URGENT = ("fall", "blood_in_urine", "psychosis", "jaundice", "non_prescribed_use")
_URINARY = ("painful_urination", "urinary_frequency", "urinary_urgency", "pelvic_pain", "incontinence")
# Gone within hours of a session; still there a day later, they are a different thing.
_ACUTE = ("dissociation", "hallucination", "confusion", "vomiting")

_EUPHORIA = "redflag.euphoria_hours"
_ACTIVATION = AlertFamily.ACTIVATION

_RULES = (
    *(_Rule(term, _ANY, _P0) for term in _EMERGENCIES),
    _Rule("confusion", _SEVERE, _P0),
    # High spirits within hours of a session are its effect; later they are a sign of activation.
    _Rule("mania", _EXTREME, _P0, family=_ACTIVATION),
    _Rule("euphoria", _EXTREME, _P0, after=_EUPHORIA, family=_ACTIVATION),
    # Whatever it is: who says "I need urgent medical help" is not asked to call in the morning.
    *(_Rule(term, _EXTREME, _P0) for term in SIDE_EFFECTS),
    *(_Rule(term, _ANY, _P1) for term in _URGENT),
    *(_Rule(term, _ANY, _P1, after=_LATE) for term in _ACUTE),
    _Rule("mania", _ANY, _P1, family=_ACTIVATION),
    _Rule("euphoria", _ANY, _P1, after=_EUPHORIA, family=_ACTIVATION),
    *(_Rule(term, _SEVERE, _P1) for term in SIDE_EFFECTS if term != "nausea"),
    *(_Rule(term, _ANY, _P2) for term in _URINARY),
    _Rule("blurred_vision", _ANY, _P2, after=_LATE),
    _Rule("nausea", _SEVERE, _P2),
    _Rule("abdominal_pain", _MODERATE, _P2),
)

# The terms that may be a sign of activation (docs/clinical.md, "Activation", rule H5).
ACTIVATION_TERMS = frozenset(rule.term for rule in _RULES if rule.family is _ACTIVATION)

# The one place that ties what the patient sees of a side effect to how urgent it is for the clinic.
_SHOWN = {_P0: Notice.EMERGENCY, _P1: Notice.CALL_CLINIC, _P2: Notice.CALL_CLINIC}

_SAFETY = {
    SafetyAnswer.PLAN: RedFlag("safety_plan", _P0, AlertFamily.SAFETY, Notice.EMERGENCY),
    SafetyAnswer.OFTEN: RedFlag("safety_often", _P1, AlertFamily.SAFETY, Notice.CRISIS_LINES),
    SafetyAnswer.PASSING: RedFlag("safety_passing", _P1, AlertFamily.SAFETY, Notice.CRISIS_LINES),
}


def check(answers: Answers, policy: Policy) -> tuple[RedFlag, ...]:
    """Return every red flag of one entry, most urgent first, at most one per finding.

    The order is fixed (urgency, safety before the rest, then code), so that the same answers always
    give the same alert. Terms outside the vocabulary are ignored here: the edge refuses them.
    """
    flags = {flag.code: flag for flag in reversed(tuple(_flags(answers, policy)))}
    return tuple(sorted(flags.values(), key=lambda f: (f.urgency, f.family != AlertFamily.SAFETY, f.code)))


def families(answers: Answers, policy: Policy) -> frozenset[AlertFamily]:
    """Return of which families an entry says something that can't wait, whichever of them it is told in.

    High spirits that are severe are a side effect in the hours after a session and activation later: what
    was told as the one still holds when it is the other.
    """
    told = {flag.code: flag.family for flag in check(answers, policy)}
    grades = {term: grade for term, grade in answers.side_effects.items() if term in told}
    at_any_hour = (family for term in grades for family in _families_of(term, grades[term], policy))
    return frozenset({*told.values(), *at_any_hour})


def _families_of(term: str, grade: int, policy: Policy) -> Iterator[AlertFamily]:
    """Yield the families ``term`` may be told in: up to the first rule that holds at any hour."""
    for rule in (rule for rule in _RULES if rule.term == term and grade >= policy[rule.grade]):
        yield rule.family
        if rule.after is None:
            return


def emergency_from(term: str, policy: Policy) -> int:
    """Return the lowest grade of ``term`` at which the patient must see emergency help, at any time."""
    grades = (policy[rule.grade] for rule in _RULES if rule.term == term and rule.urgency is _P0)
    return int(min(grades))


def _flags(answers: Answers, policy: Policy) -> Iterator[RedFlag]:
    """Yield findings with the gravest of each code first (``_RULES`` is in that order)."""
    if answers.safety in _SAFETY:
        yield _SAFETY[answers.safety]
    for rule in _RULES:
        if rule.term in answers.side_effects and _holds(rule, answers, policy):
            yield RedFlag(rule.term, rule.urgency, rule.family, _SHOWN[rule.urgency])
    if answers.items.get("craving", 0.0) >= policy["redflag.craving"]:
        yield RedFlag("craving", _P1, AlertFamily.SIDE_EFFECT, _SHOWN[_P1])


def _holds(rule: _Rule, answers: Answers, policy: Policy) -> bool:
    if answers.side_effects.get(rule.term, 0) < policy[rule.grade]:
        return False
    return rule.after is None or _is_late(rule.term, policy[rule.after], answers)


def _is_late(term: str, bound: float, answers: Answers) -> bool:
    """Return whether ``term`` was reported, or began, more than ``bound`` hours after a session.

    A stated onset can make an effect late, never early: at the time of the report it was still there.
    Nor does a clock that was off: late by one clock is late.
    Without a known session nothing explains an acute effect, so it counts as late.
    """
    hours = [answers.hours_since_session, *answers.hours_by_our_clock]
    if term in answers.onsets:
        hours.append(answers.onsets[term].hours)
    return is_late(hours, bound)


def is_late(hours: Iterable[float | None], bound: float) -> bool:
    """Return whether any of ``hours`` since a session is more than ``bound``; None: no session is known."""
    return any(hour is None or hour > bound for hour in hours)
