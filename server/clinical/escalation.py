"""Who is due to hear, when: the level an alert should have reached by now.

Level 0 is the first notice, each further level a further circle of people. A level never falls.
Source: docs/clinical.md, "Escalation".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from server.clinical.policy import Policy
from server.clinical.vocabulary import AlertClass

_CLOCKS: Mapping[AlertClass, tuple[str, ...]] = MappingProxyType(
    {
        AlertClass.P0: (
            "escalation.p0_first_minutes",
            "escalation.p0_second_minutes",
            "escalation.p0_third_minutes",
        ),
        AlertClass.P1: (
            "escalation.p1_first_minutes",
            "escalation.p1_second_minutes",
            "escalation.p1_third_minutes",
        ),
        AlertClass.P2: ("escalation.p2_first_minutes", "escalation.p2_second_minutes"),
        AlertClass.P3: (),
    }
)
_CONTACT: Mapping[AlertClass, str] = MappingProxyType(
    {
        AlertClass.P0: "escalation.p0_contact_minutes",
        AlertClass.P1: "escalation.p1_contact_minutes",
        AlertClass.P2: "escalation.p2_contact_minutes",
    }
)


@dataclass(frozen=True, slots=True)
class EscalationFacts:
    """An unresolved alert. Times are aware; ``level`` is the one already reached.

    ``opened_at`` is when the alert got its present urgency; ``working`` says whether the clinic is
    at work now, which only P2 waits for.
    """

    urgency: AlertClass
    opened_at: datetime
    acknowledged_at: datetime | None = None
    level: int = 0
    working: bool = True


def due(facts: EscalationFacts, policy: Policy, now: datetime) -> int:
    """Return the level that should be reached at ``now`` (0 = first notice), never below the present.

    Past the last step everybody is told again, each time after as long as the whole ladder took: an
    alert that nobody takes never falls silent. An acknowledgement stops the climb; where the alert
    is then still open when the contact clock runs out, it climbs one level more, and again after
    twice as long each time, so that "acknowledged" never means "forgotten".
    """
    if facts.urgency is AlertClass.P2 and not facts.working:
        return facts.level
    until = facts.acknowledged_at or now
    level = _climbed(facts, policy, min(until, now))
    if facts.acknowledged_at is not None:
        level += _forgotten(facts, facts.acknowledged_at, policy, now)
    return max(facts.level, level)


def last_level(urgency: AlertClass) -> int:
    """Return the level at which everybody has been told; 0 where ``urgency`` never escalates."""
    return len(_CLOCKS[urgency])


def exhausted(facts: EscalationFacts, policy: Policy, now: datetime) -> bool:
    """Say whether everyone there is has been told and nobody has acknowledged."""
    top = last_level(facts.urgency)
    return top > 0 and facts.acknowledged_at is None and due(facts, policy, now) >= top


def _climbed(facts: EscalationFacts, policy: Policy, until: datetime) -> int:
    waited = until - facts.opened_at
    steps = [timedelta(minutes=policy[key]) for key in _CLOCKS[facts.urgency]]
    if not steps or waited < steps[-1]:
        return sum(waited >= step for step in steps)
    return len(steps) - 1 + waited // steps[-1]


def _forgotten(facts: EscalationFacts, acknowledged_at: datetime, policy: Policy, now: datetime) -> int:
    """Return how often to remind since the acknowledgement: after the contact clock, 2, 4, 8 … times it."""
    key = _CONTACT.get(facts.urgency)
    return ((now - acknowledged_at) // timedelta(minutes=policy[key])).bit_length() if key else 0
