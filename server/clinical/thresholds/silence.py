"""Missed check-ins."""

from server.clinical.thresholds.threshold import Threshold

_CLOCK = "proposal"

SILENCE = (
    Threshold(
        "silence.short_days", 3, 1, 7, "days", _CLOCK, "missed days that alarm after a flag or decline"
    ),
    Threshold("silence.usual_days", 5, 2, 21, "days", _CLOCK, "missed days that alarm otherwise"),
    Threshold("silence.long_days", 10, 3, 42, "days", "proposal", "missed days that are never routine"),
    Threshold(
        "silence.flag_days", 14, 3, 60, "days", "proposal", "how long a P0 or P1 flag shortens patience"
    ),
)
