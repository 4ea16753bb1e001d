"""When an alert episode may open again."""

from server.clinical.thresholds.threshold import Threshold

ALERT = (
    Threshold(
        "alert.lockout_days", 14, 0, 60, "days", "proposal", "calm after a relapse episode was resolved"
    ),
    Threshold(
        *("alert.over_days", 35, 14, 120, "days", "proposal"),
        "after so long without a signal an open episode was over",
    ),
    Threshold(
        *("alert.return_days", 7, 2, 60, "days", "proposal"),
        "an urgent answer again after so long without one is told anew",
    ),
)
