"""The yardstick of a replay: what counts as a false alarm, as a re-treatment, and what an alert costs."""

from server.clinical.thresholds.threshold import Threshold

REPLAY = (
    Threshold("replay.follow_days", 30, 7, 120, "days", "proposal", "an alarm is followed up for so long"),
    Threshold(
        *("replay.retreated_after_days", 21, 7, 180, "days", "proposal"),
        "days without a session that make the next one a re-treatment",
    ),
    Threshold("replay.alert_minutes", 20, 1, 240, "minutes", "proposal", "staff time that one alert takes"),
)
