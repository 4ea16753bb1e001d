"""What holds a suggested visit back, and when it lies."""

from server.clinical.thresholds.threshold import Threshold

_GUARD = "proposal"
_LABEL = "label: weigh delay above 140/90"
_SCREEN = "Bush 1998"

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
    Threshold("maintenance.audit_c", 4, 3, 12, "points", _SCREEN, "AUDIT-C that blocks"),
    Threshold("maintenance.systolic", 140, 120, 180, "mmHg", _LABEL, "systolic pressure not controlled"),
    Threshold("maintenance.diastolic", 90, 80, 110, "mmHg", _LABEL, "diastolic pressure not controlled"),
    Threshold("maintenance.systolic_hard", 160, 140, 200, "mmHg", _GUARD, "systolic, too high for a session"),
    Threshold(
        "maintenance.diastolic_hard", 100, 90, 130, "mmHg", _GUARD, "diastolic, too high for a session"
    ),
    Threshold("maintenance.systolic_urgent", 180, 160, 220, "mmHg", _GUARD, "systolic, needs care at once"),
    Threshold("maintenance.diastolic_urgent", 120, 100, 140, "mmHg", _GUARD, "diastolic, needs care at once"),
    Threshold("maintenance.pressure_days", 90, 7, 365, "days", _GUARD, "how long a blood pressure counts"),
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
