"""The words of the field as enumerations and tables: the one place where a code is spelled.

Numeric diary items are 0-10 unless their ``Item`` says otherwise. ``symptom()`` turns any of them
into "higher is worse", which is what every detector works on.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a signed-in account is, and so what it may do."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    COORDINATOR = "coordinator"
    CLINIC_ADMIN = "clinic_admin"
    INTEGRATION = "integration"


class Arm(StrEnum):
    """The two things the watch follows apart from each other."""

    MOOD = "mood"
    PAIN = "pain"


class Route(StrEnum):
    """How a treatment is given."""

    INTRAVENOUS = "intravenous"
    INTRAMUSCULAR = "intramuscular"
    SUBCUTANEOUS = "subcutaneous"
    INTRANASAL = "intranasal"
    ORAL_SUBLINGUAL = "oral_sublingual"


class Condition(StrEnum):
    """Target condition of a course; the cohorts are in docs/simulator.md."""

    DEPRESSION = "depression"
    BIPOLAR_DEPRESSION = "bipolar_depression"
    PTSD = "ptsd"
    OCD = "ocd"
    SUICIDALITY = "suicidality"
    CRPS = "crps"
    NEUROPATHIC_PAIN = "neuropathic_pain"
    FIBROMYALGIA = "fibromyalgia"
    CHRONIC_PAIN = "chronic_pain"


class Phase(StrEnum):
    """Where in the plan a course stands."""

    INDUCTION = "induction"
    TAPER = "taper"
    MAINTENANCE = "maintenance"


class SessionStatus(StrEnum):
    """Life of one treatment session."""

    PLANNED = "planned"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class SafetyAnswer(StrEnum):
    """Answers to the diary's own safety question, mildest first (docs/clinical.md)."""

    NO = "no"
    PASSING = "passing"
    OFTEN = "often"
    PLAN = "plan"


class Adherence(StrEnum):
    """Whether the regular medication was taken."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Source(StrEnum):
    """The way an entry came in. Every way passes the same safety check."""

    APP = "app"
    CLINIC = "clinic"
    IMPORT = "import"
    SIMULATOR = "simulator"


class Sensitivity(StrEnum):
    """Whether answers need more protection than other health data (42 CFR Part 2)."""

    ORDINARY = "ordinary"
    SUBSTANCE_USE = "substance_use"


class EnteredBy(StrEnum):
    """Whose hand made an entry; what it says is always about the patient."""

    PATIENT = "patient"
    CAREGIVER = "caregiver"


class AlertClass(StrEnum):
    """Urgency, most urgent first (docs/clinical.md). Order is that of the names."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class AlertFamily(StrEnum):
    """What kind of worry an alert episode is about. One open episode per patient and family."""

    SAFETY = "safety"
    SIDE_EFFECT = "side_effect"
    MOOD_RELAPSE = "mood_relapse"
    PAIN_RELAPSE = "pain_relapse"
    SILENCE = "silence"


class AlertState(StrEnum):
    """Life of an alert episode. Escalation is a level beside it, not a state."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Outcome(StrEnum):
    """Why a clinician closed an alert."""

    CONTACTED = "contacted"
    VISIT_ARRANGED = "visit_arranged"
    PLAN_CHANGED = "plan_changed"
    EMERGENCY_CARE = "emergency_care"
    NO_ACTION_NEEDED = "no_action_needed"
    FALSE_ALARM = "false_alarm"


class WatchState(StrEnum):
    """State of the watch for one patient and arm (docs/clinical.md, "States")."""

    NO_BASELINE = "no_baseline"
    BASELINE = "baseline"
    RESPONDING = "responding"
    HOLDING = "holding"
    FADING = "fading"
    RELAPSED = "relapsed"
    RE_TREATED = "re_treated"
    NO_RESPONSE = "no_response"
    INSUFFICIENT_DATA = "insufficient_data"


class Stage(StrEnum):
    """How sure the watch and the clinician are of a relapse in one arm (docs/clinical.md, "Stages")."""

    CALM = "calm"
    WATCH = "watch"
    PROBABLE = "probable"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class MovedBy(StrEnum):
    """Whose move of a stage it is."""

    WATCH = "watch"
    CLINICIAN = "clinician"


class Verdict(StrEnum):
    """What a clinician says of a relapse alert."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class SuggestionState(StrEnum):
    """Life of a booking suggestion (docs/scheduling.md)."""

    DRAFT = "draft"
    SUGGESTED = "suggested"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    NOSHOW = "noshow"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    NEEDS_ATTENTION = "needs_attention"


class DeclineCode(StrEnum):
    """Why the clinic does not book a suggested visit. A code, so that no diagnosis needs to be written."""

    NO_CAPACITY = "no_capacity"
    PATIENT_REFUSED = "patient_refused"
    PATIENT_UNREACHABLE = "patient_unreachable"
    ALREADY_BOOKED = "already_booked"
    NOT_INDICATED = "not_indicated"
    OTHER = "other"


class DeliveryState(StrEnum):
    """Life of one message to one destination."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class DeliverySubject(StrEnum):
    """What a delivery is about, and so whom it concerns: the care team, or a patient."""

    ALERT = "alert"
    REMINDER = "reminder"


class Direction(StrEnum):
    """Which end of an item's range is the bad one."""

    HIGH_GOOD = "high_good"
    HIGH_BAD = "high_bad"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Item:
    """One number of the diary: its bounds, its unit, its bad end, and the arms it speaks for."""

    key: str
    direction: Direction
    arms: frozenset[Arm]
    low: float = 0.0
    high: float = 10.0
    unit: str = "points"


_MOOD, _PAIN = frozenset({Arm.MOOD}), frozenset({Arm.PAIN})
_BOTH = _MOOD | _PAIN

_ITEMS = (
    Item("mood", Direction.HIGH_GOOD, _MOOD),
    Item("interest", Direction.HIGH_GOOD, _MOOD),
    Item("anxiety", Direction.HIGH_BAD, _MOOD),
    Item("restlessness", Direction.HIGH_BAD, _MOOD),
    Item("irritability", Direction.HIGH_BAD, _MOOD),
    Item("agitation", Direction.HIGH_BAD, _MOOD),
    Item("worry", Direction.HIGH_BAD, _MOOD),
    Item("energy", Direction.NEUTRAL, _MOOD),
    Item("sleep_hours", Direction.NEUTRAL, _BOTH, high=24.0, unit="hours"),
    Item("sleep_quality", Direction.HIGH_GOOD, _MOOD),
    Item("function", Direction.HIGH_GOOD, _BOTH),
    Item("pain_average", Direction.HIGH_BAD, _PAIN),
    Item("pain_worst", Direction.HIGH_BAD, _PAIN),
    Item("pain_least", Direction.HIGH_BAD, _PAIN),
    Item("pain_now", Direction.HIGH_BAD, _PAIN),
    Item("pain_interference", Direction.HIGH_BAD, _PAIN),
    Item("craving", Direction.HIGH_BAD, frozenset()),
)
ITEMS = MappingProxyType({item.key: item for item in _ITEMS})


def symptom(key: str, value: float) -> float:
    """Return ``value`` of item ``key`` on a scale where higher is worse (same unit and range)."""
    item = ITEMS[key]
    return item.high - value if item.direction is Direction.HIGH_GOOD else value
