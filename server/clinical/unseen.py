"""When the care team hears of an approved visit that nobody who makes appointments has looked at.

Source: docs/clinical.md, "Unseen".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from server.clinical.policy import Policy
from server.clinical.vocabulary import AlertClass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A visit that waits: since when, when the care team was last told of it (aware), how urgent it is."""

    since: datetime
    told_at: datetime | None
    urgency: AlertClass


def limit(urgency: AlertClass, policy: Policy) -> timedelta:
    """Return how long a visit may wait unseen."""
    is_urgent = urgency is not AlertClass.P3
    return timedelta(hours=policy["visit.unseen_urgent_hours" if is_urgent else "visit.unseen_hours"])


def due_round(waiting: Waiting, policy: Policy, now: datetime) -> int | None:
    """Return the how-manieth limit has passed where it is to be told now, None where it is not.

    Once after the first limit, then again a limit after each telling.
    """
    longest = limit(waiting.urgency, policy)
    if now - (waiting.told_at or waiting.since) < longest:
        return None
    return (now - waiting.since) // longest
