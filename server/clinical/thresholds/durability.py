"""The response curve and the holding time."""

from server.clinical.thresholds.threshold import Threshold

DURABILITY = (
    Threshold(
        *("durability.personal_share", 0.5, 0.1, 0.9, "share", "proposal"),
        "of the spread of log holding times, what lies between patients",
    ),
    Threshold("durability.best_days", 21, 14, 42, "days", "proposal", "days its best week is looked for in"),
    Threshold("durability.fade_days", 21, 7, 42, "days", "proposal", "days a fade speed is measured over"),
    Threshold("durability.fade_min_days", 7, 4, 21, "days", "proposal", "observed days a fade speed needs"),
)
