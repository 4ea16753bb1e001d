"""What a diary entry may say, and the numbers in it."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from server.clinical.vocabulary.treatment import Arm


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


class Circumstance(StrEnum):
    """What else happened: shown beside an alert, never used to hold it back (docs/clinical.md)."""

    MEDICATION_CHANGED = "medication_changed"
    INFECTION = "infection"
    SURGERY_OR_INJURY = "surgery_or_injury"
    BEREAVEMENT = "bereavement"
    LIFE_EVENT = "life_event"
    TRAVEL = "travel"
    MENSTRUATION = "menstruation"


class Sensitivity(StrEnum):
    """Whether answers need more protection than other health data (42 CFR Part 2)."""

    ORDINARY = "ordinary"
    SUBSTANCE_USE = "substance_use"


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
