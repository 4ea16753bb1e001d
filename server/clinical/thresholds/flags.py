"""Single answers that cannot wait."""

from server.clinical.thresholds.threshold import Threshold

_FLAG = "proposal"

FLAGS = (
    Threshold("redflag.any_grade", 1, 1, 2, "grade", _FLAG, "grade at which an emergency sign counts"),
    Threshold("redflag.moderate_grade", 2, 1, 3, "grade", _FLAG, "grade of a moderate effect"),
    Threshold("redflag.severe_grade", 3, 2, 4, "grade", _FLAG, "grade of a severe effect"),
    Threshold("redflag.extreme_grade", 4, 3, 4, "grade", _FLAG, "grade at which any effect is an emergency"),
    Threshold("redflag.craving", 7, 1, 10, "points", _FLAG, "craving that is urgent"),
    Threshold("redflag.late_hours", 24, 4, 72, "hours", _FLAG, "acute effects should be gone by then"),
    Threshold("redflag.euphoria_hours", 48, 12, 96, "hours", "proposal", "high spirits after that"),
)
