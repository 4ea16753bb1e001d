"""When the care team hears of a visit that waits: for a decision, for a look, or for an appointment.

Source: docs/clinical.md, "Unseen".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.clinical.policy import Policy
from server.clinical.vocabulary import AlertClass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A visit that waits: since when, when the care team was last told of it (aware), how urgent it is.

    ``in_hand``: somebody who makes appointments has looked, and it waits for what comes of it.
    """

    since: datetime
    told_at: datetime | None
    urgency: AlertClass
    in_hand: bool = False


def limit(waiting: Waiting, policy: Policy) -> timedelta:
    """Return how long a visit may wait; what somebody has in hand is not asked for as soon."""
    is_urgent = waiting.urgency is not AlertClass.P3 and not waiting.in_hand
    return timedelta(hours=policy["visit.unseen_urgent_hours" if is_urgent else "visit.unseen_hours"])


def due_round(waiting: Waiting, policy: Policy, now: datetime) -> int | None:
    """Return the how-manieth limit has passed where it is to be told now, None where it is not.

    Once after the first limit, then again a limit after each telling since it waits.
    """
    longest = limit(waiting, policy)
    if now - max(waiting.told_at or waiting.since, waiting.since) < longest:
        return None
    return (now - waiting.since) // longest
