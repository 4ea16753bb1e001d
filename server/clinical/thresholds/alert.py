"""When an alert episode may open again."""

from server.clinical.thresholds.threshold import Threshold

ALERT = (
    Threshold(
        "alert.lockout_days", 14, 0, 60, "days", "proposal", "calm after a relapse episode was resolved"
    ),
)
