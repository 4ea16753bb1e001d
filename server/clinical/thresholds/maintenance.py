"""What holds a suggested visit back, and when it lies."""

from server.clinical.thresholds.threshold import Threshold

_GUARD = "proposal"

MAINTENANCE = (
    Threshold(
        "maintenance.default_interval_days", 7, 1, 90, "days", _GUARD, "shortest interval without a plan"
    ),
    Threshold("maintenance.default_max_interval_days", 28, 7, 180, "days", _GUARD, "longest without a plan"),
    Threshold(
        "maintenance.relapse_within_days", 7, 1, 28, "days", "proposal", "window after a relapse signal"
    ),
    Threshold("maintenance.lead_days", 7, 0, 28, "days", "proposal", "how early a due visit is proposed"),
    Threshold(
        *("maintenance.own_losses", 1, 1, 5, "entries", "proposal"),
        "own losses before a plan is shortened by them",
    ),
    Threshold("maintenance.sessions_week", 2, 1, 4, "sessions", _GUARD, "sessions in 7 days at most"),
    Threshold("maintenance.sessions_four_weeks", 8, 2, 16, "sessions", _GUARD, "sessions in 28 days at most"),
    Threshold("maintenance.min_age", 18, 16, 25, "years", _GUARD, "youngest age"),
    Threshold(
        "maintenance.early_returns", 2, 1, 5, "entries", _GUARD, "relapses on one schedule for a review"
    ),
    Threshold("maintenance.severe_grade", 3, 2, 4, "grade", _GUARD, "grade that blocks while open"),
    Threshold("maintenance.severe_days", 7, 1, 28, "days", _GUARD, "how long a severe effect blocks"),
    Threshold("maintenance.moderate_grade", 2, 1, 3, "grade", _GUARD, "grade that blocks when it lasts"),
    Threshold("maintenance.urinary_days", 14, 7, 42, "days", _GUARD, "lasting urinary trouble"),
    Threshold("maintenance.memory_days", 28, 7, 84, "days", _GUARD, "lasting memory trouble"),
    Threshold("maintenance.craving", 7, 1, 10, "points", _GUARD, "craving that blocks"),
    Threshold(
        "maintenance.recent_days",
        28,
        7,
        180,
        "days",
        "proposal",
        "how far back blocking signs are looked for",
    ),
    Threshold(
        "maintenance.questionnaire_days", 14, 7, 42, "days", _GUARD, "a questionnaire as old as this counts"
    ),
)
