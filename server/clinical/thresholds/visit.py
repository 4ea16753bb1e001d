"""How long an approved visit may wait for somebody who makes appointments."""

from server.clinical.thresholds.threshold import Threshold

VISIT = (
    Threshold(
        *("visit.unseen_urgent_hours", 24, 1, 168, "hours", "proposal"),
        "a visit of P2 or above that nobody has looked at is told of again and again",
    ),
    Threshold(
        *("visit.unseen_hours", 72, 1, 336, "hours", "proposal"),
        "the same for any other visit",
    ),
)
