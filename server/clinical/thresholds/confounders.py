"""What is shown beside an alert and never used to hold it back."""

from server.clinical.thresholds.threshold import Threshold

_OURS = "proposal"

CONFOUNDERS = (
    Threshold("confounders.before_days", 14, 3, 42, "days", _OURS, "how far back before a signal began"),
    Threshold("confounders.grade", 2, 1, 4, "grade", _OURS, "side effects from this grade on"),
    Threshold("confounders.short_night_hours", 5, 3, 7, "hours", _OURS, "a night below this is short"),
)
