"""Who is due to hear, when: the level an alert should have reached, and how long a word of a person holds.

Level 0 is the first notice, each further level a further circle of people. A level never falls while the
clock is right.
Source: docs/clinical.md, "Escalation".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import MappingProxyType

from server.clinical.policy import Policy
from server.clinical.vocabulary import AlertClass


class By(Enum):
    """Which time a step is counted in."""

    CLOCK = "absolute"
    WORKING_HOURS = "working"
    WORKING_DAYS = "business"


Steps = tuple[tuple[str, By], ...]
_CLOCKS: Mapping[AlertClass, Steps] = MappingProxyType(
    {
        AlertClass.P0: (
            ("escalation.p0_first_minutes", By.CLOCK),
            ("escalation.p0_second_minutes", By.CLOCK),
            ("escalation.p0_third_minutes", By.CLOCK),
        ),
        AlertClass.P1: (
            ("escalation.p1_first_minutes", By.WORKING_HOURS),
            ("escalation.p1_second_minutes", By.WORKING_HOURS),
            # The hard limit: whatever the hour.
            ("escalation.p1_third_minutes", By.CLOCK),
        ),
        AlertClass.P2: (
            ("escalation.p2_first_minutes", By.WORKING_DAYS),
            ("escalation.p2_second_minutes", By.WORKING_DAYS),
        ),
        AlertClass.P3: (),
    }
)
_CONTACT: Mapping[AlertClass, str] = MappingProxyType(
    {
        AlertClass.P0: "escalation.p0_contact_minutes",
        AlertClass.P1: "escalation.p1_contact_minutes",
        AlertClass.P2: "escalation.p2_contact_minutes",
        AlertClass.P3: "escalation.p2_contact_minutes",
    }
)
_SNOOZE: Mapping[AlertClass, str] = MappingProxyType(
    {
        AlertClass.P0: "escalation.p0_snooze_minutes",
        AlertClass.P1: "escalation.p1_snooze_minutes",
        AlertClass.P2: "escalation.p2_snooze_minutes",
        AlertClass.P3: "escalation.p2_snooze_minutes",
    }
)


@dataclass(frozen=True, slots=True)
class Waited:
    """How long nobody has answered: by the clock, in the clinic's working hours, in days it works at all."""

    absolute: timedelta
    working: timedelta
    business: timedelta


@dataclass(frozen=True, slots=True)
class EscalationFacts:
    """An alert nobody has acknowledged. ``level`` is the one already reached, ``waited`` is not negative.

    ``working`` says whether the clinic is at work now: P2 climbs only then.
    """

    urgency: AlertClass
    waited: Waited
    level: int = 0
    working: bool = True


def due(facts: EscalationFacts, policy: Policy) -> int:
    """Return the level that should be reached (0 = first notice), never below the present.

    Past the last step everybody is told again, each time after as long as the whole ladder took: an
    alert that nobody takes never falls silent.
    """
    if not may_climb(facts):
        return facts.level
    steps = _CLOCKS[facts.urgency]
    passed = [n for n, (key, by) in enumerate(steps, 1) if _waited(facts, by) >= _minutes(policy, key)]
    reached = max(passed, default=0)
    if reached == len(steps):
        key, by = steps[-1]
        reached += _waited(facts, by) // _minutes(policy, key) - 1
    return max(facts.level, reached)


def last_level(urgency: AlertClass) -> int:
    """Return the level at which everybody has been told; 0 where ``urgency`` never escalates."""
    return len(_CLOCKS[urgency])


def exhausted(facts: EscalationFacts, policy: Policy) -> bool:
    """Say whether everyone there is has been told, and had as long as the first one, and nobody answered."""
    if not may_climb(facts):
        return False
    steps = _CLOCKS[facts.urgency]
    (first, _), (last, by) = steps[0], steps[-1]
    return _waited(facts, by) >= _minutes(policy, last) + _minutes(policy, first)


def acknowledged_for(urgency: AlertClass, policy: Policy) -> timedelta:
    """Return how long an acknowledgement holds: the contact clock. Then the alert is open again."""
    return _minutes(policy, _CONTACT[urgency])


def longest_snooze(urgency: AlertClass, policy: Policy) -> timedelta:
    """Return for how long an alert may be put off at the most."""
    return _minutes(policy, _SNOOZE[urgency])


def ways_at_once(urgency: AlertClass, level: int, ways: int) -> int:
    """Return over how many of a person's ``ways`` (in their own order) they are told at ``level``.

    Louder with age: an emergency uses all from the start, anything else one more at each level.
    """
    return ways if urgency is AlertClass.P0 else min(ways, level + 1)


def next_way_after(policy: Policy) -> timedelta:
    """Return how long a message may stay untaken before the person is told another way."""
    return _minutes(policy, "escalation.next_way_minutes")


def may_climb(facts: EscalationFacts) -> bool:
    """Say whether further people may be told now: of P3 nobody ever, of P2 while the clinic is at work."""
    return bool(_CLOCKS[facts.urgency]) and (facts.urgency is not AlertClass.P2 or facts.working)


def _waited(facts: EscalationFacts, by: By) -> timedelta:
    found: timedelta = getattr(facts.waited, by.value)
    return found


def _minutes(policy: Policy, key: str) -> timedelta:
    return timedelta(minutes=policy[key])
